// Thresholds that a job starts with; each may be changed by an option of the launcher.
#pragma once

#include <cstdint>

namespace onecopy {

// Largest payload, in bytes, that travels with its envelope on the socket channel.
inline constexpr std::uint64_t kDefaultEagerLimit = 16 * 1024;

// How long a waiter spins when every rank has a core to itself. Waking a sleeping core costs about
// 5 us on bare metal and 12 to 57 us on a virtual machine; a spin of that length is never worse
// than twice the best choice.
inline constexpr std::uint64_t kSpinNanoseconds = 50'000;

}  // namespace onecopy
