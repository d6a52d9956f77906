// Ranks that come, and ranks that go.
#include <algorithm>

#include "core/channels/socket/socket_channel.h"
#include "core/engine/engine.h"

namespace onecopy {

void Engine::onPeer(PeerParts parts) {
    if (parts.peer < 0 || parts.peer >= size_ || isSelf(parts.peer)) return;
    Peer& peer = peerOf(parts.peer);
    const bool fits = memoryBytes(parts.segment.get()) >= pairBytes(settings_.ringBytes) &&
                      memoryBytes(parts.rankSegment.get()) >= kRankSegmentBytes;
    if (peer.link == Peer::Link::connected || !fits) return;

    peer.segment =
        Mapping(parts.segment.get(), pairBytes(settings_.ringBytes), Mapping::Access::readWrite);
    peer.rankSegment = Mapping(parts.rankSegment.get(), kRankSegmentBytes, Mapping::Access::read);
    peer.doorbell =
        PeerDoorbell(std::move(parts.doorbell), *peer.rankSegment.as<const RankSegment>());
    auto& directions = peer.segment.as<PairSegment>()->directions;
    const std::size_t out = rank_ < peer.rank ? 0 : 1;
    peer.outDirection = &directions[out];
    peer.inDirection = &directions[1 - out];
    peer.outgoingTransfers.emplace(directions[out]);
    peer.incomingTransfers.emplace(directions[1 - out]);
    if (settings_.channel == ChannelKind::ring) {
        const auto ringOf = [&](std::size_t direction) -> RingEnds {
            std::byte* rings = peer.segment.as<std::byte>() + kPairSegmentBytes;
            return {{rings + direction * settings_.ringBytes, settings_.ringBytes},
                    &directions[direction].credits};
        };
        auto ring = std::make_unique<RingChannel>(peer.rank, ringOf(out), ringOf(1 - out),
                                                  peer.doorbell, self_->counters.rings);
        peer.ring = ring.get();
        peer.channel = std::move(ring);
    } else {
        peer.channel = std::make_unique<SocketChannel>(
            std::move(parts.socket), peer.rank, directions[out], directions[1 - out], packet_);
    }
    // The peer may have sent and even gone before we heard of it.
    peer.channel->markReadable();
    peer.pid = parts.pid;
    peer.theirNonce = parts.theirs;
    peer.cell = std::make_unique<NonceCell>(NonceCell{parts.mine, 0});
    peer.channel->greet({reinterpret_cast<std::uint64_t>(peer.cell.get())});
    peer.link = Peer::Link::connected;
    connected_.push_back(&peer);
    // It may sleep until this rank publishes something, and that may have happened before the two
    // knew each other.
    peer.doorbell.ring();
    watchChannel(peer);
    if (peer.gone()) settle(peer);
}

void Engine::onRefused(std::int32_t rank, RankState state) {
    if (rank < 0 || rank >= size_ || isSelf(rank)) return;
    Peer& peer = peerOf(rank);
    if (peer.link == Peer::Link::connected || peer.settled) return;
    peer.link = Peer::Link::refused;
    if (!peer.gone()) peer.state = state == RankState::dead ? RankState::dead : RankState::left;
    settle(peer);
}

void Engine::reviewRanks() {
    const JobSegment& job = link_->job();
    if (!ending_ && job.header.ending.load(std::memory_order_acquire) != 0) {
        ending_ = true;
        culprit_ = job.header.culprit.load(std::memory_order_relaxed);
    }
    for (const auto& peer : peers_) {
        if (!peer || peer->gone()) continue;
        peer->state =
            job.rank(static_cast<std::size_t>(peer->rank)).state.load(std::memory_order_acquire);
        if (!peer->gone()) continue;
        if (peer->link == Peer::Link::connected) {
            settle(*peer);
            continue;
        }
        // It may have connected to us before it went, and the launcher's packet about that may wait
        // behind another: the answer to our question comes after it. Only those ask who wait.
        bool awaited = false;
        matcher_.forEachPosted([&](Request& receive) {
            awaited |=
                receive.selector.source == kAnySource || receive.selector.source == peer->rank;
        });
        if (awaited && peer->link == Peer::Link::none) ask(*peer);
    }
    if (ending_) failAll();
}

// A rank that is gone: takes what it sent, then ends what still waits for it.
void Engine::settle(Peer& peer) {
    if (peer.settled) return;
    if (peer.link == Peer::Link::connected) {
        peer.channel->markReadable();
        while (peer.channel->take(peer, 1024) > 0) peer.channel->markReadable();
    }
    peer.settled = true;
    failPeer(peer);
    forgetHeap(peer);
}

void Engine::failPeer(Peer& peer) {
    const Error error = lostPeer(peer);
    const auto failList = [&](auto& list) {
        while (Request* request = list.first()) complete(*request, error);
    };
    failList(peer.outgoing);
    if (peer.link == Peer::Link::connected) lookAtPublished(peer);
    while (Request* request = peer.published.first()) {
        // Nobody will touch its buffer any more: the only one who could is gone. It may have
        // finished with its last step and not have counted it.
        const bool done = peer.outgoingTransfers->look(request->transfer) == TransferState::done;
        peer.outgoingTransfers->release(request->transfer);
        complete(*request, done ? Error{} : error);
    }
    failList(peer.staging);
    peer.stageRequests.clear();
    peer.notices.clear();
    for (Request* receive = pulls_.first(); receive != nullptr;) {
        Request* next = pulls_.after(*receive);
        if (receive->peer == peer.rank) complete(*receive, error);
        receive = next;
    }
    matcher_.forEachPosted([&](Request& receive) {
        if (receive.selector.source == peer.rank) complete(receive, error);
    });
    matcher_.forEachUnexpected([&](UnexpectedMessage& message) {
        if (message.envelope.source == peer.rank &&
            message.form == UnexpectedMessage::Form::descriptor) {
            matcher_.take(message);
        }
    });
    failWildcards();
}

// Receives from any source, once nobody is left who could send.
void Engine::failWildcards() {
    matcher_.forEachPosted([&](Request& receive) {
        if (receive.selector.source != kAnySource || !othersGone(receive.selector.context)) return;
        complete(receive, recvRefusal(receive.selector));
    });
}

// The job is ending: everything comes back, except what a peer may still be copying from.
void Engine::failAll() {
    const auto reason = [&](const Request& request) -> Error { return refusalFor(request.peer); };
    matcher_.forEachPosted([&](Request& receive) { complete(receive, reason(receive)); });
    for (Request* send = selfSends_.first(); send != nullptr;) {
        Request* next = selfSends_.after(*send);
        const Error error = reason(*send);
        // One that a matched probe has taken is still referred to by that message.
        if (cancel(*send)) send->error = error;
        send = next;
    }
    for (const auto& peer : peers_) {
        if (!peer) continue;
        while (Request* send = peer->outgoing.first()) complete(*send, reason(*send));
        for (Request* send = peer->published.first(); send != nullptr;) {
            Request* next = peer->published.after(*send);
            if (peer->outgoingTransfers->withdraw(send->transfer)) complete(*send, reason(*send));
            send = next;
        }
        peer->notices.clear();
    }
}

}  // namespace onecopy
