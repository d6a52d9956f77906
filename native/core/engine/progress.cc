// Moving everything outstanding one step on.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "core/channels/socket/socket_channel.h"
#include "core/engine/engine.h"

namespace onecopy {

namespace {

// Items taken from one channel before the next channel's turn.
constexpr std::size_t kItemsPerTurn = 64;

// Bytes that a round pulls of all messages together, after which it looks at everything else: with
// a hundred messages a slice of each would take 10 ms and more.
constexpr std::uint64_t kPulledPerRound = 4ull << 20;

// Staged pieces sent to one peer per turn.
constexpr int kPiecesPerTurn = 4;

// More pieces than this are gathered by a copy instead of a long list for the kernel.
constexpr std::size_t kMostParts = 64;

// What is combined is pulled in pieces that stay in the cache until they have been combined. A
// prototype summed 16 MiB of doubles at 3.65 GB/s so, and at 2.3 GB/s when all was pulled first (2
// cores, Xeon 2.5 GHz, 36 MB of last-level cache); where that cache holds everything it makes no
// difference.
constexpr std::uint64_t kFuseBytes = 256 * 1024;

// How much longer the memory of a scattered message may be than its data, to be put on huge pages.
constexpr std::uint64_t kMostGaps = 4;

// A sender's list of buffers that is longer than this is not believed.
constexpr std::uint64_t kMostRemoteParts = 1u << 24;

}  // namespace

bool Engine::progress() {
    try {
        return advance();
    } catch (const std::exception& error) {
        cannotGoOn(error);
        return false;
    }
}

void Engine::takeFrom(Peer& peer, std::size_t most) {
    try {
        if (mayTakeFrom(peer)) peer.channel->take(peer, most);
    } catch (const std::exception& error) {
        cannotGoOn(error);
    }
}

// Memory or mappings have run out in the middle of something that a peer may wait for, and that
// cannot be taken back: the job ends, and says why. What waits here comes back once the launcher
// has said so.
void Engine::cannotGoOn(const std::exception& error) {
    std::string why = error.what();
    if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
        const Kept most = kept();
        why = "there is no memory left. It keeps " + std::to_string(most.messages) + " messages (" +
              std::to_string(most.bytes) + " bytes) that no receive has asked for, " +
              std::to_string(most.likeIt) + " of them from rank " + std::to_string(most.source) +
              " with tag " + std::to_string(most.tag);
    }
    abort(1, false, "rank " + std::to_string(rank_) + " cannot go on: " + why);
}

// The peer waits for something that this rank cannot send.
void Engine::giveUp(const Peer& peer, const std::string& why) {
    abort(1, false,
          "rank " + std::to_string(rank_) + " cannot send to rank " + std::to_string(peer.rank) +
              ": " + why);
}

bool Engine::advance() {
    crowded_ = false;
    bool moved = lookAtLauncher();
    // By index: onPeer may add to the list, though not from within this loop.
    for (std::size_t i = 0; i < connected_.size(); ++i) {
        firstPeer_ = firstPeer_ + 1 < connected_.size() ? firstPeer_ + 1 : 0;
        moved |= progressPeer(*connected_[firstPeer_]);
    }
    if (connected_.size() > 1) firstPeer_ = firstPeer_ + 1 < connected_.size() ? firstPeer_ + 1 : 0;
    if (!pulls_.empty()) moved |= movePulls();
    for (Execution* execution = awaiting_.first(); execution != nullptr;) {
        Execution* next = awaiting_.after(*execution);
        execution->look();
        execution = next;
    }
    if (!ready_.empty()) moved |= runExecutions();
    return moved;
}

bool Engine::lookAtLauncher() {
    if (link_ == nullptr) return false;
    bool moved = (launcherReadable_ || link_->hasNews()) && link_->poll(*this);
    launcherReadable_ = false;
    const std::uint32_t changes = link_->job().header.changes.load(std::memory_order_seq_cst);
    if (changes != changesSeen_) {
        changesSeen_ = changes;
        reviewRanks();
        moved = true;
    }
    return moved;
}

bool Engine::progressPeer(Peer& peer) {
    bool moved = false;
    if (peer.channel->seemsReadable()) {
        if (mayTakeFrom(peer))
            moved |= peer.channel->take(peer, kItemsPerTurn) > 0;
        else
            crowded_ = true;
    }
    moved |= lookAtPublished(peer);
    if (!peer.published.empty()) moved |= push(peer);
    if (peer.hasWork()) moved |= flush(peer);
    return moved;
}

// ---------------------------------------------------------------------------------------------------
// towards a peer

bool Engine::flush(Peer& peer) {
    peer.channelFull = false;
    if (!sendHeapNotices(peer)) return false;
    bool moved = sendOutgoing(peer);
    while (!peer.stageRequests.empty() && !peer.channelFull) {
        const Peer::StageRequest& request = peer.stageRequests.front();
        const Put result =
            peer.channel->putStageRequest(request.transfer, request.offset, request.bytes);
        peer.channelFull = result == Put::full;
        if (result == Put::failed) giveUp(peer, std::strerror(errno));
        if (result != Put::done) break;
        peer.stageRequests.pop_front();
        moved = true;
    }
    while (!peer.notices.empty() && !peer.channelFull) {
        const Peer::Notice& notice = peer.notices.front();
        const iovec text{const_cast<char*>(notice.text.data()), notice.text.size()};
        const Put result = peer.channel->putBroken(notice.broken, {&text, 1});
        peer.channelFull = result == Put::full;
        if (result == Put::failed) giveUp(peer, std::strerror(errno));
        if (result != Put::done) break;
        peer.notices.pop_front();
        moved = true;
    }
    if (!peer.channelFull) moved |= serveStaged(peer);
    return moved;
}

bool Engine::sendOutgoing(Peer& peer) {
    bool moved = false;
    while (Request* request = peer.outgoing.first()) {
        if (!put(peer, *request)) return moved;
        moved = true;
    }
    return moved;
}

// Before anybody copies from or to it.
void Engine::useLargeBuffer(const Request& request) {
    if (!request.laidOut) {
        for (const iovec& part : request.parts) {
            const std::size_t made = hugePages_.used(part.iov_base, part.iov_len);
            if (made > 0) count(self_->counters.hugePages, made);
        }
        return;
    }
    const LaidOut& items = *request.laidOut;
    // Where most of the memory is gaps, so would be most of what the pages are made of.
    if (items.span() / kMostGaps > request.capacity) return;
    const std::size_t made = hugePages_.used(items.begin(), items.span());
    if (made > 0) count(self_->counters.hugePages, made);
}

// Whether a payload travels with its envelope; `data` is null where it is in several pieces.
bool Engine::goesEager(const void* data, std::uint64_t bytes) const {
    if (settings_.eagerLimit == 0 || bytes > settings_.eagerLimit) return false;
    return bytes <= thresholds_.heapEager || data == nullptr || !isInHeap(data, bytes);
}

// Puts a message on the channel. False: not now.
bool Engine::put(Peer& peer, Request& request) {
    const std::uint64_t bytes = request.envelope.bytes;
    if (request.owner != nullptr && !request.owner->stillThere()) {
        complete(request, {.code = ErrorCode::detached});
        return true;
    }
    const bool eager =
        !request.exposed && !request.synchronous &&
        goesEager(request.parts.size() == 1 ? request.parts[0].iov_base : nullptr, bytes);
    Put result;
    if (eager) {
        std::array<iovec, kMostParts> list;
        result = peer.channel->putEager(request.envelope, piece(request, bytes, list));
    } else {
        if (request.laidOut && request.laidOut->meanRun() >= LaidOut::kRemoteRun)
            request.parts = request.laidOut->list();
        if (!tellHeap(peer, request)) return false;
        const std::optional<TransferName> transfer = peer.outgoingTransfers->publish();
        if (!transfer) return false;
        useLargeBuffer(request);
        request.transfer = *transfer;
        const bool single = request.parts.size() == 1;
        const void* where =
            single ? request.parts[0].iov_base : static_cast<const void*>(request.parts.data());
        const bool listed = !request.parts.empty() || bytes == 0;
        const Descriptor descriptor{*transfer, reinterpret_cast<std::uint64_t>(where),
                                    listed ? std::max<std::uint64_t>(request.parts.size(), 1) : 0};
        result = peer.channel->putDescriptor(request.envelope, descriptor);
        // Nobody has seen it yet, so this cannot fail.
        if (result != Put::done) peer.outgoingTransfers->withdraw(*transfer);
    }
    switch (result) {
        case Put::done:
            if (eager) {
                complete(request);
            } else {
                request.QueueTag::unlink();
                request.state = Request::State::published;
                peer.published.append(request);
            }
            return true;
        case Put::full:
            peer.channelFull = true;
            return false;
        case Put::closed:
            // The launcher will say whether the peer left or died, and the request ends then.
            return false;
        case Put::failed:
            complete(request,
                     {.code = ErrorCode::system, .syscall = Syscall::sendmsg, .errnum = errno});
            return true;
    }
    return false;
}

// The first bytes of a message as a short list: where they lie, or gathered.
std::span<const iovec> Engine::piece(const Request& send, std::uint64_t bytes,
                                     std::span<iovec> list) {
    if (!send.laidOut || send.laidOut->meanRun() >= LaidOut::kLocalRun) {
        const IoCursor::Cut found = send.cut(0, bytes, list);
        if (found.bytes == bytes) return list.first(found.entries);
    }
    scratch_.resize(std::max<std::size_t>(kMaxPayload, bytes));
    send.copyOut(0, scratch_.data(), bytes);
    list[0] = {scratch_.data(), bytes};
    return list.first(1);
}

// The same for a piece that is staged.
std::span<const iovec> Engine::stagedPiece(const Peer& peer, const Request& send,
                                           std::uint64_t offset, std::uint64_t bytes,
                                           std::span<iovec> list) {
    if (!send.laidOut || send.laidOut->meanRun() >= LaidOut::kLocalRun) {
        const IoCursor::Cut found = send.cut(offset, bytes, list);
        if (found.bytes == bytes) return list.first(found.entries);
    }
    const bool known = gathered_.peer == peer.rank &&
                       gathered_.transfer.slot == send.transfer.slot &&
                       gathered_.transfer.generation == send.transfer.generation &&
                       gathered_.offset == offset && gathered_.bytes == bytes;
    if (!known) {
        gatheredBytes_.resize(std::max<std::size_t>(kMaxPayload, bytes));
        send.copyOut(offset, gatheredBytes_.data(), bytes);
        gathered_ = {peer.rank, send.transfer, offset, bytes};
    }
    list[0] = {gatheredBytes_.data(), bytes};
    return list.first(1);
}

bool Engine::serveStaged(Peer& peer) {
    bool moved = false;
    std::array<iovec, kMostParts> cut;
    for (int piece = 0; piece < kPiecesPerTurn; ++piece) {
        Request* send = peer.serving.first();
        if (send == nullptr) return moved;
        if (send->owner != nullptr && !send->owner->stillThere()) {
            // The receiver has claimed it and waits for bytes that are gone; it learns of it by our
            // word alone.
            abort(1, false,
                  "rank " + std::to_string(rank_) + " took away a buffer while it was being sent");
            complete(*send, {.code = ErrorCode::detached});
            continue;
        }
        ByteRange& range = send->toServe.front();
        const std::uint64_t wanted =
            std::min<std::uint64_t>(peer.channel->mostPayload(), range.bytes);
        const Put result = peer.channel->putStaged(
            send->transfer, range.offset, stagedPiece(peer, *send, range.offset, wanted, cut));
        peer.channelFull = result == Put::full;
        if (result == Put::failed) giveUp(peer, std::strerror(errno));
        if (result != Put::done) return moved;
        moved = true;
        range.offset += wanted;
        range.bytes -= wanted;
        if (range.bytes > 0) continue;
        send->toServe.erase(send->toServe.begin());
        if (send->toServe.empty()) send->ServeTag::unlink();
    }
    return moved;
}

bool Engine::lookAtPublished(Peer& peer) {
    const std::uint64_t finished = peer.outDirection->finished.load(std::memory_order_seq_cst);
    if (finished == peer.finishedSeen) {
        // The word of the message itself comes a cache line's way earlier than the count.
        Request* first = peer.published.first();
        if (first == nullptr || peer.published.after(*first) != nullptr) return false;
        if (!isOver(peer.outgoingTransfers->look(first->transfer))) return false;
    }
    peer.finishedSeen = finished;
    for (Request* request = peer.published.first(); request != nullptr;) {
        Request* next = peer.published.after(*request);
        const TransferState state = peer.outgoingTransfers->look(request->transfer);
        if (isOver(state)) {
            peer.outgoingTransfers->release(request->transfer);
            complete(*request,
                     state == TransferState::done ? Error{} : Error{.code = ErrorCode::transfer});
        }
        request = next;
    }
    return true;
}

// ------------------------------------------------------------------------------------------------------
// from a peer

// A slice of each, as far as a round goes; who comes first changes with each.
bool Engine::movePulls() {
    std::size_t turns = 0;
    for (Request* each = pulls_.first(); each != nullptr; each = pulls_.after(*each)) ++turns;
    bool moved = false;
    for (std::uint64_t pulled = 0; turns > 0 && pulled < kPulledPerRound; --turns) {
        Request* receive = pulls_.first();
        if (receive == nullptr) break;
        List<Request, QueueTag>::remove(*receive);
        pulls_.append(*receive);
        const std::uint64_t slice = std::min(thresholds_.slice, receive->envelope.bytes);
        if (!pullSlice(*receive)) continue;
        moved = true;
        pulled += slice;
    }
    return moved;
}

// While the launcher lives, a pid stays with its process until the launcher has marked it dead;
// what was read before that mark came from the right process.
bool Engine::sourceDied(const Peer& peer) const {
    return link_->job()
               .rank(static_cast<std::size_t>(peer.rank))
               .state.load(std::memory_order_acquire) == RankState::dead;
}

// False: it waits for its sender.
bool Engine::pullSlice(Request& receive) {
    Peer& peer = peerOf(receive.peer);
    if (receive.owner != nullptr && !receive.owner->stillThere()) {
        if (receive.offered && !takeBackOffer(peer, receive)) return false;
        finishReceive(peer, receive, TransferState::failed, {.code = ErrorCode::detached});
        return true;
    }
    if (receive.descriptor.parts > 1 && !fetchParts(peer, receive, receive)) return true;
    if (!receive.offered && mayOffer(peer, receive)) offer(peer, receive);
    if (receive.offered) return pullOffered(peer, receive);
    if ((!peer.heap.empty() || !peer.mayPull) && pullFromHeap(peer, receive)) return true;
    if (receive.combiner != nullptr) {
        combineSlice(peer, receive);
        return true;
    }
    if (receive.laidOut) {
        scatterSlice(peer, receive);
        return true;
    }
    const std::uint64_t slice = std::min(thresholds_.slice, receive.envelope.bytes - receive.moved);
    const CmaResult result = cmaRead(peer.pid, receive.cursor, receive.remote, slice);
    receive.moved += result.bytes;
    count(self_->counters.cmaBytes, result.bytes);
    count(self_->counters.cmaCalls, result.calls);
    if (result.errnum != 0) {
        pullFailed(peer, receive, result.errnum);
    } else if (receive.moved == receive.envelope.bytes) {
        endPull(peer, receive);
    }
    return true;
}

// The same for what is combined with what lies here. Bytes of a process that has died meanwhile may
// get in, and the failure of the whole operation follows.
void Engine::combineSlice(Peer& peer, Request& receive) {
    if (!fusing_) fusing_ = std::make_unique_for_overwrite<std::byte[]>(kFuseBytes);
    for (std::uint64_t done = 0;
         done < thresholds_.slice && receive.moved < receive.envelope.bytes;) {
        const std::uint64_t piece = std::min(kFuseBytes, receive.envelope.bytes - receive.moved);
        const iovec here{fusing_.get(), piece};
        IoCursor local(std::span(&here, 1));
        IoCursor remote = receive.remote;
        const CmaResult result = cmaRead(peer.pid, local, remote, piece);
        count(self_->counters.cmaCalls, result.calls);
        // Of a piece that came in part only nothing has been used yet.
        if (result.errnum != 0) return pullFailed(peer, receive, result.errnum);
        receive.remote = remote;
        count(self_->counters.cmaBytes, piece);
        if (!receive.combine(fusing_.get(), receive.moved, piece)) {
            return finishReceive(peer, receive, TransferState::done, {.code = ErrorCode::op});
        }
        receive.moved += piece;
        done += piece;
    }
    if (receive.moved < receive.envelope.bytes) return;
    if (sourceDied(peer)) return complete(receive, {.code = ErrorCode::procFailed});
    finishReceive(peer, receive, TransferState::done, {});
}

// The same for what goes to many places: the kernel puts it there where the runs are long; short
// ones are filled from a piece that was pulled and is still in the cache.
void Engine::scatterSlice(Peer& peer, Request& receive) {
    const bool inPlace = receive.laidOut->meanRun() >= LaidOut::kLocalRun;
    if (!inPlace && !fusing_) fusing_ = std::make_unique_for_overwrite<std::byte[]>(kFuseBytes);
    std::array<iovec, kCmaMostEntries> list;
    for (std::uint64_t done = 0;
         done < thresholds_.slice && receive.moved < receive.envelope.bytes;) {
        std::uint64_t piece = std::min(inPlace ? thresholds_.slice - done : kFuseBytes,
                                       receive.envelope.bytes - receive.moved);
        IoCursor::Cut here{1, piece};
        if (inPlace) {
            here = receive.laidOut->cut(receive.moved, piece, list);
            piece = here.bytes;
        } else {
            list[0] = {fusing_.get(), piece};
        }
        IoCursor local(std::span<const iovec>(list.data(), here.entries));
        IoCursor remote = receive.remote;
        const CmaResult result = cmaRead(peer.pid, local, remote, piece);
        count(self_->counters.cmaCalls, result.calls);
        // What came of a piece in part only comes again.
        if (result.errnum != 0) return pullFailed(peer, receive, result.errnum);
        receive.remote = remote;
        count(self_->counters.cmaBytes, piece);
        if (!inPlace) receive.laidOut->copyIn(receive.moved, fusing_.get(), piece);
        receive.moved += piece;
        done += piece;
    }
    if (receive.moved == receive.envelope.bytes) endPull(peer, receive);
}

// The sender's buffer is in several pieces: their list lies in the sender's memory, and is pulled
// first, into `holder`, for `receive`, which may be the same.
bool Engine::fetchParts(Peer& peer, Request& holder, Request& receive) {
    const std::uint64_t parts = holder.descriptor.parts;
    const bool believable = parts <= kMostRemoteParts;
    std::vector<iovec> list(believable ? parts : 0);
    const iovec here{list.data(), list.size() * sizeof(iovec)};
    const iovec there{reinterpret_cast<void*>(holder.descriptor.address), here.iov_len};
    IoCursor local(std::span(&here, 1));
    IoCursor remote(std::span(&there, 1));
    const CmaResult result = cmaRead(peer.pid, local, remote, here.iov_len);
    count(self_->counters.cmaCalls, result.calls);
    if (result.errnum != 0) {
        pullFailed(peer, receive, result.errnum);
        return false;
    }
    if (!believable || totalBytes(list) != holder.envelope.bytes) {
        finishReceive(peer, receive, TransferState::failed, {.code = ErrorCode::protocol});
        return false;
    }
    holder.remoteParts = std::move(list);
    holder.remote = IoCursor(holder.remoteParts);
    holder.descriptor.parts = 1;
    return true;
}

void Engine::pullFailed(Peer& peer, Request& receive, int errnum) {
    switch (errnum) {
        case EPERM:
        case EACCES:
        case ENOSYS:
            // Allowed at the greeting and refused now (prctl, a seccomp filter): the rest comes
            // through the channel, and so does everything later.
            peer.mayPull = false;
            return stage(peer, receive);
        case ESRCH:
            return complete(receive, {.code = ErrorCode::procFailed});
        default: {
            if (sourceDied(peer)) return complete(receive, {.code = ErrorCode::procFailed});
            return finishReceive(
                peer, receive, TransferState::failed,
                {.code = ErrorCode::system, .syscall = Syscall::processVmReadv, .errnum = errnum});
        }
    }
}

}  // namespace onecopy
