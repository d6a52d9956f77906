#include "core/engine/allowance.h"

#include "core/os/memory_left.h"

namespace onecopy {

namespace {

// Asking the system takes 50 to 100 us; 8 MiB of small messages take more than 10 ms to come.
constexpr std::uint64_t kStep = 8u << 20;

// What scripts and the system itself need to get out of it. All ranks may take a step at a time.
constexpr std::uint64_t kReserve = 64u << 20;

// A rank that was refused asks again only after this.
constexpr Nanoseconds kPause = 10'000'000;

}  // namespace

Allowance::Allowance(std::uint64_t limit, int ranks)
    : limit_(limit),
      reserve_(kReserve + kStep * static_cast<std::uint64_t>(ranks)),
      allowed_(limit > 0 ? limit : kStep) {}

bool Allowance::ask(std::uint64_t used) {
    if (limit_ > 0) return false;
    const Nanoseconds time = now();
    if (refused_ != 0 && time - refused_ < kPause) return false;
    const bool left = memoryLeft() > reserve_;
    refused_ = left ? 0 : time;
    if (left) allowed_ = used + kStep;
    return left;
}

}  // namespace onecopy
