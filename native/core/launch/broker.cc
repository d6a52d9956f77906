#include "core/launch/broker.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include "core/launch/random.h"
#include "core/os/memory.h"
#include "core/os/packet_socket.h"

namespace onecopy {

namespace {

constexpr std::uint64_t kContexts = std::uint64_t{1} << 32;

// Descriptors come free when other ranks take theirs, which takes microseconds to milliseconds.
constexpr Nanoseconds kRetryInterval = 10'000'000;

// The first words of PairSegment, which is too large to be filled as a whole.
struct PairSegmentStart {
    std::uint64_t magic = kPairMagic;
    std::uint32_t version = kProtocolVersion;
};
static_assert(offsetof(PairSegmentStart, magic) == offsetof(PairSegment, magic) &&
              offsetof(PairSegmentStart, version) == offsetof(PairSegment, version));

bool hasRoom(int socket) {
    pollfd entry{socket, POLLOUT, 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT) != 0;
}

}  // namespace

Broker::Broker(Roster& roster, Hooks hooks, std::uint64_t firstContext)
    : roster_(roster),
      hooks_(std::move(hooks)),
      lines_(roster.size()),
      connected_(roster.size() * (roster.size() - 1) / 2),
      nextContext_(firstContext) {}

void Broker::welcome(std::size_t rank) {
    Line& line = lines_[rank];
    if (line.dropped || isQueued(line, ControlKind::welcome)) return;
    ++line.welcomes;
    line.isJoining = true;
    // Ahead of the connections that others have asked for already. If there was an earlier welcome,
    // nobody has acknowledged it, nor will.
    line.awaitsAck = false;
    line.queue.push_front({.kind = ControlKind::welcome});
    flush(rank);
}

void Broker::reject(std::size_t rank, const std::string& why) {
    Line& line = lines_[rank];
    if (line.dropped || isQueued(line, ControlKind::rejected)) return;
    // At the front: whoever said hello waits for this packet and for nothing else.
    line.queue.push_front({.kind = ControlKind::rejected, .text = why.substr(0, kMaxControlText)});
    flush(rank);
}

void Broker::connect(std::size_t rank, std::size_t peer) {
    const bool gone = Roster::isGone(roster_.state(peer));
    if (!gone && !isConnected(rank, peer)) {
        connected_[keyOf(rank, peer)] = true;
        pairs_.try_emplace(keyOf(rank, peer));
        lines_[rank].queue.push_back(
            {.kind = ControlKind::peer, .peer = static_cast<std::uint32_t>(peer)});
        lines_[peer].queue.push_back(
            {.kind = ControlKind::peer, .peer = static_cast<std::uint32_t>(rank)});
        flush(rank);
        flush(peer);
    } else if (gone && lines_[rank].refusals.insert(static_cast<std::uint32_t>(peer)).second) {
        // Also where a pair was made: behind its Peer packet, this says that nothing more will
        // come.
        lines_[rank].queue.push_back(
            {.kind = ControlKind::refused, .peer = static_cast<std::uint32_t>(peer)});
        flush(rank);
    }
}

bool Broker::giveContexts(std::size_t rank, std::uint32_t count) {
    Line& line = lines_[rank];
    if (line.dropped) return true;
    if (isQueued(line, ControlKind::contexts)) return false;
    const bool enough = kContexts - nextContext_ >= count;
    line.queue.push_back({.kind = ControlKind::contexts,
                          .first = enough ? static_cast<std::uint32_t>(nextContext_) : 0,
                          .count = count});
    if (enough) nextContext_ += count;
    flush(rank);
    return true;
}

void Broker::acknowledge(std::size_t rank) {
    lines_[rank].awaitsAck = false;
    lines_[rank].isJoining = false;
    flush(rank);
}

void Broker::drop(std::size_t rank) {
    Line& line = lines_[rank];
    line.dropped = true;
    line.refusals.clear();
    for (const Packet& packet : std::exchange(line.queue, {})) {
        if (packet.kind == ControlKind::peer) settle(rank, packet.peer);
    }
}

void Broker::flush(std::size_t rank) {
    Line& line = lines_[rank];
    if (line.dropped) {
        drop(rank);
        return;
    }
    while (!line.queue.empty() && mayGo(line, line.queue.front())) {
        const Sent sent = send(rank, line.queue.front());
        if (sent == Sent::never) {
            drop(rank);
            return;
        }
        if (sent == Sent::later) {
            if (line.awaitsRoom || !bringForward(rank)) return;
            continue;
        }
        if (line.queue.front().kind == ControlKind::refused) {
            line.refusals.erase(line.queue.front().peer);
        }
        line.queue.pop_front();
        roster_.announceNews(rank);
    }
    if (std::exchange(line.awaitsRoom, false)) hooks_.watchRoom(rank, false);
}

void Broker::retry() {
    retryAt_ = kNever;
    for (std::size_t rank = 0; rank < lines_.size(); ++rank) {
        if (std::exchange(lines_[rank].awaitsRetry, false)) flush(rank);
    }
}

std::uint64_t Broker::keyOf(std::size_t a, std::size_t b) const {
    const std::uint64_t low = std::min(a, b);
    const std::uint64_t high = std::max(a, b);
    return high * (high - 1) / 2 + low;
}

bool Broker::isConnected(std::size_t a, std::size_t b) const { return connected_[keyOf(a, b)]; }

// False where the system has no descriptors or no memory left at the moment.
bool Broker::makePair(Pair& pair) {
    try {
        auto [low, high] = makePacketSocketPair();
        UniqueFd segment =
            makeMemory("onecopy-pair", pairBytes(roster_.header().settings.ringBytes));
        const PairSegmentStart start;
        if (::pwrite(segment.get(), &start, sizeof start, 0) !=
            static_cast<ssize_t>(sizeof start)) {
            throw std::system_error(errno, std::generic_category(), "pwrite");
        }
        sealSize(segment.get());
        pair.nonces[0] = randomNumber();
        pair.nonces[1] = randomNumber();
        pair.ends[0] = std::move(low);
        pair.ends[1] = std::move(high);
        pair.segment = std::move(segment);
        pair.made = true;
        return true;
    } catch (const std::system_error& error) {
        if (!std::exchange(shortageNoted_, true)) {
            hooks_.note(
                std::string(
                    "the launcher cannot make a connection at the moment and tries again (") +
                error.what() + "); a higher `ulimit -n` helps where descriptors are short");
        }
        return false;
    }
}

void Broker::settle(std::size_t rank, std::size_t peer) {
    const auto found = pairs_.find(keyOf(rank, peer));
    if (found == pairs_.end()) return;
    Pair& pair = found->second;
    const int side = rank < peer ? 0 : 1;
    pair.settled[side] = true;
    pair.ends[side].reset();
    if (pair.settled[1 - side]) pairs_.erase(found);
}

bool Broker::mayGo(const Line& line, const Packet& packet) {
    if (packet.kind == ControlKind::rejected) return true;
    return line.welcomes > 0 && !line.awaitsAck;
}

bool Broker::isQueued(const Line& line, ControlKind kind) {
    return std::ranges::find(line.queue, kind, &Packet::kind) != line.queue.end();
}

bool Broker::isMade(std::size_t rank, const Packet& packet) const {
    if (packet.kind != ControlKind::peer) return false;
    const auto pair = pairs_.find(keyOf(rank, packet.peer));
    return pair != pairs_.end() && pair->second.made;
}

// The first packet of the queue needs a pair that cannot be made now. One further back whose pair
// stands already can go out, and with it descriptors of the launcher: without this, ranks could
// wait for each other's. Packets about different peers need no order among them; of the same peer
// only a Refused may follow a Peer, and that stays behind.
bool Broker::bringForward(std::size_t rank) {
    std::deque<Packet>& queue = lines_[rank].queue;
    if (queue.front().kind != ControlKind::peer || isMade(rank, queue.front())) return false;
    const auto ready =
        std::ranges::find_if(queue, [&](const Packet& packet) { return isMade(rank, packet); });
    if (ready == queue.end()) return false;
    std::rotate(queue.begin(), ready, ready + 1);
    return true;
}

Broker::Sent Broker::send(std::size_t rank, const Packet& packet) {
    Line& line = lines_[rank];
    switch (packet.kind) {
        case ControlKind::welcome: {
            WelcomeMessage message;
            message.nonce = roster_.nonce();
            message.rank = static_cast<std::uint32_t>(rank);
            message.size = static_cast<std::uint32_t>(roster_.size());
            const int descriptors[kWelcomeDescriptors] = {
                roster_.jobSegment(), roster_.rankSegment(rank), roster_.doorbell(rank)};
            const Sent sent = put(rank, &message, sizeof message, descriptors, kWelcomeDescriptors);
            if (sent == Sent::yes) line.awaitsAck = true;
            return sent;
        }
        case ControlKind::rejected: {
            RejectedMessage message;
            message.textBytes = static_cast<std::uint32_t>(packet.text.size());
            std::memcpy(message.text, packet.text.data(), packet.text.size());
            return put(rank, &message, offsetof(RejectedMessage, text) + packet.text.size(),
                       nullptr, 0);
        }
        case ControlKind::peer: {
            const Sent sent = sendPeer(rank, packet.peer);
            if (sent == Sent::yes) line.awaitsAck = true;
            return sent;
        }
        case ControlKind::contexts: {
            ContextsMessage message;
            message.first = packet.first;
            message.count = packet.count;
            return put(rank, &message, sizeof message, nullptr, 0);
        }
        default: {
            RefusedMessage message;
            message.peer = packet.peer;
            message.state = roster_.state(packet.peer);
            return put(rank, &message, sizeof message, nullptr, 0);
        }
    }
}

Broker::Sent Broker::sendPeer(std::size_t rank, std::size_t peer) {
    Pair& pair = pairs_.at(keyOf(rank, peer));
    if (!pair.made && !makePair(pair)) {
        retryLater(rank);
        return Sent::later;
    }
    const int side = rank < peer ? 0 : 1;
    PeerMessage message;
    message.peer = static_cast<std::uint32_t>(peer);
    message.pid = roster_.pid(peer);
    message.mine = pair.nonces[side];
    message.theirs = pair.nonces[1 - side];
    const int descriptors[kPeerDescriptors] = {pair.ends[side].get(), pair.segment.get(),
                                               roster_.doorbell(peer), roster_.rankSegment(peer)};
    const Sent sent = put(rank, &message, sizeof message, descriptors, kPeerDescriptors);
    if (sent == Sent::yes) settle(rank, peer);
    return sent;
}

Broker::Sent Broker::put(std::size_t rank, const void* bytes, std::size_t length,
                         const int* descriptors, std::size_t count) {
    const int socket = roster_.control(rank);
    switch (sendPacket(socket, bytes, length, std::span(descriptors, count))) {
        case PacketResult::done:
            return Sent::yes;
        case PacketResult::wouldBlock:
            // A full socket has to be emptied by its rank. Otherwise too many descriptors are in
            // flight, of all jobs of this user, or memory is short: no event tells when that is
            // over.
            if (hasRoom(socket)) {
                retryLater(rank);
            } else if (!std::exchange(lines_[rank].awaitsRoom, true)) {
                hooks_.watchRoom(rank, true);
            }
            return Sent::later;
        case PacketResult::failed:
            if (errno == ENOMEM) {
                retryLater(rank);
                return Sent::later;
            }
            hooks_.note("rank " + std::to_string(rank) +
                        " cannot be told anything any more: " + std::strerror(errno));
            return Sent::never;
        default:
            return Sent::never;
    }
}

void Broker::retryLater(std::size_t rank) {
    lines_[rank].awaitsRetry = true;
    if (retryAt_ == kNever) retryAt_ = now() + kRetryInterval;
}

}  // namespace onecopy
