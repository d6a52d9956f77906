#include "payload.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace onecopy::bench {

namespace {

constexpr unsigned kPoison = 0xa5;
[[maybe_unused]] constexpr std::uint64_t kLine = 64;

// One word of a message. A multiplication spreads place and pair over all its bytes (Knuth's
// multiplicative hash).
std::uint64_t wordAt(std::uint64_t index, int from, int to) {
    const std::uint64_t pair = static_cast<std::uint64_t>(from * 1000 + to + 1);
    const std::uint64_t word = (index + (pair << 40)) * 0x9e3779b97f4a7c15u;
    return word ^ (word >> 29);
}

}  // namespace

void fill(std::byte* block, std::uint64_t bytes, int from, int to) {
    for (std::uint64_t offset = 0; offset < bytes; offset += 8) {
        const std::uint64_t word = wordAt(offset / 8, from, to);
        std::memcpy(block + offset, &word, std::min<std::uint64_t>(8, bytes - offset));
    }
}

void poison(std::byte* block, std::uint64_t bytes) {
    std::memset(block, static_cast<int>(kPoison), bytes + kGuard);
}

std::optional<WrongByte> check(const std::byte* block, std::uint64_t bytes, int from, int to) {
    for (std::uint64_t offset = 0; offset < bytes; offset += 8) {
        const std::uint64_t word = wordAt(offset / 8, from, to);
        const std::uint64_t length = std::min<std::uint64_t>(8, bytes - offset);
        if (std::memcmp(block + offset, &word, length) == 0) continue;
        std::byte expected[8];
        std::memcpy(expected, &word, 8);
        std::uint64_t i = 0;
        while (block[offset + i] == expected[i]) ++i;
        return WrongByte{offset + i, std::to_integer<unsigned>(block[offset + i]),
                         std::to_integer<unsigned>(expected[i])};
    }
    for (std::uint64_t offset = bytes; offset < bytes + kGuard; ++offset) {
        const auto found = std::to_integer<unsigned>(block[offset]);
        if (found != kPoison) return WrongByte{offset, found, kPoison};
    }
    return {};
}

#if defined(__x86_64__)

namespace {

bool hasClflushopt() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_CLFLUSHOPT) != 0;
}

__attribute__((target("clflushopt"))) void evictUnordered(const std::byte* block,
                                                          std::uint64_t bytes) {
    for (std::uint64_t offset = 0; offset < bytes; offset += kLine) {
        _mm_clflushopt(const_cast<std::byte*>(block + offset));
    }
}

}  // namespace

void evict(const std::byte* block, std::uint64_t bytes) {
    // Several times as fast, since one does not wait for the other.
    static const bool unordered = hasClflushopt();
    if (unordered) {
        evictUnordered(block, bytes);
    } else {
        for (std::uint64_t offset = 0; offset < bytes; offset += kLine) _mm_clflush(block + offset);
    }
    _mm_mfence();
}

#elif defined(__aarch64__)

void evict(const std::byte* block, std::uint64_t bytes) {
    for (std::uint64_t offset = 0; offset < bytes; offset += kLine) {
        asm volatile("dc civac, %0" ::"r"(block + offset) : "memory");
    }
    asm volatile("dsb ish" ::: "memory");
}

#else

void evict(const std::byte*, std::uint64_t) {}

#endif

}  // namespace onecopy::bench
