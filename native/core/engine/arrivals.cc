// What comes out of a peer's channel, and how a matched message is received.
#include <algorithm>
#include <cstring>

#include "core/engine/engine.h"

namespace onecopy {

void Peer::onGreeting(const Greeting& greeting) { engine_.greet(*this, greeting); }
void Peer::onEager(const Envelope& envelope, std::span<const std::byte> payload) {
    engine_.arrive(envelope, payload);
}
void Peer::onDescriptor(const Envelope& envelope, const Descriptor& descriptor) {
    engine_.arrive(*this, envelope, descriptor);
}
void Peer::onStageRequest(TransferName transfer, std::uint64_t offset, std::uint64_t bytes) {
    engine_.serve(*this, transfer, offset, bytes);
}
void Peer::onStaged(TransferName transfer, std::uint64_t offset, std::span<const std::byte> bytes) {
    engine_.acceptStaged(*this, transfer, offset, bytes);
}
void Peer::onBroken(const BrokenNotice& notice, std::span<const std::byte> text) {
    engine_.onBroken(notice, text);
}
void Peer::onHeap(const HeapNotice& notice) { engine_.learnHeap(*this, notice); }
void Peer::onGarbage() { engine_.breakOff(*this); }

void Engine::greet(Peer& peer, const Greeting& greeting) {
    if (settings_.pull == PullPolicy::denied) return;
    const CmaVerdict verdict = probeCma(peer.pid, greeting.cellAddress, peer.theirNonce);
    peer.mayPull = verdict.read;
    peer.mayPush = verdict.write;
}

void Engine::arrive(const Envelope& envelope, std::span<const std::byte> payload) {
    Request* receive = matcher_.findPosted(envelope);
    if (receive != nullptr && receive->kind == Request::Kind::recv) {
        Matcher::remove(*receive);
        return receiveEager(*receive, envelope, payload);
    }
    if (receive == nullptr && (dropBroken(envelope, nullptr) || refuseOther(envelope, nullptr) ||
                               refuseClosed(envelope, nullptr)))
        return;
    MatchedMessage message = UnexpectedMessage::eager(envelope);
    std::copy(payload.begin(), payload.end(), message->payload().begin());
    if (receive == nullptr) return keep(std::move(message));
    Matcher::remove(*receive);
    match(*receive, std::move(message));
}

void Engine::arrive(Peer& peer, const Envelope& envelope, const Descriptor& descriptor) {
    if (Request* receive = matcher_.findPosted(envelope)) {
        // Claimed before the receive is touched: if the sender has taken the message back, the
        // receive stays posted.
        if (!peer.incomingTransfers->claim(descriptor.transfer)) return;
        Matcher::remove(*receive);
        if (receive->kind == Request::Kind::recv)
            return beginPull(peer, *receive, envelope, descriptor);
        MatchedMessage message = UnexpectedMessage::of(envelope, descriptor);
        message->claimed = true;
        return match(*receive, std::move(message));
    }
    if (dropBroken(envelope, &descriptor) || refuseOther(envelope, &descriptor) ||
        refuseClosed(envelope, &descriptor))
        return;
    keep(UnexpectedMessage::of(envelope, descriptor));
}

void Engine::keep(MatchedMessage message) {
    count(self_->counters.unexpected);
    // No receive will come any more. A sender that waits learns so when this rank has left.
    if (leaving_ && !isCollective(message->envelope.kind)) return;
    matcher_.keep(std::move(message));
}

namespace {

// What an error says that was sent or asked for.
std::uint64_t typeOrObject(const Envelope& envelope) {
    return envelope.kind == MessageKind::object ? kObjectInErrors
                                                : static_cast<std::uint64_t>(envelope.type);
}

bool makeBuffer(Request& receive) {
    const std::uint64_t bytes = receive.envelope.bytes;
    void* memory = bytes > 0 ? receive.maker->make(bytes) : nullptr;
    receive.setBuffer(memory, memory != nullptr ? bytes : 0);
    receive.cursor = IoCursor(receive.parts);
    return receive.capacity == bytes;
}

}  // namespace

// Whether this receive can take this message; if not, it is complete with the reason. The message
// counts as received either way (MPI-4.1 section 3.2.6: its sender succeeds).
bool Engine::admit(Request& receive, const Envelope& envelope) {
    const Envelope wanted = receive.envelope;
    receive.envelope = envelope;
    receive.peer = envelope.source;
    const bool sameType = wanted.type == envelope.type || wanted.type == Datatype::byte ||
                          envelope.type == Datatype::byte || envelope.bytes == 0;
    Error error{.peer = envelope.source};
    if (wanted.kind != envelope.kind && isCollective(wanted.kind)) {
        error.code = ErrorCode::collective;
        error.expected = static_cast<std::uint64_t>(envelope.kind);
        error.actual = static_cast<std::uint64_t>(wanted.kind);
    } else if (wanted.kind != envelope.kind) {
        error.code = ErrorCode::type;
        error.expected = typeOrObject(envelope);
        error.actual = typeOrObject(wanted);
    } else if (!sameType) {
        error.code = ErrorCode::type;
        error.expected = static_cast<std::uint64_t>(envelope.type);
        error.actual = static_cast<std::uint64_t>(wanted.type);
    } else if (receive.maker != nullptr) {
        if (makeBuffer(receive)) return true;
        error.code = ErrorCode::noMem;
        error.expected = envelope.bytes;
    } else if (envelope.bytes > receive.capacity) {
        error.code = ErrorCode::truncate;
        error.expected = envelope.bytes;
        error.actual = receive.capacity;
    } else if (receive.exact && envelope.bytes < receive.capacity) {
        error.code = ErrorCode::count;
        error.expected = envelope.bytes;
        error.actual = receive.capacity;
    } else if (receive.owner != nullptr && !receive.owner->stillThere()) {
        error.code = ErrorCode::detached;
    } else {
        return true;
    }
    complete(receive, error);
    return false;
}

void Engine::receiveEager(Request& receive, const Envelope& envelope,
                          std::span<const std::byte> payload) {
    if (!admit(receive, envelope)) return;
    if (receive.accepting && !payload.empty()) {
        // An exposure was expected, and this is not one: the ranks do not execute the same steps.
        return complete(receive, {.code = ErrorCode::collective,
                                  .expected = static_cast<std::uint64_t>(envelope.kind),
                                  .actual = static_cast<std::uint64_t>(envelope.kind)});
    }
    if (receive.combiner != nullptr) {
        if (!receive.combine(payload.data(), 0, payload.size()))
            return complete(receive, {.code = ErrorCode::op});
    } else {
        receive.store(0, payload.data(), payload.size());
    }
    count(isSelf(envelope.source) ? self_->counters.localBytes : self_->counters.eagerBytes,
          payload.size());
    complete(receive);
}

// Between two buffers of this process.
void Engine::copyLocal(Request& receive, const Request& send) {
    const std::uint64_t bytes = send.envelope.bytes;
    if (!send.laidOut) {
        std::uint64_t offset = 0;
        for (const iovec& part : send.parts) {
            receive.store(offset, static_cast<const std::byte*>(part.iov_base), part.iov_len);
            offset += part.iov_len;
        }
        return;
    }
    scratch_.resize(kMaxPayload);
    for (std::uint64_t offset = 0; offset < bytes;) {
        const std::uint64_t piece = std::min<std::uint64_t>(kMaxPayload, bytes - offset);
        send.laidOut->copyOut(offset, scratch_.data(), piece);
        receive.store(offset, scratch_.data(), piece);
        offset += piece;
    }
}

void Engine::receiveLocal(Request& receive, Request& send) {
    const bool present = send.owner == nullptr || send.owner->stillThere();
    if (present && admit(receive, send.envelope)) {
        copyLocal(receive, send);
        count(self_->counters.localBytes, send.envelope.bytes);
        complete(receive);
    } else if (!present) {
        complete(receive, {.code = ErrorCode::transfer});
    }
    complete(send, present ? Error{} : Error{.code = ErrorCode::detached});
}

// The transfer is claimed.
void Engine::beginPull(Peer& peer, Request& receive, const Envelope& envelope,
                       const Descriptor& descriptor) {
    receive.transfer = descriptor.transfer;
    receive.descriptor = descriptor;
    receive.moved = 0;
    if (!admit(receive, envelope)) {
        const bool lost =
            receive.error.code == ErrorCode::detached || receive.error.code == ErrorCode::noMem;
        return finishTransfer(peer, receive.transfer,
                              lost ? TransferState::failed : TransferState::done);
    }
    receive.remoteParts.clear();
    receive.remoteParts.push_back({reinterpret_cast<void*>(descriptor.address), envelope.bytes});
    receive.remote = IoCursor(receive.remoteParts);
    if (receive.accepting) return complete(receive);
    if (envelope.bytes == 0) {
        finishTransfer(peer, receive.transfer, TransferState::done);
        return complete(receive);
    }
    if (!mayCopy(peer, receive)) return stage(peer, receive);
    useLargeBuffer(receive);
    receive.state = Request::State::pulling;
    pulls_.append(receive);
}

void Engine::finishTransfer(Peer& peer, TransferName transfer, TransferState outcome) {
    peer.incomingTransfers->finish(transfer, outcome);
    if (peer.doorbell.ring()) count(self_->counters.rings);
}

// The bytes from receive.moved on come through the channel instead.
void Engine::stage(Peer& peer, Request& receive) {
    receive.QueueTag::unlink();
    receive.state = Request::State::staging;
    peer.staging.append(receive);
    peer.stageRequests.push_back(
        {receive.transfer, receive.base + receive.moved, receive.envelope.bytes - receive.moved});
}

void Engine::acceptStaged(Peer& peer, TransferName transfer, std::uint64_t offset,
                          std::span<const std::byte> bytes) {
    Request* receive = peer.staging.first();
    while (receive != nullptr && (receive->transfer.slot != transfer.slot ||
                                  receive->transfer.generation != transfer.generation)) {
        receive = peer.staging.after(*receive);
    }
    // Pieces for a receive that has failed meanwhile are still on the way.
    if (receive == nullptr) return;
    if (offset != receive->base + receive->moved ||
        bytes.size() > receive->envelope.bytes - receive->moved)
        return breakOff(peer);
    if (receive->owner != nullptr && !receive->owner->stillThere()) {
        return finishReceive(peer, *receive, TransferState::failed, {.code = ErrorCode::detached});
    }
    if (receive->combiner == nullptr) {
        receive->store(receive->moved, bytes.data(), bytes.size());
    } else if (!receive->combine(bytes.data(), receive->moved, bytes.size())) {
        return finishReceive(peer, *receive, TransferState::done, {.code = ErrorCode::op});
    }
    receive->moved += bytes.size();
    count(self_->counters.stagedBytes, bytes.size());
    if (receive->moved < receive->envelope.bytes) return;
    finishReceive(peer, *receive, TransferState::done, {});
}

// A part ends without ending the exposure that it is a part of.
void Engine::finishReceive(Peer& peer, Request& receive, TransferState outcome,
                           const Error& error) {
    if (!receive.part) finishTransfer(peer, receive.transfer, outcome);
    complete(receive, error);
}

// The peer cannot pull this message: it is to be sent in pieces.
void Engine::serve(Peer& peer, TransferName transfer, std::uint64_t offset, std::uint64_t bytes) {
    Request* send = peer.published.first();
    while (send != nullptr && (send->transfer.slot != transfer.slot ||
                               send->transfer.generation != transfer.generation)) {
        send = peer.published.after(*send);
    }
    if (send == nullptr || offset > send->envelope.bytes || bytes > send->envelope.bytes - offset ||
        peer.outgoingTransfers->look(transfer) != TransferState::claimed) {
        return breakOff(peer);
    }
    if (bytes == 0) return;
    send->toServe.push_back({offset, bytes});
    if (!send->ServeTag::linked()) peer.serving.append(*send);
}

// The peer sent what no version of ours sends: memory of one of the two is damaged.
void Engine::breakOff(Peer& peer) {
    abort(1, false,
          "rank " + std::to_string(rank_) + " received a packet from rank " +
              std::to_string(peer.rank) + " that makes no sense");
}

}  // namespace onecopy
