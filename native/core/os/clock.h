// The monotonic clock, in nanoseconds; the same for every process of the machine.
#pragma once

#include <cstdint>
#include <ctime>

namespace onecopy {

using Nanoseconds = std::uint64_t;

inline constexpr Nanoseconds kNever = ~Nanoseconds{0};

inline Nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000u +
           static_cast<Nanoseconds>(time.tv_nsec);
}

}  // namespace onecopy
