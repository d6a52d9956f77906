// A piece of a rank's heap: a memfd that its owner has mapped for writing, and that everybody else
// can only map for reading.
//
// It is sealed at once, after the owner has mapped it: never shorter, never longer, no new writer,
// no more seals. A shortened one would kill every process that reads it (SIGBUS). The seal against
// new writers also forbids to punch holes (EPERM, mm/shmem.c), so memory that was given to a
// segment stays with it until owner and readers have unmapped the whole of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/engine/error.h"
#include "core/os/fd.h"
#include "core/os/memory.h"

namespace onecopy {

inline constexpr std::uint64_t kHugePage = 2u << 20;

class HeapSegment {
   public:
    // `bytes` is a multiple of kHugePage, and costs addresses only. Throws std::system_error.
    HeapSegment(std::uint32_t id, std::uint64_t bytes);

    std::uint32_t id() const { return id_; }
    int fd() const { return fd_.get(); }
    std::uint64_t inode() const { return inode_; }
    std::uint64_t bytes() const { return mapping_.bytes(); }
    std::byte* data() const { return mapping_.as<std::byte>(); }
    std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(data()); }

    // Gives a part its memory, zeroed if that is asked for, so that no later access can fail for
    // want of it. Large parts get huge pages where the kernel makes them.
    Error provide(std::uint64_t offset, std::uint64_t bytes, bool zeroed = true);

    std::uint64_t hugePages() const { return hugePages_; }
    // Memory that it has, free or not.
    std::uint64_t provided() const { return providedPages_ * kPage; }

   private:
    static constexpr std::uint64_t kPage = 4096;

    void makeHuge(std::uint64_t offset, std::uint64_t bytes);
    int allocate(std::uint64_t offset, std::uint64_t bytes);
    void mark(std::uint64_t firstPage, std::uint64_t pages);

    std::uint32_t id_;
    UniqueFd fd_;
    std::uint64_t inode_ = 0;
    Mapping mapping_;
    std::vector<bool> has_;  // by page: it has memory, and may have been used
    std::uint64_t providedPages_ = 0;
    std::uint64_t hugePages_ = 0;
    bool refusesHuge_ = false;
};

}  // namespace onecopy
