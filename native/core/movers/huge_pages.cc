#include "core/movers/huge_pages.h"

#include <sys/mman.h>

namespace onecopy {

namespace {

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

constexpr std::uintptr_t kHugePage = 2u << 20;

// Below this the gain per message is less than the pages that come along at both ends.
constexpr std::uint64_t kLeastBytes = 512 * 1024;

// Making a huge page of 512 small ones costs about 0.3 ms; it pays after some ten messages of 1
// MiB.
constexpr std::uint32_t kUses = 8;

// A window of many buffers comes to this all at once, and nothing else gets a turn meanwhile: so no
// buffer is begun when a fifth of the time has gone into it. One that is begun gets so much at
// once, enough for 64 MiB, and the rest of it is for its next use.
constexpr Nanoseconds kSpan = 20'000'000;
constexpr Nanoseconds kMostOfSpan = 4'000'000;
constexpr Nanoseconds kMostOfUse = 40'000'000;

// Buffers often begin at round distances from each other, so all bits of the address must count
// (Knuth's multiplicative hash).
std::size_t indexOf(std::uintptr_t address) {
    return (static_cast<std::uint64_t>(address) * 0x9e3779b97f4a7c15u) >> 58;
}

}  // namespace

std::size_t HugePages::used(const void* address, std::uint64_t bytes) {
    if (bytes < kLeastBytes) return 0;
    const auto start = reinterpret_cast<std::uintptr_t>(address);
    Buffer& buffer = buffers_[indexOf(start)];
    if (buffer.address != start) buffer = {start, 0};
    if (buffer.uses > kUses || ++buffer.uses < kUses) return 0;
    Nanoseconds time = now();
    if (time - began_ >= kSpan) {
        began_ = time;
        spent_ = 0;
    }
    // The whole of each huge page that the buffer reaches into: the kernel refuses where something
    // else lies beside it, memory of another kind or none (EINVAL), and then that part stays as it
    // is.
    std::size_t made = 0;
    const Nanoseconds most = spent_ < kMostOfSpan ? spent_ + kMostOfUse : 0;
    const std::uintptr_t first = start & ~(kHugePage - 1);
    const std::uintptr_t end = (start + bytes + kHugePage - 1) & ~(kHugePage - 1);
    for (std::uintptr_t page = first + buffer.looked * kHugePage; page < end; page += kHugePage) {
        if (spent_ >= most) {
            --buffer.uses;
            return made;
        }
        if (::madvise(reinterpret_cast<void*>(page), kHugePage, MADV_COLLAPSE) == 0) ++made;
        ++buffer.looked;
        const Nanoseconds after = now();
        spent_ += after - time;
        time = after;
    }
    // Counted beyond the limit: once is enough.
    ++buffer.uses;
    return made;
}

}  // namespace onecopy
