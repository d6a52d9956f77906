#include "core/reduction/isa.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace onecopy {

namespace {

constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};

// The value comes from the environment and ends up in a message: bound it.
std::string quoted(const std::string& text) {
    constexpr std::size_t kLongest = 40;
    return '"' + (text.size() <= kLongest ? text : text.substr(0, kLongest) + "...") + '"';
}

std::string listOf(const std::vector<Isa>& isas) {
    std::string list;
    for (const Isa isa : isas) list += (list.empty() ? "" : ", ") + std::string(nameOf(isa));
    return list;
}

}  // namespace

const char* nameOf(Isa isa) { return kNames[static_cast<int>(isa)]; }

std::vector<Isa> supportedIsas() {
    std::vector<Isa> isas{Isa::baseline};
#if defined(__x86_64__)
    // These ask XGETBV as well: a kernel that does not save the wide registers makes a CPU that has
    // them useless.
    if (__builtin_cpu_supports("avx2")) {
        isas.push_back(Isa::avx2);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
            isas.push_back(Isa::avx512);
        }
    }
#endif
    return isas;
}

IsaChoice chooseIsa(const char* forced, const std::vector<Isa>& supported) {
    if (forced == nullptr || *forced == '\0') return {supported.back(), ""};
    for (const Isa isa : supported) {
        if (std::string(forced) == nameOf(isa)) return {isa, ""};
    }
    const bool known = std::ranges::find(kNames, std::string(forced)) != std::end(kNames);
    return {Isa::baseline, "ONECOPY_ISA is " + quoted(forced) + ", which " +
                               (known ? "this machine does not support"
                                      : "is not the name of an instruction set") +
                               "; set it to one that this machine supports (" + listOf(supported) +
                               "), or unset it for the best of them"};
}

const IsaChoice& chosenIsa() {
    static const IsaChoice choice = chooseIsa(std::getenv("ONECOPY_ISA"), supportedIsas());
    return choice;
}

}  // namespace onecopy
