// How many cores a job may keep busy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace onecopy {

// The cores of this process's affinity mask, or fewer where a cgroup's quota gives it less time
// than those have. At least 1.
std::size_t usableCores();

// The smallest CPU quota (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`) of this process's cgroup and
// those around it, in cores and rounded up; absent where there is none. `root` is put before every
// path, for tests.
std::optional<std::size_t> quotaCores(const std::string& root = "");

}  // namespace onecopy
