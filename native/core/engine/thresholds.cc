#include "core/engine/thresholds.h"

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace onecopy {

namespace {

void read(const char* name, std::uint64_t least, std::uint64_t& value) {
    const char* text = std::getenv(name);
    if (text == nullptr || *text == '\0') return;
    char* end = nullptr;
    errno = 0;
    unsigned long long number = std::strtoull(text, &end, 10);
    std::uint64_t unit = 1;
    if (*end == 'K' || *end == 'k') unit = 1u << 10;
    if (*end == 'M' || *end == 'm') unit = 1u << 20;
    if (unit > 1) ++end;
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > (1ull << 40) / unit ||
        number * unit < least) {
        throw std::invalid_argument(std::string(name) + "=" + text +
                                    " is not a number of bytes from " + std::to_string(least) +
                                    " up, such as 65536, 64K or 1M");
    }
    value = number * unit;
}

}  // namespace

Thresholds Thresholds::fromEnvironment() {
    Thresholds thresholds;
    read("ONECOPY_SLICE", 1, thresholds.slice);
    read("ONECOPY_HEAP_EAGER", 0, thresholds.heapEager);
    read("ONECOPY_HEAP_TWO_SIDED", 0, thresholds.heapTwoSided);
    read("ONECOPY_TWO_SIDED", 0, thresholds.twoSided);
    read("ONECOPY_PUSH_SLICE", 0, thresholds.share);
    read("ONECOPY_UNEXPECTED", 0, thresholds.unexpected);
    std::uint64_t us = thresholds.yieldNanoseconds / 1000;
    read("ONECOPY_YIELD_US", 0, us);
    thresholds.yieldNanoseconds = us * 1000;
    return thresholds;
}

}  // namespace onecopy
