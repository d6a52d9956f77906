// Looking for messages without receiving them, taking them out of the queues for one receive, and
// what happens when there is no memory to keep them.
#include <algorithm>

#include "core/engine/engine.h"

namespace onecopy {

// ---------------------------------------------------------------------------------------------------
// what is kept

// The first message for a receive or probe that has not been taken back by its sender.
UnexpectedMessage* Engine::find(const Selector& selector) {
    for (;;) {
        UnexpectedMessage* message = matcher_.findUnexpected(selector);
        if (message == nullptr || message->form != UnexpectedMessage::Form::descriptor)
            return message;
        Peer& peer = peerOf(message->envelope.source);
        if (peer.incomingTransfers->published(message->descriptor().transfer)) return message;
        matcher_.take(*message);
    }
}

// From here on the sender cannot take it back. False: it has.
bool Engine::claim(UnexpectedMessage& message) {
    switch (message.form) {
        case UnexpectedMessage::Form::eager:
            return true;
        case UnexpectedMessage::Form::local:
            message.sender().claimed = true;
            return true;
        case UnexpectedMessage::Form::descriptor: {
            Peer& peer = peerOf(message.envelope.source);
            message.claimed = peer.incomingTransfers->claim(message.descriptor().transfer);
            return message.claimed;
        }
    }
    return false;
}

// Takes what a receive would get now out of the queues; null if there is none.
MatchedMessage Engine::takeFirst(const Selector& selector) {
    while (UnexpectedMessage* first = find(selector)) {
        MatchedMessage message = matcher_.take(*first);
        // Between two looks its sender may have taken it back.
        if (claim(*message)) return message;
    }
    return nullptr;
}

// A probe, posted or not yet, gets a message that is claimed or need not be.
void Engine::match(Request& probe, MatchedMessage message) {
    if (message->form == UnexpectedMessage::Form::local) claim(*message);
    probe.envelope = message->envelope;
    probe.peer = message->envelope.source;
    probe.matched = std::move(message);
    complete(probe);
}

// ---------------------------------------------------------------------------------------------------
// probes

void Engine::startProbe(Request& request, const Selector& selector) {
    request.kind = Request::Kind::probe;
    request.selector = selector;
    request.peer = selector.source;
    ++outstanding_;
    if (MatchedMessage message = takeFirst(selector)) return match(request, std::move(message));
    if (Error refusal = recvRefusal(selector)) return complete(request, refusal);
    request.state = Request::State::posted;
    matcher_.post(request);
}

bool Engine::iprobe(const Selector& selector, Envelope& found, Error& error) {
    progress();
    if (const UnexpectedMessage* message = find(selector)) {
        found = message->envelope;
        return true;
    }
    error = refusalNow(selector);
    return false;
}

// Why there is no sense in asking again.
Error Engine::refusalNow(const Selector& selector) {
    return crowded_ ? Error{.code = ErrorCode::noMem, .peer = selector.source}
                    : recvRefusal(selector);
}

bool Engine::matchedIprobe(const Selector& selector, MatchedMessage& message, Error& error) {
    progress();
    message = takeFirst(selector);
    if (message == nullptr) error = refusalNow(selector);
    return message != nullptr;
}

// Blocks until a message is there or none can come.
Error Engine::probe(const Selector& selector, Envelope& found, Nanoseconds deadline) {
    Error error;
    const auto done = [&] {
        if (const UnexpectedMessage* message = find(selector)) {
            found = message->envelope;
            return true;
        }
        error = recvRefusal(selector);
        if (!error && (size_ == 1 || isSelf(selector.source))) error.code = ErrorCode::deadlock;
        return static_cast<bool>(error);
    };
    const ErrorCode waited = waitFor(done,
                                     {.operation = Operation::probe,
                                      .peer = selector.source,
                                      .tag = selector.tag,
                                      .context = selector.context},
                                     deadline);
    if (waited != ErrorCode::ok) return {.code = waited, .peer = selector.source};
    return error;
}

Error Engine::matchedProbe(const Selector& selector, MatchedMessage& message,
                           Nanoseconds deadline) {
    for (;;) {
        Envelope found;
        if (Error error = probe(selector, found, deadline)) return error;
        if ((message = takeFirst(selector)) != nullptr) return {};
    }
}

// ---------------------------------------------------------------------------------------------------
// no room

// Whether what comes from a peer can be taken: if it can be kept, or must be, since a transfer that
// has begun goes on through the channel.
bool Engine::mayTakeFrom(const Peer& peer) {
    if (leaving_ || allowance_.allows(matcher_.keptBytes())) return true;
    if (!peer.staging.empty()) return true;
    for (Request* send = peer.published.first(); send != nullptr;
         send = peer.published.after(*send)) {
        if (peer.outgoingTransfers->look(send->transfer) != TransferState::published) return true;
    }
    return false;
}

bool Engine::canBeTakenBack(const Request& request) const {
    switch (request.state) {
        case Request::State::outgoing:
        case Request::State::posted:
            return true;
        case Request::State::published:
            return peerOf(request.peer).outgoingTransfers->look(request.transfer) ==
                   TransferState::published;
        default:
            return false;
    }
}

bool Engine::isHopeless(const Request& request) {
    if (!crowded_) return false;
    // Of a collective operation the others are told; then it ends.
    if (request.kind == Request::Kind::collective) {
        failExecution(request, {.code = ErrorCode::noMem});
        return false;
    }
    return canBeTakenBack(request);
}

void Engine::refuseWatched() {
    const Error error{.code = ErrorCode::noMem};
    matcher_.forEachPosted([&](Request& receive) {
        if (receive.watched) complete(receive, error);
    });
    for (const auto& peer : peers_) {
        if (!peer) continue;
        for (const auto* list : {&peer->outgoing, &peer->published}) {
            for (Request* send = list->first(); send != nullptr;) {
                Request* next = list->after(*send);
                if (send->watched && cancel(*send))
                    send->error = {.code = ErrorCode::noMem, .peer = send->peer};
                send = next;
            }
        }
    }
    for (const auto& [id, context] : contexts_) {
        for (Execution* execution = context->live.first(); execution != nullptr;) {
            Execution* next = context->live.after(*execution);
            if (execution->handle.watched) execution->fail(error, {});
            execution = next;
        }
    }
}

}  // namespace onecopy
