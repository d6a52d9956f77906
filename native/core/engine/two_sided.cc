// Large messages that both sides copy at the same time (transfer/two_sided.h).
#include <algorithm>
#include <array>
#include <cerrno>

#include "core/engine/engine.h"

namespace onecopy {

// Only into a buffer in one piece whose owner waits in a blocking call; and with more ranks than
// cores the sender's core has something better to do.
bool Engine::mayOffer(const Peer& peer, const Request& receive) const {
    const std::uint64_t bytes = receive.envelope.bytes - receive.moved;
    if (!receive.waited || spin_ == 0 || thresholds_.twoSided == 0 || receive.pullErrno != 0 ||
        receive.part || receive.combiner != nullptr || receive.parts.size() != 1 ||
        bytes < thresholds_.twoSided)
        return false;
    iovec there{};
    return peer.heap.empty() || bytes >= thresholds_.heapTwoSided ||
           receive.remote.peek(bytes, {&there, 1}).bytes < bytes ||
           peer.heap.find(reinterpret_cast<std::uint64_t>(there.iov_base), bytes) == nullptr;
}

void Engine::offer(Peer& peer, Request& receive) {
    Offer& offer = receive.offer;
    offer.offset = receive.moved;
    offer.bytes = receive.envelope.bytes - receive.moved;
    offer.address = reinterpret_cast<std::uint64_t>(receive.parts[0].iov_base) + receive.moved;
    offer.slice = thresholds_.shareOf(offer.bytes);
    if (offer.slices() > Offer::kMostSlices)
        offer.slice = (offer.bytes / Offer::kMostSlices / 4096 + 1) * 4096;
    receive.offered = true;
    OfferedTransfer(*peer.inDirection, receive.transfer).open(offer);
}

// Pulls the next slice from the front. False: none is left, and the sender still writes.
bool Engine::pullOffered(Peer& peer, Request& receive) {
    const OfferedTransfer transfer(*peer.inDirection, receive.transfer);
    const Offer& offer = receive.offer;
    const std::optional<std::uint64_t> index = transfer.take(offer.slices());
    if (!index) return awaitPushes(peer, receive);
    const std::uint64_t bytes = offer.end(*index) - offer.begin(*index);
    if (const int errnum = copySlice(peer, receive, bytes); errnum != 0) {
        receive.pullErrno = errnum;
        transfer.close(offer.slices());
    }
    return true;
}

// The next bytes, from the peer's heap if they lie there. Says why it stopped early.
int Engine::copySlice(Peer& peer, Request& receive, std::uint64_t bytes) {
    iovec there{};
    if (!peer.heap.empty() && receive.remote.peek(bytes, {&there, 1}).bytes == bytes) {
        const std::byte* here =
            peer.heap.find(reinterpret_cast<std::uint64_t>(there.iov_base), bytes);
        if (here != nullptr) {
            receive.cursor.copyIn(here, bytes);
            receive.remote.advance(bytes);
            receive.moved += bytes;
            count(self_->counters.heapBytes, bytes);
            return 0;
        }
    }
    const CmaResult result = cmaRead(peer.pid, receive.cursor, receive.remote, bytes);
    receive.moved += result.bytes;
    count(self_->counters.cmaBytes, result.bytes);
    count(self_->counters.cmaCalls, result.calls);
    return result.errnum;
}

bool Engine::pushesArrived(const Request& receive) const {
    const OfferedTransfer transfer(*peerOf(receive.peer).inDirection, receive.transfer);
    const Pushed pushed = transfer.pushed();
    return pushed.failed || pushed.count == transfer.taken();
}

// Nothing is left to take. What the sender has taken must be there, or given up by it, before this
// rank may do anything else with the buffer; its death ends the receive elsewhere (failPeer).
bool Engine::awaitPushes(Peer& peer, Request& receive) {
    if (!pushesArrived(receive)) return false;
    const OfferedTransfer transfer(*peer.inDirection, receive.transfer);
    const std::uint64_t slices = receive.offer.slices();
    const std::uint64_t taken = transfer.taken();
    const std::uint64_t written = std::min<std::uint64_t>(transfer.pushed().count, taken);
    receive.offered = false;
    if (receive.pullErrno != 0) {
        // From the first byte that is missing on, everything comes another way.
        pullFailed(peer, receive, receive.pullErrno);
        return true;
    }
    // What the sender has taken and could not write.
    if (written < taken) {
        const std::uint64_t begin = receive.offer.begin(slices - taken);
        const std::uint64_t end = receive.offer.end(slices - written - 1);
        if (const int errnum = copySlice(peer, receive, end - begin); errnum != 0) {
            receive.pullErrno = errnum;
            pullFailed(peer, receive, errnum);
            return true;
        }
    }
    receive.moved = receive.envelope.bytes;
    endPull(peer, receive);
    return true;
}

// For a receive that ends early. False: the sender still writes what it has taken.
bool Engine::takeBackOffer(Peer& peer, Request& receive) {
    OfferedTransfer(*peer.inDirection, receive.transfer).close(receive.offer.slices());
    // Should the buffer be there again at the next look, its bytes are not.
    receive.pullErrno = EFAULT;
    if (!pushesArrived(receive)) return false;
    receive.offered = false;
    return true;
}

// From `offset` on in the message to an address in the peer.
CmaResult Engine::writeSlice(const Peer& peer, const Request& send, std::uint64_t offset,
                             std::uint64_t address, std::uint64_t bytes) {
    CmaResult all;
    std::array<iovec, 512> list;
    while (all.bytes < bytes && all.errnum == 0) {
        const IoCursor::Cut cut = send.cut(offset + all.bytes, bytes - all.bytes, list);
        const iovec there{reinterpret_cast<void*>(address + all.bytes), cut.bytes};
        IoCursor remote(std::span(&there, 1));
        IoCursor local(std::span<const iovec>(list.data(), cut.entries));
        const CmaResult result = cmaWrite(peer.pid, local, remote, cut.bytes);
        all.bytes += result.bytes;
        all.calls += result.calls;
        all.errnum = cut.bytes == 0 ? EFAULT : result.errnum;
    }
    return all;
}

// Writes one slice into a receiver's buffer, for a send whose owner waits. False: none was to be
// had.
bool Engine::push(Peer& peer) {
    if (!peer.mayPush || spin_ == 0 || thresholds_.twoSided == 0) return false;
    for (Request* send = peer.published.first(); send != nullptr;
         send = peer.published.after(*send)) {
        if (!send->waited || send->pushFailed || send->exposed) continue;
        if (send->envelope.bytes < thresholds_.twoSided) continue;
        const PushableTransfer transfer(*peer.outDirection, send->transfer);
        Offer offer;
        const std::optional<std::uint64_t> index = transfer.take(offer, send->envelope.bytes);
        if (!index) continue;
        const std::uint64_t begin = offer.begin(*index);
        const std::uint64_t bytes = offer.end(*index) - begin;
        const CmaResult result =
            writeSlice(peer, *send, offer.offset + begin, offer.address + begin, bytes);
        count(self_->counters.cmaBytes, result.bytes);
        count(self_->counters.pushedBytes, result.bytes);
        count(self_->counters.cmaCalls, result.calls);
        send->pushFailed = result.errnum != 0;
        if (!send->pushFailed) ++send->pushed;
        if (result.errnum == EPERM || result.errnum == EACCES || result.errnum == ENOSYS)
            peer.mayPush = false;
        transfer.report(send->pushed, send->pushFailed);
        if (peer.doorbell.ring()) count(self_->counters.rings);
        return true;
    }
    return false;
}

}  // namespace onecopy
