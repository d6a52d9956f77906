// What a rank has mapped of a peer's heap, for reading. Bytes that lie there are copied by plain
// loads and stores: no system call, no page looked up and pinned by the kernel.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/channels/channel.h"
#include "core/os/memory.h"

namespace onecopy {

class PeerHeap {
   public:
    bool empty() const { return segments_.empty(); }

    // Maps what the peer, process `pid`, told of. False, and nothing has changed, if it is not just
    // what was told, could be shortened, or cannot be had: what lies in it goes another way then.
    bool learn(pid_t pid, const HeapNotice& notice);
    // The peer has given it up.
    void forget(std::uint32_t id);
    void forgetAll() { segments_.clear(); }

    // Where the peer's bytes lie in this process, or null if not all of them are mapped. For the
    // moment: after the next packet of the peer it may be gone.
    const std::byte* find(std::uint64_t address, std::uint64_t bytes) const;

   private:
    struct Segment {
        std::uint32_t id;
        std::uint64_t address;  // in the peer
        Mapping mapping;
    };
    std::vector<Segment> segments_;  // by address
};

}  // namespace onecopy
