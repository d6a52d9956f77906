// Small messages over the ring, without a request: the way that most messages go.
#include <sched.h>

#include "core/channels/ring/ring_channel.h"
#include "core/engine/engine.h"
#include "core/os/cache.h"

namespace onecopy {

namespace {

// A rank that only ever goes the short way must still hear of others now and then: a passing look
// at them, once in so many calls.
constexpr unsigned kCallsPerLook = 64;

// Looks at one line before the long way, with its request and its clock, takes the wait over. Some
// 5 us: what answers at once answers within that.
constexpr unsigned kLooks = 256;
constexpr unsigned kLooksPerOther = 32;

// The same with more ranks than cores.
constexpr unsigned kYields = 8;

// A rank that is busy with what it keeps takes no more in passing: who sends faster than this rank
// receives is to wait, instead of filling its memory.
constexpr std::uint64_t kEnoughKept = 4096;

}  // namespace

RingChannel* Engine::shortWayTo(std::int32_t rank) const {
    if (rank < 0 || rank >= size_ || ending_ || left_ || aborted_) return nullptr;
    const Peer* peer = peers_[static_cast<std::size_t>(rank)].get();
    return peer == nullptr || peer->gone() || !peer->outgoing.empty() ? nullptr : peer->ring;
}

void Engine::prepareSend(std::int32_t dest) {
    const RingChannel* ring = shortWayTo(dest);
    if (ring != nullptr) ring->fetchRoom();
    if (++shortWays_ % kCallsPerLook == 0 && (outstanding_ > 0 || passingLookAt(ring))) progress();
}

void Engine::prepareRecv(std::int32_t source) {
    const RingChannel* ring = shortWayTo(source);
    if (ring == nullptr) return;
    ring->fetchNext();
    if (++shortWays_ % kCallsPerLook == 0 && passingLookAt(ring)) progress();
    // What has come belongs to the receives that were posted before this one. No more is taken out
    // than these can be: what they leave would have to be kept.
    if (outstanding_ > 0 && ring->nextFlag() != 0) takeFrom(peerOf(source), outstanding_);
}

bool Engine::sendAtOnce(const void* data, std::uint64_t bytes, std::int32_t dest, std::int32_t tag,
                        std::uint32_t context, MessageKind kind, Datatype type) {
    if (!goesEager(data, bytes)) return false;
    RingChannel* ring = shortWayTo(dest);
    if (ring == nullptr || !ring->send({bytes, rank_, tag, context, kind, type}, data))
        return false;
    count(self_->counters.sent);
    return true;
}

bool Engine::recvAtOnce(void* data, std::uint64_t capacity, const Selector& selector,
                        MessageKind kind, Datatype type, Envelope& came) {
    // Whatever is posted or kept may come first, and has to be moved on while this rank waits.
    if (outstanding_ > 0 || matcher_.kept() > 0) return false;
    RingChannel* ring = shortWayTo(selector.source);
    if (ring == nullptr) return false;
    std::uint32_t flag = ring->nextFlag();
    if (flag == 0 && (flag = spinOn(*ring)) == 0) return false;
    return takeEager(*ring, flag, data, capacity, selector, kind, type, came);
}

bool Engine::takeAtOnce(void* data, std::uint64_t capacity, const Selector& selector,
                        MessageKind kind, Datatype type, Envelope& came) {
    if (outstanding_ > 0 || matcher_.kept() > 0) return false;
    RingChannel* ring = shortWayTo(selector.source);
    if (ring == nullptr) return false;
    const std::uint32_t flag = ring->nextFlag();
    return flag != 0 && takeEager(*ring, flag, data, capacity, selector, kind, type, came);
}

// Takes the next record if it is a small message that this receive can take.
bool Engine::takeEager(RingChannel& ring, std::uint32_t flag, void* data, std::uint64_t capacity,
                       const Selector& selector, MessageKind kind, Datatype type, Envelope& came) {
    const RingRecord& record = ring.next();
    if (RingRecord::kindOf(flag) == RingRecord::Kind::descriptor)
        expect(record, peerOf(selector.source));
    const Datatype sent = RingRecord::typeOf(flag);
    const std::uint64_t bytes = record.payload;
    const std::int32_t tag = record.tag;
    if (RingRecord::kindOf(flag) != RingRecord::Kind::eager ||
        RingRecord::messageOf(flag) != kind || record.context != selector.context ||
        !selector.takesTag(tag) || tag < 0 || bytes > capacity ||
        RingRecord::linesOfEager(bytes) > RingChannel::mostLines(settings_.ringBytes / kLine) ||
        (sent != type && sent != Datatype::byte && type != Datatype::byte)) {
        return false;
    }
    RingChannel::copyBytes(data, RingRecord::payloadOf(record, bytes), bytes);
    ring.consumeEager(bytes);
    came = {bytes, selector.source, tag, selector.context, kind, sent};
    count(self_->counters.received);
    count(self_->counters.eagerBytes, bytes);
    return true;
}

// A large message goes the long way. The line that it will be claimed on is the sender's now, and
// is on its way while the receive is being made.
void Engine::expect(const RingRecord& record, const Peer& peer) {
    const std::uint32_t slot = record.large.slot;
    if (slot < kTransferSlots) prefetchForWriting(&peer.inDirection->slots[slot]);
}

// The flag of the next record, or 0 where something else wants attention, or nothing came.
std::uint32_t Engine::spinOn(const RingChannel& ring) const {
    if (spin_ == 0) return yieldOn(ring);
    // Where the core was wanted by somebody else the last time, the wait soon offers it again.
    const unsigned looks = patience_ > 0 ? kLooks : kLooksPerOther;
    for (unsigned look = 1; look <= looks; ++look) {
        pause();
        if (const std::uint32_t flag = ring.nextFlag(); flag != 0) return flag;
        if (look % kLooksPerOther == 0 && somethingElse(&ring)) return 0;
    }
    return 0;
}

// The same with more ranks than cores: the one that is waited for may need this core.
std::uint32_t Engine::yieldOn(const RingChannel& ring) const {
    for (unsigned turn = 0; turn < kYields; ++turn) {
        ::sched_yield();
        if (const std::uint32_t flag = ring.nextFlag(); flag != 0) return flag;
        if (somethingElse(&ring)) return 0;
    }
    return 0;
}

bool Engine::passingLookAt(const RingChannel* but) const {
    return matcher_.kept() < kEnoughKept && somethingElse(but);
}

// Anything but what comes out of this ring; null: no exception.
bool Engine::somethingElse(const RingChannel* but) const {
    if (link_ == nullptr) return false;
    if (link_->hasNews() ||
        link_->job().header.changes.load(std::memory_order_relaxed) != changesSeen_)
        return true;
    for (const Peer* peer : connected_) {
        if ((but == nullptr || peer->ring != but) && peer->channel->seemsReadable()) return true;
    }
    return false;
}

}  // namespace onecopy
