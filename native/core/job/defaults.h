// Thresholds that a job starts with; each may be changed by an option of the launcher.
#pragma once

#include <cstdint>

namespace onecopy {

// Largest payload, in bytes, that travels with its envelope: on the ring two copies of 8 KiB take
// as long as a rendezvous and one (1.4 us, half a round trip on a Xeon at 2.6 GHz; of 16 KiB 2.9
// and 1.9 us), on the socket, where a rendezvous costs more system calls, two of 16 KiB.
inline constexpr std::uint64_t kRingEagerLimit = 8 * 1024;
inline constexpr std::uint64_t kSocketEagerLimit = 16 * 1024;

// Memory for the rings of all pairs of a job together, if every rank talked to every other one; a
// pair that never talks has none.
inline constexpr std::uint64_t kRingBudget = 64 << 20;
inline constexpr std::uint64_t kLeastRingBytes = 4 * 1024;
inline constexpr std::uint64_t kMostRingBytes = 64 * 1024;

// Bytes of one direction's ring: a power of two.
constexpr std::uint64_t ringBytesFor(std::uint64_t ranks) {
    std::uint64_t bytes = kMostRingBytes;
    while (bytes > kLeastRingBytes && bytes * ranks * ranks > kRingBudget) bytes /= 2;
    return bytes;
}

// How long a waiter spins when every rank has a core to itself. Waking a sleeping core costs about
// 5 us on bare metal and 12 to 57 us on a virtual machine; a spin of that length is never worse
// than twice the best choice.
inline constexpr std::uint64_t kSpinNanoseconds = 50'000;

}  // namespace onecopy
