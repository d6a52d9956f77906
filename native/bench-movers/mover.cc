#include "mover.h"

#include <algorithm>
#include <cstring>

namespace onecopy::bench {

namespace {

std::string explain(const std::string& what, int errnum) {
    std::string sentence = what + ": " + std::strerror(errnum);
    if (errnum == EPERM || errnum == EACCES) {
        sentence += ", by a seccomp filter, Yama or a container; onecopy doctor says which";
    }
    return sentence;
}

}  // namespace

Refused::Refused(const std::string& what, int errnum) : std::runtime_error(explain(what, errnum)) {}

std::vector<std::unique_ptr<Mover>> makeMovers(const Options& options) {
    std::vector<std::unique_ptr<Mover>> all;
    all.push_back(makeCmaRead());
    all.push_back(makeCmaWrite());
    all.push_back(makeBothSides(options.slice));
    all.push_back(makeHeap());
    all.push_back(makeStreamingHeap());
    all.push_back(makeDoubleCopy(options.cells, options.cellBytes));
    all.push_back(makeProcMem());
    all.push_back(makeVmsplice());
    all.push_back(makeSocket());
    const auto named = [&](const std::string& name) {
        return std::ranges::any_of(all, [&](const auto& mover) { return mover->name() == name; });
    };
    for (const std::string& name : options.only) {
        if (!named(name)) throw OptionError("there is no mover \"" + name + '"');
    }
    if (!options.only.empty()) {
        std::erase_if(all, [&](const auto& mover) {
            return std::ranges::find(options.only, mover->name()) == options.only.end();
        });
    }
    return all;
}

}  // namespace onecopy::bench
