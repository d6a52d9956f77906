#include "core/engine/engine.h"

#include <algorithm>

#include "core/channels/socket/socket_channel.h"
#include "core/job/defaults.h"

namespace onecopy {

Engine::Engine() : matcher_(1), allowance_(thresholds_.unexpected, 1) {
    ownSegment_ = std::make_unique<RankSegment>();
    self_ = ownSegment_.get();
    settings_.size = 1;
    settings_.cores = 1;
    settings_.eagerLimit = kSocketEagerLimit;
    settings_.pull = PullPolicy::probe;
    peers_.resize(1);
    doorbell_ = Doorbell(UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), *self_);
    openSleep();
}

Engine::Engine(std::unique_ptr<LauncherLink> link)
    : link_(std::move(link)),
      self_(&link_->self()),
      rank_(link_->rank()),
      size_(link_->size()),
      settings_(link_->job().header.settings),
      spin_(settings_.spinNanoseconds),
      matcher_(size_),
      allowance_(thresholds_.unexpected, size_),
      packet_(settings_.channel == ChannelKind::socket ? SocketChannel::kPacketBytes : 0) {
    // A packet or record holds no more; a larger limit only turns eager messages into rendezvous.
    settings_.eagerLimit = std::min<std::uint64_t>(
        settings_.eagerLimit, settings_.channel == ChannelKind::ring
                                  ? RingChannel::mostPayloadOf(settings_.ringBytes)
                                  : kMaxPayload);
    peers_.resize(static_cast<std::size_t>(size_));
    for (std::int32_t rank = 0; rank < size_; ++rank) {
        if (!isSelf(rank))
            peers_[static_cast<std::size_t>(rank)] = std::make_unique<Peer>(*this, rank);
    }
    doorbell_ = Doorbell(link_->takeDoorbell(), *self_);
    openSleep();
    reviewRanks();
}

Engine::~Engine() = default;

// ----------------------------------------------------------------------------------------------------------
// starting

void Engine::startSend(Request& request, std::int32_t dest, std::int32_t tag, std::uint32_t context,
                       MessageKind kind, Datatype type) {
    request.kind = Request::Kind::send;
    request.envelope = {request.capacity, rank_, tag, context, kind, type};
    request.peer = dest;
    ++outstanding_;
    count(self_->counters.sent);
    if (dest < 0 || dest >= size_)
        return complete(request, {.code = ErrorCode::rank, .peer = dest});
    if (Error refusal = refusalFor(dest)) return complete(request, refusal);
    if (isSelf(dest)) return startSelfSend(request);
    Peer& peer = peerOf(dest);
    if (peer.link == Peer::Link::none) ask(peer);
    if (peer.link == Peer::Link::connected && peer.outgoing.empty() && put(peer, request)) return;
    request.state = Request::State::outgoing;
    peer.outgoing.append(request);
}

void Engine::startSelfSend(Request& request) {
    Request* receive = matcher_.findPosted(request.envelope);
    if (receive != nullptr) Matcher::remove(*receive);
    if (receive != nullptr && receive->kind == Request::Kind::recv)
        return receiveLocal(*receive, request);
    const bool eager = settings_.eagerLimit > 0 && request.capacity <= settings_.eagerLimit &&
                       !request.synchronous;
    MatchedMessage message;
    if (eager) {
        if (receive == nullptr && !allowance_.allows(matcher_.keptBytes()))
            return complete(request, {.code = ErrorCode::noMem});
        message = UnexpectedMessage::eager(request.envelope);
        request.copyOut(0, message->payload().data(), request.capacity);
    } else {
        message = UnexpectedMessage::local(request.envelope, request);
        request.state = Request::State::selfQueued;
        selfSends_.append(request);
    }
    if (receive == nullptr) {
        matcher_.keep(std::move(message));
    } else {
        match(*receive, std::move(message));
    }
    if (eager) complete(request);
}

void Engine::startRecv(Request& request, const Selector& selector, MessageKind kind,
                       Datatype type) {
    request.kind = Request::Kind::recv;
    request.selector = selector;
    request.peer = selector.source;
    request.envelope.kind = kind;
    request.envelope.type = type;
    request.cursor = IoCursor(request.parts);
    ++outstanding_;
    if (selector.source != kAnySource && (selector.source < 0 || selector.source >= size_)) {
        return complete(request, {.code = ErrorCode::rank, .peer = selector.source});
    }
    // What has arrived is received even from a rank that is gone.
    while (UnexpectedMessage* message = find(selector)) {
        const MatchedMessage owned = matcher_.take(*message);
        if (deliver(request, *owned)) return;
    }
    if (Error refusal = recvRefusal(selector)) return complete(request, refusal);
    request.state = Request::State::posted;
    matcher_.post(request);
}

void Engine::startMatchedRecv(Request& request, MatchedMessage message, MessageKind kind,
                              Datatype type) {
    request.kind = Request::Kind::recv;
    request.selector = {message->envelope.source, message->envelope.tag, message->envelope.context};
    request.peer = message->envelope.source;
    request.envelope.kind = kind;
    request.envelope.type = type;
    request.cursor = IoCursor(request.parts);
    ++outstanding_;
    if (!deliver(request, *message)) complete(request, lostPeer(peerOf(request.peer)));
}

// False: the message was taken back by its sender, or its sender is gone; the receive is as it was.
bool Engine::deliver(Request& receive, UnexpectedMessage& message) {
    switch (message.form) {
        case UnexpectedMessage::Form::eager:
            receiveEager(receive, message.envelope, message.payload());
            return true;
        case UnexpectedMessage::Form::local:
            receiveLocal(receive, message.sender());
            return true;
        case UnexpectedMessage::Form::descriptor: {
            Peer& peer = peerOf(message.envelope.source);
            if (peer.settled) return false;
            if (!message.claimed && !claim(message)) return false;
            beginPull(peer, receive, message.envelope, message.descriptor());
            return true;
        }
    }
    return false;
}

// ------------------------------------------------------------------------------------------------------------
// ending

void Engine::complete(Request& request, const Error& error) {
    request.QueueTag::unlink();
    request.ServeTag::unlink();
    request.error = error;
    if (error && request.error.peer < 0) request.error.peer = request.peer;
    request.state = Request::State::complete;
    --outstanding_;
    if (request.ended != nullptr) ++*request.ended;
    if (request.kind == Request::Kind::recv && !request.part && !error)
        count(self_->counters.received);
    if (request.kind == Request::Kind::collective) --liveExecutions_;
    if (request.execution != nullptr) return request.execution->ended(request);
    if (request.watched) settled_.append(request);
}

bool Engine::cancel(Request& request) {
    switch (request.state) {
        case Request::State::outgoing:
        case Request::State::posted:
            break;
        case Request::State::published: {
            if (!peerOf(request.peer).outgoingTransfers->withdraw(request.transfer)) return false;
            count(self_->counters.withdrawn);
            break;
        }
        case Request::State::selfQueued: {
            if (request.claimed) return false;
            UnexpectedMessage* mine = nullptr;
            matcher_.forEachUnexpected(request.envelope.context, [&](UnexpectedMessage& message) {
                if (message.form == UnexpectedMessage::Form::local && &message.sender() == &request)
                    mine = &message;
            });
            if (mine != nullptr) matcher_.take(*mine);
            break;
        }
        default:
            return false;
    }
    request.cancelled = true;
    complete(request, {.code = ErrorCode::cancelled});
    return true;
}

void Engine::abandon(Request& request) {
    if (request.state == Request::State::idle || request.complete() || cancel(request)) return;
    waitFor([&] { return request.complete(); },
            {.operation = Operation::wait, .peer = request.peer});
}

bool Engine::leave(bool well, Nanoseconds deadline) {
    if (left_ || aborted_) return true;
    if (link_ != nullptr) {
        if (!leaving_) link_->say(ControlKind::leaving);
        leaving_ = true;
        // Nothing that this rank owes may be lost with it: its sends, and what it has promised to
        // pull.
        const auto owesNothing = [&] {
            if (ending_) return true;
            if (!pulls_.empty() || liveExecutions_ > 0) return false;
            for (const Peer* peer : connected_) {
                if (!peer->outgoing.empty() || !peer->published.empty() || !peer->staging.empty() ||
                    !peer->notices.empty())
                    return false;
            }
            for (const auto& peer : peers_) {
                if (peer && !peer->outgoing.empty()) return false;
            }
            return true;
        };
        if (deadline == kNever) {
            waitFor(owesNothing, {.operation = Operation::leave});
        } else if (waitFor(owesNothing, {.operation = Operation::leave}, deadline) !=
                   ErrorCode::ok) {
            return false;
        }
        if (well) link_->say(ControlKind::left);
    }
    left_ = true;
    return true;
}

std::vector<Owed> Engine::owed() const {
    std::vector<Owed> all;
    for (const auto& peer : peers_) {
        if (!peer) continue;
        std::uint64_t messages = 0;
        const auto add = [&](const List<Request, QueueTag>& list) {
            for (Request* each = list.first(); each != nullptr; each = list.after(*each))
                ++messages;
        };
        add(peer->outgoing);
        add(peer->published);
        if (messages > 0) all.push_back({peer->rank, messages});
    }
    return all;
}

void Engine::abort(int code, bool uncaught, const std::string& text) {
    if (link_ != nullptr && !left_ && !aborted_) link_->abort(code, uncaught, text);
    // Leaving would wait for what is owed to others.
    aborted_ = true;
}

// ----------------------------------------------------------------------------------------------------
// who can answer

Error Engine::lostPeer(const Peer& peer) const {
    const bool failed = peer.state == RankState::dead || (ending_ && culprit_ == peer.rank);
    // While a job ends, ranks leave because of that: the end is the reason, not their leaving.
    const ErrorCode gentler = ending_ ? ErrorCode::aborted : ErrorCode::procLeft;
    return {.code = failed ? ErrorCode::procFailed : gentler, .peer = peer.rank};
}

// Why nothing new can be started with this rank; ok if it can.
Error Engine::refusalFor(std::int32_t rank) const {
    if (aborted_) return {.code = ErrorCode::aborted};
    if (left_) return {.code = ErrorCode::finalized};
    const Peer* peer =
        rank >= 0 && !isSelf(rank) ? peers_[static_cast<std::size_t>(rank)].get() : nullptr;
    if (peer != nullptr && peer->gone()) return lostPeer(*peer);
    if (!ending_) return {};
    return {.code = rank >= 0 && rank == culprit_ ? ErrorCode::procFailed : ErrorCode::aborted,
            .peer = rank};
}

// Why a receive or probe that found nothing cannot be served any more; ok if it can. Asks the
// launcher about a rank that is gone and may have connected before it went.
Error Engine::recvRefusal(const Selector& selector) {
    if (aborted_) return {.code = ErrorCode::aborted};
    if (left_) return {.code = ErrorCode::finalized};
    if (ending_) return refusalFor(selector.source);
    if (selector.source == kAnySource) {
        if (!othersGone(selector.context)) return {};
        const std::int32_t dead = deadMember(selector.context);
        return dead >= 0 ? lostPeer(peerOf(dead)) : Error{.code = ErrorCode::procLeft};
    }
    if (isSelf(selector.source)) return {};
    Peer& peer = peerOf(selector.source);
    if (peer.settled) return lostPeer(peer);
    if (peer.gone() && peer.link == Peer::Link::none) ask(peer);
    return {};
}

// True once every other rank of the context is gone and all it sent was taken.
bool Engine::othersGone(std::uint32_t context) {
    if (size_ == 1) return false;
    bool all = true;
    const auto look = [&](Peer& peer) {
        if (peer.settled) return;
        all = false;
        if (peer.gone() && peer.link == Peer::Link::none) ask(peer);
    };
    if (const auto named = members_.find(context); named != members_.end()) {
        for (const std::int32_t rank : *named->second) {
            if (!isSelf(rank)) look(peerOf(rank));
        }
        return all && named->second->size() > 1;
    }
    for (const auto& peer : peers_) {
        if (peer) look(*peer);
    }
    return all;
}

// A rank of the context that has died; -1 if none has.
std::int32_t Engine::deadMember(std::uint32_t context) const {
    const auto named = members_.find(context);
    for (const auto& peer : peers_) {
        if (!peer || peer->state != RankState::dead) continue;
        if (named == members_.end() ||
            std::ranges::find(*named->second, peer->rank) != named->second->end())
            return peer->rank;
    }
    return -1;
}

void Engine::ask(Peer& peer) {
    peer.link = Peer::Link::asked;
    link_->askForPeer(peer.rank);
}

// Nobody but this very process, which is about to block, could complete it.
bool Engine::onlySelfCanComplete(const Request& request) const {
    if (request.state == Request::State::selfQueued) return true;
    return request.state == Request::State::posted &&
           (size_ == 1 || isSelf(request.selector.source));
}

}  // namespace onecopy
