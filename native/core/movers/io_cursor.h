// A place inside a list of buffers, from which the next so many bytes can be cut.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace onecopy {

class IoCursor {
   public:
    IoCursor() = default;
    explicit IoCursor(std::span<const iovec> parts) : parts_(parts) { skipEmpty(); }

    bool atEnd() const { return index_ == parts_.size(); }

    // Fills `out` with the next `bytes` bytes, or with as many as fit into its entries; does not
    // move. Says how many entries it used and how many bytes they hold.
    struct Cut {
        std::size_t entries = 0;
        std::uint64_t bytes = 0;
    };
    Cut peek(std::uint64_t bytes, std::span<iovec> out) const {
        Cut cut;
        std::size_t offset = offset_;
        for (std::size_t i = index_;
             i < parts_.size() && cut.bytes < bytes && cut.entries < out.size(); ++i) {
            const std::uint64_t room =
                std::min<std::uint64_t>(parts_[i].iov_len - offset, bytes - cut.bytes);
            if (room > 0) {
                out[cut.entries++] = {static_cast<char*>(parts_[i].iov_base) + offset, room};
                cut.bytes += room;
            }
            offset = 0;
        }
        return cut;
    }

    void advance(std::uint64_t bytes) {
        while (bytes > 0 && index_ < parts_.size()) {
            const std::uint64_t room = parts_[index_].iov_len - offset_;
            if (bytes < room) {
                offset_ += bytes;
                return;
            }
            bytes -= room;
            ++index_;
            offset_ = 0;
        }
        skipEmpty();
    }

    // Copies `bytes` bytes from contiguous memory into the list, and moves. The caller knows that
    // they fit.
    void copyIn(const std::byte* from, std::uint64_t bytes) {
        while (bytes > 0 && index_ < parts_.size()) {
            const std::uint64_t room =
                std::min<std::uint64_t>(parts_[index_].iov_len - offset_, bytes);
            if (room > 0)
                std::memcpy(static_cast<char*>(parts_[index_].iov_base) + offset_, from, room);
            from += room;
            bytes -= room;
            advance(room);
        }
    }

    // Copies `bytes` bytes from the list into contiguous memory, and moves.
    void copyOut(std::byte* to, std::uint64_t bytes) {
        while (bytes > 0 && index_ < parts_.size()) {
            const std::uint64_t room =
                std::min<std::uint64_t>(parts_[index_].iov_len - offset_, bytes);
            if (room > 0)
                std::memcpy(to, static_cast<const char*>(parts_[index_].iov_base) + offset_, room);
            to += room;
            bytes -= room;
            advance(room);
        }
    }

   private:
    void skipEmpty() {
        while (index_ < parts_.size() && parts_[index_].iov_len == offset_) {
            ++index_;
            offset_ = 0;
        }
    }

    std::span<const iovec> parts_;
    std::size_t index_ = 0;
    std::size_t offset_ = 0;
};

// Calls visit(one, other, bytes) for the pieces of two lists of equal length, cut where either list
// has a border, from `offset` on. Stops when it returns false, and says so.
template <typename Visit>
bool forEachPiece(std::span<const iovec> one, std::span<const iovec> other, std::uint64_t offset,
                  std::uint64_t bytes, Visit visit) {
    IoCursor first(one);
    IoCursor second(other);
    first.advance(offset);
    second.advance(offset);
    while (bytes > 0) {
        iovec a{};
        iovec b{};
        const std::uint64_t left = first.peek(bytes, {&a, 1}).bytes;
        const std::uint64_t right = second.peek(bytes, {&b, 1}).bytes;
        const std::uint64_t piece = std::min(left, right);
        if (piece == 0) return true;
        if (!visit(static_cast<std::byte*>(a.iov_base), static_cast<std::byte*>(b.iov_base), piece))
            return false;
        first.advance(piece);
        second.advance(piece);
        bytes -= piece;
    }
    return true;
}

inline std::uint64_t totalBytes(std::span<const iovec> parts) {
    std::uint64_t sum = 0;
    for (const iovec& part : parts) sum += part.iov_len;
    return sum;
}

}  // namespace onecopy
