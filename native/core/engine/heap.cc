// Heaps: this rank's own, and those of its peers.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/engine/engine.h"

namespace onecopy {

namespace {

// How much is copied before the rank looks at everything else again: 20 to 40 us.
//
// Plain copies, which glibc does with `rep movsb` at this size. Stores past the cache were slower
// up to 2 MiB and as fast beyond (GB/s, one core copying from what the other had just written, and
// in brackets with reading what was copied: 64 KiB 13 (9.2) against 8.8 (2.5), 1 MiB 17 (10)
// against 10 (5.3), 16 MiB 15 (8.7) against 15 (7.1); Xeon 2.6 GHz, 2 MiB of second-level cache).
constexpr std::uint64_t kHeapSliceBytes = 512 * 1024;

}  // namespace

// ---------------------------------------------------------------------------------------------------
// this rank's own

Error Engine::allocate(std::uint64_t bytes, void*& block, bool zeroed) {
    const std::uint64_t before = heap_.hugePages();
    const Error error = heap_.allocate(bytes, block, zeroed);
    count(self_->counters.heapHugePages, heap_.hugePages() - before);
    tellRetired();
    return error;
}

void Engine::release(void* block) {
    heap_.release(block);
    tellRetired();
}

// The memory of a segment is free once all who have mapped it have heard that it is gone.
void Engine::tellRetired() {
    for (const std::uint32_t id : heap_.takeRetired()) {
        for (Peer* peer : connected_) {
            if (peer->heapTold.erase(id) > 0 && !peer->settled)
                peer->heapNotices.push_back({.id = id});
        }
    }
}

// Before a descriptor goes out: what it names in this rank's heap the peer is to know. False: not
// now.
bool Engine::tellHeap(Peer& peer, const Request& request) {
    if (!heap_.empty() && settings_.pull != PullPolicy::denied) {
        for (const iovec& part : request.parts) {
            const HeapSegment* segment = heap_.find(part.iov_base, part.iov_len);
            if (segment == nullptr || !peer.heapTold.insert(segment->id()).second) continue;
            peer.heapNotices.push_back({segment->id(), segment->fd(), segment->inode(),
                                        segment->address(), segment->bytes()});
        }
    }
    return sendHeapNotices(peer);
}

// In order, and before anything that lies at the same addresses.
bool Engine::sendHeapNotices(Peer& peer) {
    while (!peer.heapNotices.empty()) {
        const Put result = peer.channel->putHeap(peer.heapNotices.front());
        peer.channelFull = result == Put::full;
        if (result == Put::failed) giveUp(peer, std::strerror(errno));
        if (result != Put::done) return false;
        peer.heapNotices.pop_front();
    }
    return true;
}

// ---------------------------------------------------------------------------------------------------
// of peers

void Engine::learnHeap(Peer& peer, const HeapNotice& notice) {
    if (notice.bytes == 0) return peer.heap.forget(notice.id);
    if (settings_.pull != PullPolicy::denied) peer.heap.learn(peer.pid, notice);
}

// Of a peer that is gone, and that nothing is copied from any more.
void Engine::forgetHeap(Peer& peer) {
    peer.heap.forgetAll();
    peer.heapTold.clear();
    peer.heapNotices.clear();
}

// Whether this rank can reach a matched message's bytes itself.
bool Engine::mayCopy(const Peer& peer, const Request& matched) const {
    if (matched.descriptor.parts == 0) return false;
    return peer.mayPull ||
           (matched.descriptor.parts == 1 &&
            peer.heap.find(matched.descriptor.address, matched.envelope.bytes) != nullptr);
}

// A slice of what lies in the peer's heap. False: the next bytes do not, and are to be pulled.
bool Engine::pullFromHeap(Peer& peer, Request& receive) {
    std::uint64_t slice = std::min(kHeapSliceBytes, receive.envelope.bytes - receive.moved);
    const std::uint64_t before = receive.moved;
    while (slice > 0) {
        iovec there{};
        const std::uint64_t bytes = receive.remote.peek(slice, {&there, 1}).bytes;
        const std::byte* here =
            peer.heap.find(reinterpret_cast<std::uint64_t>(there.iov_base), bytes);
        // Pieces of a list may end in the middle of an element.
        if (receive.combiner != nullptr && bytes < slice) here = nullptr;
        if (here == nullptr || bytes == 0) {
            if (receive.moved > before) return true;
            if (peer.mayPull) return false;
            stage(peer, receive);
            return true;
        }
        if (receive.combiner == nullptr) {
            receive.store(receive.moved, here, bytes);
        } else if (!receive.combine(here, receive.moved, bytes)) {
            finishReceive(peer, receive, TransferState::done, {.code = ErrorCode::op});
            return true;
        }
        receive.remote.advance(bytes);
        receive.moved += bytes;
        slice -= bytes;
        count(self_->counters.heapBytes, bytes);
    }
    if (receive.moved == receive.envelope.bytes) endPull(peer, receive);
    return true;
}

// Everything is here. What was read of a process before the launcher marked it dead counts.
void Engine::endPull(Peer& peer, Request& receive) {
    if (sourceDied(peer)) return complete(receive, {.code = ErrorCode::procFailed});
    finishReceive(peer, receive, TransferState::done, {});
}

}  // namespace onecopy
