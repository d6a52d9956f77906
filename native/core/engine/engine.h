// One rank's engine: starts operations, moves them on, waits for them. Used by one thread only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/engine/allowance.h"
#include "core/engine/closed_contexts.h"
#include "core/engine/error.h"
#include "core/engine/peer.h"
#include "core/engine/request.h"
#include "core/engine/thresholds.h"
#include "core/heap/heap.h"
#include "core/job/segments.h"
#include "core/link/launcher_link.h"
#include "core/matching/matcher.h"
#include "core/movers/huge_pages.h"
#include "core/os/clock.h"
#include "core/os/fd.h"
#include "core/schedule/execution.h"
#include "core/waiting/doorbell.h"

namespace onecopy {

// What a wait is for; becomes the rank's line for hang reports when the wait leaves its spin.
struct WaitPurpose {
    Operation operation = Operation::wait;
    std::int32_t peer = -2;
    std::int32_t tag = kAnyTag;
    std::uint32_t context = 0;
    std::uint64_t bytes = 0;
    Nanoseconds transferNanoseconds =
        0;  // what is known of how long it will take, beyond the usual spin
};

// A sleep is cut this often for a look everywhere; nothing should be found by it, see
// Counters::lateWakeups.
inline constexpr int kFullLookMilliseconds = 250;

// Collective context of the communicator of all ranks, the only one with a collective area so far.
inline constexpr std::uint32_t kWorldCollectives = 1;

// A communicator's collective operations, as one member sees them. They match by their order on the
// communicator (MPI-4.1 section 6.13): each execution takes the next number, which is its messages'
// tag.
struct CollectiveContext {
    std::uint32_t context = 0;
    std::vector<std::int32_t> members;  // ranks in the world; empty until it is opened here
    std::uint64_t next = 1;
    List<Execution, LiveTag> live;
    // Executions that use the collective area, in order: one at a time.
    std::deque<Execution*> areaTurns;
    // Operations that have failed on some rank, by tag, also such as have not begun here yet.
    // What still arrives for them is dropped.
    std::unordered_map<std::uint32_t, Breakage> broken;
};

// Sends to a rank that are not complete.
struct Owed {
    std::int32_t rank = 0;
    std::uint64_t messages = 0;
};

class Engine final : private LauncherSink {
   public:
    // A world of one, without a launcher.
    Engine();
    // A rank of the job behind this link.
    explicit Engine(std::unique_ptr<LauncherLink> link);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    int rank() const { return rank_; }
    int size() const { return size_; }
    const JobSettings& settings() const { return settings_; }
    const Counters& counters() const { return self_->counters; }

    // ------------------------------------------------------------------------------------------------
    // operations The request's buffer (and owner) are set by the caller; the request must stay
    // where it is until it is complete.
    void startSend(Request& request, std::int32_t dest, std::int32_t tag, std::uint32_t context,
                   MessageKind kind, Datatype type);
    void startRecv(Request& request, const Selector& selector, MessageKind kind, Datatype type);
    // Receives a message that a matched probe took.
    void startMatchedRecv(Request& request, MatchedMessage message, MessageKind kind,
                          Datatype type);
    // A matched probe that does not wait: its turn among the receives is that of when it started.
    void startProbe(Request& request, const Selector& selector);

    // --------------------------------------------------------------------------------------------
    // the short way Every call tries it first: no request, nothing but the ring.
    // Comes before the buffer is looked at: what has to be moved on is moved on here, and that may
    // run an operator in JavaScript, which could take the buffer away. Also begins to fetch what
    // the rest will look at.
    void prepareSend(std::int32_t dest);
    void prepareRecv(std::int32_t source);
    // False: nothing was done, go the long way.
    bool sendAtOnce(const void* data, std::uint64_t bytes, std::int32_t dest, std::int32_t tag,
                    std::uint32_t context, MessageKind kind, Datatype type);
    // Also waits for the message a little, where nothing else is outstanding that the rank would
    // have to move on meanwhile. `came` is what came.
    bool recvAtOnce(void* data, std::uint64_t capacity, const Selector& selector, MessageKind kind,
                    Datatype type, Envelope& came);
    // The same for a receive that does not wait: takes what is there already.
    bool takeAtOnce(void* data, std::uint64_t capacity, const Selector& selector, MessageKind kind,
                    Datatype type, Envelope& came);

    // Blocks until the request is complete; ok means just that, the request holds its own error.
    // Otherwise timeout, deadlock when only this blocked process itself could complete it, or noMem
    // when what it waits for may stand behind messages that there is no memory for; the request
    // goes on, and after the last two it can be taken back.
    ErrorCode wait(Request& request, Nanoseconds deadline = kNever);
    ErrorCode waitAll(std::span<Request* const> requests, Nanoseconds deadline = kNever);
    // The same until any of them is complete; deadlock when none can be. With a deadline of 0 one
    // look.
    ErrorCode waitAny(std::span<Request* const> requests, Nanoseconds deadline = kNever);
    // Blocks until a message that matches is there; `found` says what it is.
    Error probe(const Selector& selector, Envelope& found, Nanoseconds deadline = kNever);
    // After one round of progress: true if a message that matches is there.
    bool iprobe(const Selector& selector, Envelope& found, Error& error);
    // The same, and takes it out of the queues.
    Error matchedProbe(const Selector& selector, MatchedMessage& message,
                       Nanoseconds deadline = kNever);
    bool matchedIprobe(const Selector& selector, MatchedMessage& message, Error& error);
    // ------------------------------------------------------------------------------------------------
    // contexts
    // So many ids in a row that no communicator of this job has had. Blocks while the launcher is
    // asked.
    Error newContexts(std::uint32_t count, std::uint32_t& first);
    // Who talks in these contexts: a receive from any source waits for nobody else. Contexts that
    // nobody has said this of belong to all ranks.
    void nameMembers(ContextRange contexts, const std::vector<std::int32_t>& members);
    // No operation will be started in them any more. What is kept for them goes as soon as no
    // operation is left; messages that come later are for nobody.
    void closeContexts(ContextRange contexts);
    // Contexts that anything is kept for; each is counted once for each table.
    std::size_t keptContexts() const {
        return contexts_.size() + members_.size() + matcher_.contexts() + closing_.size() +
               closed_.ranges();
    }

    // ------------------------------------------------------------------------------------------------
    // collective operations A communicator's context for them, and its members as ranks of the
    // world.
    CollectiveContext& openContext(std::uint32_t context, std::vector<std::int32_t> members);
    // The execution must stay where it is until its handle is complete.
    void startCollective(CollectiveContext& context, Execution& execution);

    // ------------------------------------------------------------------------------------------------
    // buffers born shared. Memory that peers can map, zeroed unless all of it is going to be
    // written; see core/heap.
    Error allocate(std::uint64_t bytes, void*& block, bool zeroed = true);
    // Whether that lies in a block of it.
    bool isInHeap(const void* data, std::uint64_t bytes) const {
        return !heap_.empty() && heap_.find(data, bytes) != nullptr;
    }
    // No operation uses it any more.
    void release(void* block);

    // Takes it back if nobody has matched it; it is complete then, with `cancelled`.
    bool cancel(Request& request);
    // Ends a request whatever state it is in as far as memory allows; for a request that is being
    // given up. Blocks while a peer may still touch the buffer.
    void abandon(Request& request);

    // Completes outstanding sends; everything later fails with `finalized`. A rank that leaves well
    // says so; one that will exit with a failure does not, and counts as failed when its process is
    // gone.
    // False: something is still owed at the deadline; to be called again.
    bool leave(bool well, Nanoseconds deadline = kNever);
    // Messages that ranks have not received yet.
    std::vector<Owed> owed() const;
    // Leaves without completing anything and without a word: counts as failed when its process is
    // gone.
    void vanish() { left_ = true; }
    void abort(int code, bool uncaught, const std::string& text);

    // --------------------------------------------------------------------------------------------------
    // progress Moves everything outstanding one step on, without blocking; true if anything moved.
    bool progress();
    // Something has come that there is no memory to keep, so it was left where it is: its sender
    // waits.
    bool crowded() const { return crowded_; }
    // Whoever asks again and again for this one's end is to be told: it may never come.
    bool isHopeless(const Request& request);
    // Then: ends what is watched and can be taken back with noMem. Nobody may be blocked who could
    // be told otherwise, and what they wait for may stand behind what finds no room.
    void refuseWatched();
    // What takes the room.
    Kept kept() { return matcher_.summary(); }
    // From now on the request, once complete, is handed out by takeSettled().
    void watch(Request& request) {
        request.watched = true;
        if (request.complete()) settled_.append(request);
    }
    // The next watched request that has been completed, or null.
    Request* takeSettled() {
        Request* request = settled_.first();
        if (request != nullptr) List<Request, QueueTag>::remove(*request);
        return request;
    }
    bool anySettled() const { return !settled_.empty(); }

    // -------------------------------------------------------------------------------------------
    // for event loops Becomes readable when the rank should make progress; only while armed for
    // some events.
    int wakeDescriptor() const { return epoll_.get(); }
    void arm();
    void disarm();
    // False again once a blocking call has slept and woken in between.
    bool armed() const { return armed_; }
    // Notes what the kernel has to report of channels and launcher, waiting so long for it; says
    // how many things.
    int takeReady(int milliseconds);
    // Still armed, after a sleep that nobody ended: looks also where no hint points, and counts
    // what should have been announced by the doorbell and was not.
    void lookEverywhere();

   private:
    friend class Peer;
    friend class Execution;

    // For executions. Pulls a part of what `accepted` has claimed.
    void startPull(Request& part, Request& accepted, std::uint64_t offset, std::uint64_t bytes);
    void endExposure(Request& accepted, TransferState outcome);
    void makeReady(Execution& execution);
    bool runExecutions();
    // The collective area of this rank.
    void enterArea(const Execution& execution);
    void publish(const CollectiveContext& context);
    bool fillCell(std::span<const iovec> from);
    // Whether a peer has published so often in this operation, or has completed it; `lost` says why
    // that can never be.
    bool hasPublished(std::int32_t rank, const Execution& execution, std::uint32_t count,
                      Error& lost);
    bool seesPublished(std::int32_t rank, const Execution& execution, std::uint32_t count) const;
    const CollectiveArea* areaOf(std::int32_t rank) const;
    // Ranks that have called different operations.
    bool refuseOther(const Envelope& envelope, const Descriptor* descriptor);
    void compareWithAreas();
    bool isLost(std::int32_t rank, Error& lost) const;
    bool hasUntoldNotices(const CollectiveContext& context, std::uint32_t tag) const;
    // Tells the other members, and drops what comes or has come for this operation.
    void breakCollective(CollectiveContext& context, std::uint32_t tag, const Breakage& why);
    void onBroken(const BrokenNotice& notice, std::span<const std::byte> text);
    bool isBroken(const Envelope& envelope);
    bool dropBroken(const Envelope& envelope, const Descriptor* descriptor);
    CollectiveContext& contextOf(std::uint32_t context);
    bool isInUse(std::uint32_t context);
    void dropClosed();
    void refuse(UnexpectedMessage& message);
    bool refuseClosed(const Envelope& envelope, const Descriptor* descriptor);

    RingChannel* shortWayTo(std::int32_t rank) const;
    std::uint32_t spinOn(const RingChannel& ring) const;
    std::uint32_t yieldOn(const RingChannel& ring) const;
    static void expect(const RingRecord& record, const Peer& peer);
    bool takeEager(RingChannel& ring, std::uint32_t flag, void* data, std::uint64_t capacity,
                   const Selector& selector, MessageKind kind, Datatype type, Envelope& came);
    bool somethingElse(const RingChannel* but) const;
    void openSleep();
    void goHome(Nanoseconds time);
    // LauncherSink
    void onPeer(PeerParts parts) override;
    void onRefused(std::int32_t peer, RankState state) override;
    void onContexts(std::uint32_t first, std::uint32_t count) override;
    // Arrivals, from a peer's channel.
    void arrive(const Envelope& envelope, std::span<const std::byte> payload);
    void arrive(Peer& peer, const Envelope& envelope, const Descriptor& descriptor);
    void greet(Peer& peer, const Greeting& greeting);
    void serve(Peer& peer, TransferName transfer, std::uint64_t offset, std::uint64_t bytes);
    void acceptStaged(Peer& peer, TransferName transfer, std::uint64_t offset,
                      std::span<const std::byte> bytes);
    void breakOff(Peer& peer);

    // Heaps: engine/heap.cc.
    void learnHeap(Peer& peer, const HeapNotice& notice);
    void forgetHeap(Peer& peer);
    void tellRetired();
    bool tellHeap(Peer& peer, const Request& request);
    bool sendHeapNotices(Peer& peer);
    bool mayCopy(const Peer& peer, const Request& matched) const;
    bool pullFromHeap(Peer& peer, Request& receive);
    void endPull(Peer& peer, Request& receive);

    // Starting and matching.
    void startSelfSend(Request& request);
    bool deliver(Request& receive, UnexpectedMessage& message);
    bool admit(Request& receive, const Envelope& envelope);
    void receiveEager(Request& receive, const Envelope& envelope,
                      std::span<const std::byte> payload);
    void receiveLocal(Request& receive, Request& send);
    void copyLocal(Request& receive, const Request& send);
    void beginPull(Peer& peer, Request& receive, const Envelope& envelope,
                   const Descriptor& descriptor);
    UnexpectedMessage* find(const Selector& selector);
    bool claim(UnexpectedMessage& message);
    void match(Request& probe, MatchedMessage message);
    MatchedMessage takeFirst(const Selector& selector);
    void keep(MatchedMessage message);
    Error refusalNow(const Selector& selector);
    bool mayTakeFrom(const Peer& peer);
    bool canBeTakenBack(const Request& request) const;
    bool failExecution(const Request& handle, const Error& error);
    bool passingLookAt(const RingChannel* but) const;

    // Moving.
    bool advance();
    void takeFrom(Peer& peer, std::size_t most);
    void cannotGoOn(const std::exception& error);
    void giveUp(const Peer& peer, const std::string& why);
    bool lookAtLauncher();
    bool progressPeer(Peer& peer);
    bool flush(Peer& peer);
    bool sendOutgoing(Peer& peer);
    void useLargeBuffer(const Request& request);
    bool put(Peer& peer, Request& request);
    bool serveStaged(Peer& peer);
    std::span<const iovec> piece(const Request& send, std::uint64_t bytes, std::span<iovec> list);
    std::span<const iovec> stagedPiece(const Peer& peer, const Request& send, std::uint64_t offset,
                                       std::uint64_t bytes, std::span<iovec> list);
    bool lookAtPublished(Peer& peer);
    bool movePulls();
    bool pullSlice(Request& receive);
    bool sourceDied(const Peer& peer) const;
    // Both sides copy.
    bool mayOffer(const Peer& peer, const Request& receive) const;
    bool goesEager(const void* data, std::uint64_t bytes) const;
    void offer(Peer& peer, Request& receive);
    bool pullOffered(Peer& peer, Request& receive);
    bool awaitPushes(Peer& peer, Request& receive);
    bool takeBackOffer(Peer& peer, Request& receive);
    int copySlice(Peer& peer, Request& receive, std::uint64_t bytes);
    bool push(Peer& peer);
    static CmaResult writeSlice(const Peer& peer, const Request& send, std::uint64_t offset,
                                std::uint64_t address, std::uint64_t bytes);
    bool pushesArrived(const Request& receive) const;
    bool fetchParts(Peer& peer, Request& holder, Request& receive);
    void combineSlice(Peer& peer, Request& receive);
    void scatterSlice(Peer& peer, Request& receive);
    void finishReceive(Peer& peer, Request& receive, TransferState outcome, const Error& error);
    void pullFailed(Peer& peer, Request& receive, int errnum);
    void stage(Peer& peer, Request& receive);
    void finishTransfer(Peer& peer, TransferName transfer, TransferState outcome);
    void complete(Request& request, const Error& error = {});

    // Ranks that go.
    void reviewRanks();
    void settle(Peer& peer);
    void failPeer(Peer& peer);
    void failWildcards();
    void failAll();
    void ask(Peer& peer);
    Error lostPeer(const Peer& peer) const;
    Error refusalFor(std::int32_t rank) const;
    Error recvRefusal(const Selector& selector);
    bool othersGone(std::uint32_t context);
    std::int32_t deadMember(std::uint32_t context) const;

    // Waiting.
    template <typename Done, typename MayGiveUp>
    ErrorCode waitUntil(Done done, Nanoseconds deadline, const WaitPurpose& purpose,
                        MayGiveUp mayGiveUp);
    bool eventsPending() const;
    bool worthALook(const WaitPurpose& purpose) const;
    void waitFor(const std::function<bool()>& done, const WaitPurpose& purpose);
    ErrorCode waitFor(const std::function<bool()>& done, const WaitPurpose& purpose,
                      Nanoseconds deadline);
    void sleep(Nanoseconds deadline);
    void watchChannel(Peer& peer);
    void showWait(const WaitPurpose& purpose);
    void hideWait();
    bool onlySelfCanComplete(const Request& request) const;

    const Peer& peerOf(std::int32_t rank) const { return *peers_[static_cast<std::size_t>(rank)]; }
    Peer& peerOf(std::int32_t rank) { return *peers_[static_cast<std::size_t>(rank)]; }
    bool isSelf(std::int32_t rank) const { return rank == rank_; }
    static void count(Shared<std::uint64_t>& counter, std::uint64_t by = 1) {
        // This rank is the only writer: no read-modify-write.
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    std::unique_ptr<LauncherLink> link_;
    std::unique_ptr<RankSegment> ownSegment_;  // of a world of one
    RankSegment* self_ = nullptr;
    int rank_ = 0;
    int size_ = 1;
    JobSettings settings_{};
    Nanoseconds spin_ = 0;
    Thresholds thresholds_ = Thresholds::fromEnvironment();

    Matcher matcher_;
    Allowance allowance_;
    bool crowded_ = false;
    bool leaving_ = false;
    std::vector<std::unique_ptr<Peer>> peers_;  // by rank; [rank_] is empty
    std::vector<Peer*> connected_;
    std::size_t firstPeer_ = 0;  // whose turn it is: every peer is first in its turn
    HugePages hugePages_;
    Heap heap_;
    List<Request, QueueTag> selfSends_;
    List<Request, QueueTag> pulls_;
    List<Request, QueueTag> settled_;
    std::uint64_t outstanding_ = 0;
    unsigned shortWays_ = 0;
    std::unordered_map<std::uint32_t, std::unique_ptr<CollectiveContext>> contexts_;
    std::unordered_map<std::uint32_t, std::shared_ptr<const std::vector<std::int32_t>>> members_;
    std::vector<ContextRange> closing_;
    ClosedContexts closed_;
    std::optional<std::uint32_t> given_;            // the launcher's answer; 0: there are none left
    std::uint64_t nextContext_ = kFirstNewContext;  // of a world of one
    List<Execution, ReadyTag> ready_;
    List<Execution, AwaitTag> awaiting_;
    std::uint64_t liveExecutions_ = 0;

    std::uint32_t changesSeen_ = 0;
    bool ending_ = false;
    std::int32_t culprit_ = -1;
    bool left_ = false;
    bool aborted_ = false;  // by this rank; nothing is owed to anybody any more

    UniqueFd epoll_;
    Doorbell doorbell_;
    static constexpr Nanoseconds kPatience = 10'000;
    Nanoseconds patience_ =
        kPatience;  // of a spin before it offers the core to others; see waiting.cc
    Nanoseconds wentHome_ = 0;
    bool armed_ = false;
    bool launcherReadable_ = false;
    std::vector<std::byte> packet_;   // one for the channels of all peers
    std::vector<std::byte> scratch_;  // where many small pieces are gathered
    // The same for what is staged, and what lies there: it is asked for again if the channel was
    // full.
    struct Gathered {
        std::int32_t peer = -1;
        TransferName transfer;
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    Gathered gathered_;
    std::vector<std::byte> gatheredBytes_;
    std::unique_ptr<std::byte[]> fusing_;  // what was pulled and is combined while it is hot
};

}  // namespace onecopy
