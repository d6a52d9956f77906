// How much memory this process can still get.
#pragma once

#include <cstdint>
#include <string>

namespace onecopy {

// What the kernel says is available without making others suffer, and no more than the cgroups
// around this process leave. A guess: others take from it too. Whoever takes more than there is, a
// page at a time, is not refused but killed. `root` is for tests.
std::uint64_t memoryLeft(const std::string& root = "");

}  // namespace onecopy
