#include "core/os/memory_left.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <vector>

namespace onecopy {

namespace {

constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

// The number behind a name, in a file of lines `name number` or `name: number kB`; 0 if it is not
// there.
std::uint64_t valueIn(const std::string& file, std::string_view name) {
    std::ifstream in(file);
    for (std::string word; in >> word;) {
        if (word.ends_with(':')) word.pop_back();
        std::uint64_t value = 0;
        if (word == name) return in >> value ? value : 0;
        in.ignore(256, '\n');
    }
    return 0;
}

// The number that is all of a file; "max" and a missing file mean: no limit.
std::uint64_t numberIn(const std::string& file) {
    std::uint64_t value = 0;
    std::ifstream in(file);
    return in >> value ? value : kUnlimited;
}

std::uint64_t leftIn(const std::string& folder, bool unified) {
    const std::uint64_t limit =
        numberIn(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes"));
    const std::uint64_t used =
        numberIn(folder + (unified ? "/memory.current" : "/memory.usage_in_bytes"));
    if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
    // Files that were read lie in memory until it is wanted for something else.
    const std::string statistics = folder + "/memory.stat";
    const std::uint64_t cached =
        valueIn(statistics, "inactive_file") + valueIn(statistics, "active_file");
    const std::uint64_t taken = used - std::min(used, cached);
    return limit - std::min(limit, taken);
}

// This process's memory cgroup and all around it.
std::uint64_t leftByCgroups(const std::string& root) {
    std::uint64_t left = kUnlimited;
    std::ifstream in(root + "/proc/self/cgroup");
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool unified = controllers == ",,";
        if (!unified && controllers.find(",memory,") == std::string::npos) continue;
        const std::string mount = root + (unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
        for (std::string place = line.substr(second + 1);;) {
            if (place == "/") place.clear();
            left = std::min(left, leftIn(mount + place, unified));
            if (place.empty()) break;
            place.erase(place.find_last_of('/'));
        }
    }
    return left;
}

}  // namespace

std::uint64_t memoryLeft(const std::string& root) {
    const std::string file = root + "/proc/meminfo";
    const std::uint64_t kilobytes = valueIn(file, "MemAvailable") + valueIn(file, "SwapFree");
    // A system that does not tell must not refuse everything.
    const std::uint64_t available = kilobytes == 0 ? kUnlimited : kilobytes * 1024;
    return std::min(available, leftByCgroups(root));
}

}  // namespace onecopy
