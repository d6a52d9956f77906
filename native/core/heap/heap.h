// Buffers born shared: memory of this rank that its peers map, for reading, and copy from without
// the kernel. Used by the rank's own thread only; movers/heap.h is the peers' side.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine/error.h"
#include "core/heap/block_list.h"
#include "core/heap/heap_segment.h"

namespace onecopy {

class Heap {
   public:
    Heap();
    ~Heap();
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;

    // Memory, zeroed unless all of it is going to be written, aligned to the largest power of two
    // that it holds, from 64 bytes to 2 MiB. Fails with `noMem`, or with `system` where it is
    // something else that has run out (descriptors).
    Error allocate(std::uint64_t bytes, void*& block, bool zeroed = true);
    // The owner may hand it out again at once: nobody uses it any more.
    void release(void* block);

    bool empty() const { return segments_.empty(); }
    // The segment that all these bytes lie in, or null.
    const HeapSegment* find(const void* address, std::uint64_t bytes) const;
    // Segments that are gone since the last call, by id. Whoever was told of one must hear of this
    // before anything else that lies at its addresses.
    std::vector<std::uint32_t> takeRetired();

    std::uint64_t hugePages() const { return hugePages_; }
    // Memory of all segments, free or not.
    std::uint64_t provided() const;

   private:
    struct Part {
        Part(std::uint32_t id, std::uint64_t bytes) : segment(id, bytes), blocks(bytes) {}
        HeapSegment segment;
        BlockList blocks;
    };

    using Segments = std::map<std::uint64_t, std::unique_ptr<Part>>;  // by address

    Part* partOf(const void* address) const;
    Error grow(std::uint64_t bytes);
    Error provide(Part& part, std::uint64_t place, std::uint64_t bytes, bool zeroed, void*& block);
    void retireEmpty();
    void retire(Segments::iterator which);

    Segments segments_;
    std::unordered_map<void*, std::uint64_t> blocks_;  // handed out, with their lengths
    std::vector<std::uint32_t> retired_;
    std::uint32_t nextId_ = 1;
    std::uint64_t hugePages_ = 0;
};

}  // namespace onecopy
