#include "core/launch/cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace onecopy {

namespace {

// Where a hierarchy of cgroups is mounted, and which part of it is visible there.
struct CgroupMount {
    std::string point;
    std::string top;
    bool unified = false;  // cgroup v2
};

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
    return parts;
}

bool contains(const std::vector<std::string>& parts, std::string_view part) {
    return std::ranges::find(parts, part) != parts.end();
}

// The mounts that hold the cpu controller's files. See proc(5) for the line's form:
// 36 35 98:0 /root /point options [optional …] - type source superOptions
std::vector<CgroupMount> findMounts(const std::string& root) {
    std::vector<CgroupMount> mounts;
    std::ifstream in(root + "/proc/self/mountinfo");
    for (std::string line; std::getline(in, line);) {
        const std::vector<std::string> fields = split(line, ' ');
        const auto dash = std::ranges::find(fields, "-");
        if (dash - fields.begin() < 6 || fields.end() - dash < 4) continue;
        const bool unified = dash[1] == "cgroup2";
        if (!unified && (dash[1] != "cgroup" || !contains(split(dash[3], ','), "cpu"))) continue;
        mounts.push_back({fields[4], fields[3], unified});
    }
    return mounts;
}

// This process's place in the hierarchy of v2, or in the one with v1's cpu controller.
std::string findPlace(const std::string& root, bool unified) {
    std::ifstream in(root + "/proc/self/cgroup");
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (unified ? controllers.empty() : contains(split(controllers, ','), "cpu")) {
            return line.substr(second + 1);
        }
    }
    return "/";
}

std::optional<std::size_t> coresOf(const std::string& quota, const std::string& period) {
    std::int64_t time = 0;
    std::int64_t span = 0;
    // "max" and -1 mean: no limit.
    if (!(std::istringstream(quota) >> time) || !(std::istringstream(period) >> span)) return {};
    if (time <= 0 || span <= 0) return {};
    return static_cast<std::size_t>((time + span - 1) / span);
}

std::optional<std::size_t> readQuota(const std::string& folder, bool unified) {
    std::string quota;
    std::string period;
    if (unified) {
        std::ifstream(folder + "/cpu.max") >> quota >> period;
    } else {
        std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
        std::ifstream(folder + "/cpu.cfs_period_us") >> period;
    }
    return coresOf(quota, period);
}

std::size_t affinityCores() {
    // The kernel refuses a mask smaller than its own (EINVAL), whose size depends on how it was
    // built.
    for (std::size_t count = 1024; count <= 1u << 20; count *= 2) {
        std::vector<unsigned long> mask(count / (8 * sizeof(unsigned long)));
        const std::size_t bytes = mask.size() * sizeof(unsigned long);
        auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
        if (::sched_getaffinity(0, bytes, set) == 0) {
            return static_cast<std::size_t>(CPU_COUNT_S(bytes, set));
        }
        if (errno != EINVAL) break;
    }
    return 1;
}

}  // namespace

std::optional<std::size_t> quotaCores(const std::string& root) {
    std::optional<std::size_t> least;
    for (const CgroupMount& mount : findMounts(root)) {
        std::string place = findPlace(root, mount.unified);
        // In a container the mount may show only a part of the hierarchy.
        if (mount.top != "/" && place.starts_with(mount.top)) place.erase(0, mount.top.size());
        // A quota of any cgroup around this one holds as well.
        for (;;) {
            if (place == "/") place.clear();
            const auto cores = readQuota(root + mount.point + place, mount.unified);
            if (cores) least = std::min(least.value_or(*cores), *cores);
            if (place.empty()) break;
            place.erase(place.find_last_of('/'));
        }
    }
    return least;
}

std::size_t usableCores() {
    const std::size_t cores = affinityCores();
    return std::max<std::size_t>(1, std::min(cores, quotaCores().value_or(cores)));
}

}  // namespace onecopy
