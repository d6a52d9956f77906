// Memory for payloads, on pages of a kind; and memory that processes share by inheriting it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#include "options.h"

namespace onecopy::bench {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kHugePage = 2u << 20;

constexpr std::uint64_t roundUp(std::uint64_t bytes, std::uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

// A range of addresses with an owner.
class Range {
   public:
    Range() = default;
    Range(void* address, std::uint64_t bytes)
        : address_(static_cast<std::byte*>(address)), bytes_(bytes) {}
    Range(Range&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_) {}
    Range& operator=(Range&& other) noexcept {
        std::swap(address_, other.address_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;
    ~Range();

    std::byte* address() const { return address_; }

   private:
    std::byte* address_ = nullptr;
    std::uint64_t bytes_ = 0;
};

// Zeroed memory without a name that children inherit and share. Throws std::system_error.
class SharedMemory {
   public:
    SharedMemory() = default;
    explicit SharedMemory(std::uint64_t bytes);

    std::byte* data() const { return range_.address(); }

   private:
    Range range_;
};

// Memory for payloads, which begins at a huge page's border and has nothing beside it, so that the
// kernel can comply with either wish.
class Region {
   public:
    Region() = default;
    // Private to this process, or, with a descriptor, a mapping of that file. Throws
    // std::system_error.
    Region(std::uint64_t bytes, Pages pages, int fd = -1);

    std::byte* data() const { return data_; }

    // Gives it its pages, near the core that calls.
    void populate();

    // How much of it is mapped by huge pages: from 0 to 1. Absent where the kernel does not tell.
    std::optional<double> hugeShare() const;

   private:
    Range reserved_;
    std::byte* data_ = nullptr;
    std::uint64_t bytes_ = 0;
    Pages pages_ = Pages::small;
};

// What the system can still give without swapping; absent where it does not tell.
std::optional<std::uint64_t> availableMemory();

}  // namespace onecopy::bench
