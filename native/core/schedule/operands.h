// The memory that a schedule works on: where its blocks lie, once counts and addresses are bound.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/request.h"
#include "core/schedule/schedule.h"

namespace onecopy {

// One of the caller's two buffers. Without memory (data null, bytes 0) where this rank has none.
struct Operand {
    std::byte* data = nullptr;
    std::uint64_t bytes = 0;
    std::uint64_t count =
        0;  // elements of an even block; of all blocks together when they are split
    std::uint64_t elementBytes = 1;
    Datatype type = Datatype::byte;
    BufferOwner* owner = nullptr;
    std::vector<ByteRange> listed;  // places and lengths of listed blocks
};

class Operands {
   public:
    Operands(const Schedule& schedule, Operand in, Operand out);

    // False: a block would lie outside of the caller's buffer.
    bool fit() const;
    // Memory for scratch buffers whose lengths are known. Later for one whose lengths are not, see
    // ready().
    void allocate();
    // To be called before a step works on this buffer: lengths that earlier steps have brought are
    // read. False: they make no sense.
    bool ready(std::uint32_t buffer);

    std::uint64_t bytes(const Region& region) const;
    // Where a region of at most one range begins.
    std::byte* address(const Region& region) const;
    // The region's pieces, neighbours joined, appended to the list.
    void pieces(const Region& region, std::vector<iovec>& list) const;
    // Where in the bytes of `whole` those of `part` begin, which is the beginning of one of its
    // blocks.
    std::uint64_t position(const Region& whole, const Region& part) const;
    // Length of each block, in bytes.
    void measure(const Region& region, std::vector<std::uint64_t>& lengths) const;

    Datatype type(std::uint32_t buffer) const;
    BufferOwner* owner(std::uint32_t buffer) const {
        return buffer <= kOut ? operands_[buffer].owner : nullptr;
    }
    std::uint64_t largest() const { return std::max(operands_[0].bytes, operands_[1].bytes); }

   private:
    struct Scratch {
        std::byte* data = nullptr;
        std::uint64_t bytes = 0;
        std::unique_ptr<std::byte[]> own;   // counted: of its own, since its length comes later
        std::vector<std::uint64_t> begins;  // counted: of each block, and the end
        bool ready = false;
    };

    std::byte* data(std::uint32_t buffer) const;
    std::uint64_t elements(std::uint32_t buffer) const;
    std::uint64_t elementBytes(std::uint32_t buffer) const;
    // Where a block begins in its buffer; block `blocks` is the end. Not for listed layouts.
    std::uint64_t begin(std::uint32_t buffer, std::uint32_t block) const;
    ByteRange extent(std::uint32_t buffer, std::uint32_t block) const;

    const Schedule& schedule_;
    Operand operands_[2];
    std::vector<Scratch> scratch_;  // from buffer 2 on
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace onecopy
