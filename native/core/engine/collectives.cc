// Collective operations: how executions of schedules use the engine, and how a failure of one ends
// it everywhere.
#include <algorithm>

#include "core/engine/engine.h"

namespace onecopy {

namespace {

// Tags are not negative: 31 bits of an operation's number.
constexpr std::uint32_t kTagMask = 0x7fffffff;

// Of a tag and the number given out next: what was given out half of all tags ago is long over.
bool isBefore(std::uint32_t tag, std::uint64_t next) {
    return ((static_cast<std::uint32_t>(next) - tag - 1) & kTagMask) < kTagMask / 2;
}

// The word of a collective area.
std::uint64_t areaWord(std::uint64_t sequence, MessageKind kind) {
    return sequence << 24 | static_cast<std::uint64_t>(kind) << 16;
}
std::uint64_t sequenceOf(std::uint64_t word) { return word >> 24; }
MessageKind kindOf(std::uint64_t word) { return static_cast<MessageKind>(word >> 16 & 0xff); }
std::uint32_t countOf(std::uint64_t word) { return static_cast<std::uint32_t>(word & 0xffff); }

Error differs(MessageKind theirs, MessageKind ours, std::int32_t peer) {
    return {.code = ErrorCode::collective,
            .peer = peer,
            .expected = static_cast<std::uint64_t>(theirs),
            .actual = static_cast<std::uint64_t>(ours)};
}

constexpr std::size_t kMostText = 1024;

}  // namespace

CollectiveContext& Engine::contextOf(std::uint32_t context) {
    std::unique_ptr<CollectiveContext>& found = contexts_[context];
    if (!found) {
        found = std::make_unique<CollectiveContext>();
        found->context = context;
    }
    return *found;
}

CollectiveContext& Engine::openContext(std::uint32_t context, std::vector<std::int32_t> members) {
    CollectiveContext& opened = contextOf(context);
    opened.members = std::move(members);
    return opened;
}

void Engine::startCollective(CollectiveContext& context, Execution& execution) {
    Request& handle = execution.handle;
    ++outstanding_;
    ++liveExecutions_;
    handle.envelope.context = context.context;
    if (Error refusal = refusalFor(kAnySource)) return complete(handle, refusal);
    execution.begin(*this, context, context.next++);
    context.live.append(execution);
    const std::uint32_t tag = execution.tag();
    if (const auto broken = context.broken.find(tag); broken != context.broken.end()) {
        // Another rank has failed in it before this one came.
        const Breakage why = broken->second;
        context.broken.erase(broken);
        execution.fail({.code = why.code, .peer = why.culprit}, why);
    }
    Error other;
    matcher_.forEachUnexpected(context.context, [&](const UnexpectedMessage& message) {
        const Envelope& envelope = message.envelope;
        if (static_cast<std::uint32_t>(envelope.tag) == tag &&
            envelope.kind != handle.envelope.kind)
            other = differs(envelope.kind, handle.envelope.kind, envelope.source);
    });
    if (other) execution.fail(other, {});
    makeReady(execution);
    runExecutions();
}

void Engine::makeReady(Execution& execution) {
    if (!execution.ReadyTag::linked()) ready_.append(execution);
}

bool Engine::runExecutions() {
    bool moved = false;
    while (Execution* execution = ready_.first()) {
        List<Execution, ReadyTag>::remove(*execution);
        moved |= execution->advance();
    }
    return moved;
}

void Engine::startPull(Request& part, Request& accepted, std::uint64_t offset,
                       std::uint64_t bytes) {
    part.kind = Request::Kind::recv;
    part.part = true;
    part.peer = accepted.peer;
    part.envelope = accepted.envelope;
    part.envelope.bytes = bytes;
    part.transfer = accepted.transfer;
    part.descriptor = {accepted.transfer, 0, 1};
    part.base = offset;
    part.moved = 0;
    part.cursor = IoCursor(part.parts);
    ++outstanding_;
    Peer& peer = peerOf(part.peer);
    if (part.capacity != bytes) {
        return complete(part,
                        {.code = ErrorCode::count, .expected = bytes, .actual = part.capacity});
    }
    if (bytes == 0) return complete(part);
    if (peer.settled) return complete(part, lostPeer(peer));
    if (!mayCopy(peer, accepted)) return stage(peer, part);
    // A refusal sends this part to staging.
    part.state = Request::State::pulling;
    if (accepted.descriptor.parts > 1 && !fetchParts(peer, accepted, part)) return;
    useLargeBuffer(part);
    part.remote = IoCursor(accepted.remoteParts);
    part.remote.advance(offset);
    pulls_.append(part);
}

void Engine::endExposure(Request& accepted, TransferState outcome) {
    Peer& peer = peerOf(accepted.peer);
    if (!peer.settled) finishTransfer(peer, accepted.transfer, outcome);
}

// ---------------------------------------------------------------------------------------------------
// the collective area

void Engine::enterArea(const Execution& execution) {
    self_->area.word.store(areaWord(execution.sequence(), execution.handle.envelope.kind),
                           std::memory_order_seq_cst);
}

void Engine::publish(const CollectiveContext& context) {
    Shared<std::uint64_t>& word = self_->area.word;
    // This rank alone writes it. Sequentially consistent, with the look at the doorbells that
    // follows, as the doorbell's protocol demands of an event.
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
    for (const std::int32_t rank : context.members) {
        if (isSelf(rank)) continue;
        const Peer& peer = peerOf(rank);
        if (peer.link == Peer::Link::connected && peer.doorbell.ring())
            count(self_->counters.rings);
    }
}

bool Engine::fillCell(std::span<const iovec> from) {
    const std::uint64_t bytes = totalBytes(from);
    if (bytes > sizeof self_->area.cell) return false;
    IoCursor(from).copyOut(self_->area.cell, bytes);
    self_->area.bytes.store(bytes, std::memory_order_relaxed);
    return true;
}

const CollectiveArea* Engine::areaOf(std::int32_t rank) const {
    const Peer& peer = peerOf(rank);
    return peer.link == Peer::Link::connected ? &peer.rankSegment.as<const RankSegment>()->area
                                              : nullptr;
}

bool Engine::seesPublished(std::int32_t rank, const Execution& execution,
                           std::uint32_t count) const {
    const CollectiveArea* area = areaOf(rank);
    if (area == nullptr) return false;
    const std::uint64_t word = area->word.load(std::memory_order_seq_cst);
    const std::uint64_t theirs = sequenceOf(word);
    return theirs > execution.sequence() ||
           (theirs == execution.sequence() && countOf(word) >= count);
}

// Why nothing more can come from a rank; false while it may.
bool Engine::isLost(std::int32_t rank, Error& lost) const {
    const Peer& peer = peerOf(rank);
    if (ending_ || aborted_ || peer.settled) lost = refusalFor(rank);
    if (!lost && peer.settled) lost = lostPeer(peer);
    return static_cast<bool>(lost);
}

bool Engine::hasPublished(std::int32_t rank, const Execution& execution, std::uint32_t count,
                          Error& lost) {
    Peer& peer = peerOf(rank);
    if (peer.link == Peer::Link::none) ask(peer);
    if (const CollectiveArea* area = areaOf(rank)) {
        const std::uint64_t word = area->word.load(std::memory_order_seq_cst);
        const std::uint64_t theirs = sequenceOf(word);
        const MessageKind ours = execution.handle.envelope.kind;
        if (theirs > execution.sequence()) {
            // In a later operation it has completed this one, or failed in it. If it failed, its
            // word about that was on the channel before it went on.
            peer.channel->markReadable();
            while (peer.channel->take(peer, 1024) > 0) peer.channel->markReadable();
            return true;
        }
        if (theirs == execution.sequence()) {
            if (kindOf(word) != ours) {
                lost = differs(kindOf(word), ours, rank);
                return false;
            }
            if (countOf(word) >= count) return true;
        }
    }
    isLost(rank, lost);
    return false;
}

// A message of an operation that this rank takes for another one: no receive will ever match it.
// True if it was one.
bool Engine::refuseOther(const Envelope& envelope, const Descriptor* descriptor) {
    if (!isCollective(envelope.kind)) return false;
    const auto found = contexts_.find(envelope.context);
    if (found == contexts_.end()) return false;
    CollectiveContext& context = *found->second;
    for (Execution* execution = context.live.first(); execution != nullptr;
         execution = context.live.after(*execution)) {
        if (execution->tag() != static_cast<std::uint32_t>(envelope.tag)) continue;
        const MessageKind ours = execution->handle.envelope.kind;
        if (ours == envelope.kind) return false;
        execution->fail(differs(envelope.kind, ours, envelope.source), {});
        return dropBroken(envelope, descriptor);
    }
    return false;
}

// A rank that waits for messages while the others wait for it in the area. Only now and then: it
// takes a mistake of the program.
void Engine::compareWithAreas() {
    const auto found = contexts_.find(kWorldCollectives);
    if (found == contexts_.end()) return;
    const CollectiveContext& context = *found->second;
    for (Execution* execution = context.live.first(); execution != nullptr;) {
        Execution* next = context.live.after(*execution);
        for (const Peer* peer : connected_) {
            const std::uint64_t word = areaOf(peer->rank)->word.load(std::memory_order_acquire);
            const MessageKind ours = execution->handle.envelope.kind;
            if (sequenceOf(word) == execution->sequence() && kindOf(word) != ours) {
                execution->fail(differs(kindOf(word), ours, peer->rank), {});
                break;
            }
        }
        execution = next;
    }
}

bool Engine::hasUntoldNotices(const CollectiveContext& context, std::uint32_t tag) const {
    for (const std::int32_t rank : context.members) {
        if (isSelf(rank)) continue;
        for (const Peer::Notice& notice : peers_[static_cast<std::size_t>(rank)]->notices) {
            if (notice.broken.context == context.context && notice.broken.sequence == tag)
                return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------------
// failures

bool Engine::isBroken(const Envelope& envelope) {
    if (!isCollective(envelope.kind)) return false;
    const auto context = contexts_.find(envelope.context);
    return context != contexts_.end() &&
           context->second->broken.contains(static_cast<std::uint32_t>(envelope.tag));
}

// A message of an operation that has failed: nobody will receive it. True if it was one.
bool Engine::dropBroken(const Envelope& envelope, const Descriptor* descriptor) {
    if (!isBroken(envelope)) return false;
    if (descriptor == nullptr) return true;
    Peer& peer = peerOf(envelope.source);
    if (peer.incomingTransfers->claim(descriptor->transfer))
        finishTransfer(peer, descriptor->transfer, TransferState::failed);
    return true;
}

void Engine::breakCollective(CollectiveContext& context, std::uint32_t tag, const Breakage& why) {
    context.broken[tag] = why;
    matcher_.forEachUnexpected(context.context, [&](UnexpectedMessage& message) {
        if (static_cast<std::uint32_t>(message.envelope.tag) != tag) return;
        const MatchedMessage taken = matcher_.take(message);
        const bool large = taken->form == UnexpectedMessage::Form::descriptor;
        dropBroken(taken->envelope, large ? &taken->descriptor() : nullptr);
    });
    // Each member tells all others, so that a rank that dies in the middle of telling is not
    // needed. While the job ends, everybody comes back anyway.
    if (ending_ || aborted_ || left_) return;
    for (const std::int32_t rank : context.members) {
        if (isSelf(rank)) continue;
        Peer& peer = peerOf(rank);
        if (peer.gone() || peer.settled) continue;
        peer.notices.push_back(
            {{context.context, tag, static_cast<std::uint32_t>(why.code), why.culprit},
             why.text.substr(0, kMostText)});
        if (peer.link == Peer::Link::none) ask(peer);
    }
}

// A collective operation by its handle. False: it has ended.
bool Engine::failExecution(const Request& handle, const Error& error) {
    const auto context = contexts_.find(handle.envelope.context);
    if (context == contexts_.end()) return false;
    auto& live = context->second->live;
    Execution* execution = live.first();
    while (execution != nullptr && &execution->handle != &handle)
        execution = live.after(*execution);
    if (execution == nullptr) return false;
    execution->fail(error, {});
    return true;
}

void Engine::onBroken(const BrokenNotice& notice, std::span<const std::byte> text) {
    if (closed_.contains(notice.context)) return;
    CollectiveContext& context = contextOf(notice.context);
    if (context.broken.contains(notice.sequence)) return;
    const bool known =
        notice.code > 0 && notice.code <= static_cast<std::uint32_t>(ErrorCode::freed);
    Breakage why{
        known ? static_cast<ErrorCode>(notice.code) : ErrorCode::protocol, notice.culprit,
        std::string(reinterpret_cast<const char*>(text.data()), std::min(text.size(), kMostText))};
    Execution* execution = context.live.first();
    while (execution != nullptr && execution->tag() != notice.sequence)
        execution = context.live.after(*execution);
    if (execution != nullptr) {
        execution->fail({.code = why.code, .peer = why.culprit}, why);
    } else if (!isBefore(notice.sequence, context.next)) {
        context.broken[notice.sequence] = std::move(why);
    }
}

}  // namespace onecopy
