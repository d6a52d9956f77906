// What messages hold, so that each byte of each message can be told from every other one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace onecopy::bench {

// Room after each block that no mover may write to.
inline constexpr std::uint64_t kGuard = 64;

void fill(std::byte* block, std::uint64_t bytes, int from, int to);

// Makes sure that what an earlier mover left is not taken for what this one brings; guard included.
void poison(std::byte* block, std::uint64_t bytes);

struct WrongByte {
    std::uint64_t offset = 0;
    unsigned found = 0;
    unsigned expected = 0;
};
// The first one, in the block or in its guard.
std::optional<WrongByte> check(const std::byte* block, std::uint64_t bytes, int from, int to);

// Takes the block out of the caches of all cores.
void evict(const std::byte* block, std::uint64_t bytes);

}  // namespace onecopy::bench
