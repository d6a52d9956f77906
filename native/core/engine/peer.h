// What a rank knows of one other rank.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/channels/channel.h"
#include "core/channels/ring/ring_channel.h"
#include "core/engine/request.h"
#include "core/job/segments.h"
#include "core/link/launcher_link.h"
#include "core/movers/cma.h"
#include "core/movers/heap.h"
#include "core/os/memory.h"
#include "core/transfer/transfer.h"
#include "core/transfer/two_sided.h"
#include "core/waiting/doorbell.h"

namespace onecopy {

class Engine;

// The sink of this peer's channel is the engine, with the peer's name attached.
class Peer final : public ChannelSink {
   public:
    Peer(Engine& engine, std::int32_t rank) : rank(rank), engine_(engine) {}

    enum class Link {
        none,
        asked,      // the launcher was asked for the pair
        connected,  // the channel stands
        refused     // it left or died, and there never was a pair
    };

    void onGreeting(const Greeting& greeting) override;
    void onEager(const Envelope& envelope, std::span<const std::byte> payload) override;
    void onDescriptor(const Envelope& envelope, const Descriptor& descriptor) override;
    void onStageRequest(TransferName transfer, std::uint64_t offset, std::uint64_t bytes) override;
    void onStaged(TransferName transfer, std::uint64_t offset,
                  std::span<const std::byte> bytes) override;
    void onBroken(const BrokenNotice& notice, std::span<const std::byte> text) override;
    void onHeap(const HeapNotice& notice) override;
    void onGarbage() override;

    bool gone() const { return state == RankState::left || state == RankState::dead; }
    bool hasWork() const {
        return !outgoing.empty() || !stageRequests.empty() || !serving.empty() ||
               !notices.empty() || !heapNotices.empty();
    }
    // What found no room may have been taken back since.
    bool waitsForRoom() const { return channelFull && hasWork(); }

    const std::int32_t rank;
    Link link = Link::none;
    RankState state = RankState::running;
    // Gone, and everything it ever sent has been taken: what still waits for it has failed.
    bool settled = false;

    // Once connected.
    pid_t pid = 0;
    std::uint64_t theirNonce = 0;
    bool mayPull = false;
    bool mayPush = false;
    Mapping segment;      // PairSegment
    Mapping rankSegment;  // the peer's RankSegment, read-only
    PeerDoorbell doorbell;
    std::unique_ptr<Channel> channel;
    RingChannel* ring = nullptr;  // the same, where it is one
    std::optional<OutgoingTransfers> outgoingTransfers;
    std::optional<IncomingTransfers> incomingTransfers;
    PairDirection* outDirection = nullptr;
    PairDirection* inDirection = nullptr;
    std::uint64_t finishedSeen = 0;
    // In this process's own memory, at a place that does not move: the peer reads and writes it.
    std::unique_ptr<NonceCell> cell;
    bool greeted = false;

    List<Request, QueueTag>
        outgoing;  // sends, in the order in which they must be put on the channel
    List<Request, QueueTag> published;  // sends whose descriptor is out
    List<Request, QueueTag> staging;    // receives whose bytes come through the channel
    List<Request, ServeTag> serving;    // published sends that must be staged
    struct StageRequest {
        TransferName transfer;
        std::uint64_t offset;
        std::uint64_t bytes;
    };
    std::deque<StageRequest> stageRequests;  // not on the channel yet
    struct Notice {
        BrokenNotice broken;
        std::string text;
    };
    std::deque<Notice> notices;          // likewise
    PeerHeap heap;                       // what it has told of its own
    std::set<std::uint32_t> heapTold;    // segments of this rank's heap that it knows, by id
    std::deque<HeapNotice> heapNotices;  // not on the channel yet
    bool channelFull = false;            // the last attempt found no room
    bool watchesWritable = false;        // the sleeper is told when the channel takes more
    bool watched = false;                // the sleeper watches the channel's descriptor

   private:
    Engine& engine_;
};

}  // namespace onecopy
