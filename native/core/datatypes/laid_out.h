// Items of a datatype in memory, as one stream of the bytes of their data.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/datatypes/layout.h"
#include "core/movers/io_cursor.h"

namespace onecopy {

class LaidOut {
   public:
    // From so many bytes in a run, on average, a list of runs is worth its way to the kernel. Each
    // entry costs about 300 ns where it names another process's memory: 8.5 GB/s with runs of 4 KiB
    // against 11 in one piece (2 cores, Xeon 2.5 GHz).
    static constexpr std::uint64_t kRemoteRun = 4096;
    // The same where it names this process's.
    static constexpr std::uint64_t kLocalRun = 512;

    LaidOut(std::shared_ptr<const Layout> layout, void* base, std::uint64_t count);
    LaidOut(const LaidOut&) = delete;
    LaidOut& operator=(const LaidOut&) = delete;

    std::uint64_t bytes() const { return whole_.bytes; }
    // Of the memory from `base` on that it covers.
    std::int64_t low() const { return whole_.bytes > 0 ? whole_.low() : 0; }
    std::int64_t high() const { return whole_.bytes > 0 ? whole_.high() : 0; }
    const std::byte* begin() const { return base_ + low(); }
    std::uint64_t span() const { return static_cast<std::uint64_t>(high() - low()); }
    const LayoutPiece& whole() const { return whole_; }

    bool isDense() const { return whole_.node == nullptr; }
    // Where the data begin, if they are dense.
    std::byte* data() const { return base_ + whole_.offset; }
    std::uint64_t meanRun() const { return isDense() ? bytes() : bytes() / whole_.runs(); }

    // Copies data from `offset` on, in the stream, out of the memory or into it.
    void copyOut(std::uint64_t offset, std::byte* to, std::uint64_t bytes) const;
    void copyIn(std::uint64_t offset, const std::byte* from, std::uint64_t bytes) const;
    // Where data from `offset` on lie, as far as `list` has entries.
    IoCursor::Cut cut(std::uint64_t offset, std::uint64_t bytes, std::span<iovec> list) const;

    // All of it as a list, which stays as long as this object.
    std::span<const iovec> list();

   private:
    std::shared_ptr<const Layout> layout_;
    std::byte* base_;
    LayoutNode items_;
    LayoutPiece whole_;
    std::vector<iovec> list_;
};

}  // namespace onecopy
