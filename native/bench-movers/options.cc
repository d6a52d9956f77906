#include "options.h"

#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace onecopy::bench {

namespace {

std::vector<std::string> listOf(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
}

template <typename Number>
Number numberOf(const std::string& name, const std::string& text, Number least, Number most) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= least) ||
        !(value <= most)) {
        std::ostringstream sentence;
        sentence << name << " takes a number from " << least << " to " << most << ", not \"" << text
                 << '"';
        throw OptionError(sentence.str());
    }
    return value;
}

Pattern patternOf(const std::string& name) {
    for (const Pattern pattern : {Pattern::oneToOne, Pattern::manyToOne, Pattern::allToAll}) {
        if (name == nameOf(pattern)) return pattern;
    }
    throw OptionError("there is no pattern \"" + name + '"');
}

Pages pagesOf(const std::string& name) {
    for (const Pages pages : {Pages::small, Pages::huge}) {
        if (name == nameOf(pages)) return pages;
    }
    throw OptionError("there are no pages \"" + name + '"');
}

Corruption corruptionOf(const char* text) {
    if (text == nullptr || *text == '\0') return {};
    const std::string value(text);
    const std::size_t colon = value.find(':');
    if (colon == std::string::npos) {
        throw OptionError("ONECOPY_BENCH_CORRUPT is MOVER:OFFSET, not \"" + value + '"');
    }
    constexpr std::uint64_t kFar = 1ull << 40;
    return {value.substr(0, colon),
            numberOf<std::uint64_t>("ONECOPY_BENCH_CORRUPT", value.substr(colon + 1), 0, kFar)};
}

}  // namespace

const char* nameOf(Pattern pattern) {
    switch (pattern) {
        case Pattern::oneToOne:
            return "one-to-one";
        case Pattern::manyToOne:
            return "many-to-one";
        case Pattern::allToAll:
            return "all-to-all";
    }
    return "";
}

const char* nameOf(Pages pages) { return pages == Pages::small ? "small" : "huge"; }

Options parseOptions(int argc, char** argv) {
    constexpr std::uint64_t kLargest = 1ull << 32;
    Options options;
    options.corruption = corruptionOf(std::getenv("ONECOPY_BENCH_CORRUPT"));
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--off-cache") {
            options.offCache = true;
            continue;
        }
        if (i + 1 == argc) throw OptionError(name + " needs a value");
        const std::string value = argv[++i];
        if (name == "--pattern") {
            options.patterns.clear();
            for (const auto& part : listOf(value)) options.patterns.push_back(patternOf(part));
        } else if (name == "--pages") {
            options.pages.clear();
            for (const auto& part : listOf(value)) options.pages.push_back(pagesOf(part));
        } else if (name == "--only") {
            options.only = listOf(value);
        } else if (name == "--sizes") {
            options.sizes.clear();
            for (const auto& part : listOf(value)) {
                options.sizes.push_back(numberOf<std::uint64_t>(name, part, 1, kLargest));
            }
        } else if (name == "--processes") {
            options.processes = numberOf<int>(name, value, 2, kMostProcesses);
        } else if (name == "--seconds") {
            options.seconds = numberOf<double>(name, value, 0.0001, 3600);
        } else if (name == "--rounds") {
            options.rounds = numberOf<int>(name, value, 1, 1000);
        } else if (name == "--slice") {
            options.slice = numberOf<std::uint64_t>(name, value, 4096, kLargest);
        } else if (name == "--cells") {
            options.cells = numberOf<std::uint32_t>(name, value, 1, 1024);
        } else if (name == "--cell") {
            options.cellBytes = numberOf<std::uint64_t>(name, value, 64, 64ull << 20);
        } else {
            throw OptionError("there is no option " + name);
        }
    }
    return options;
}

}  // namespace onecopy::bench
