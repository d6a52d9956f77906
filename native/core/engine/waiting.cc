// Waiting: spin, yield, arm, look, sleep.
#include <sched.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "core/engine/engine.h"
#include "core/os/cache.h"

namespace onecopy {

namespace {

// Passes between two looks at the clock, which costs as much as a pass.
constexpr unsigned kPassesPerClock = 32;

// Where somebody else holds a core, two ranks may share the other one, and a spin keeps the very
// rank from working that is waited for: half an 8-byte round trip then took as long as the spin (58
// us). So after this much of a spin the core is offered to others. If the offer is taken, which
// shows in how long it lasts, the next spins begin with it.
constexpr Nanoseconds kSwitchNanoseconds = 1'500;

// Between two yields a rank looks only at what it most likely waits for: where ranks take turns on
// a core, each look at everything costs the others time, the more so as their pages have to be
// found anew after each switch.
constexpr unsigned kYieldsPerLook = 8;

// How often a rank may change its core of its own accord.
constexpr Nanoseconds kHomeNanoseconds = 20'000'000;

// A peer stores its event and rings the doorbell some instructions later; if it loses its core in
// between, this is how long it gets before the wake-up counts as lost.
constexpr int kRingMilliseconds = 100;

// A sender spins longer while its message is being pulled: how long that takes can be told, and a
// sleep of both would add a wake-up (5 to 50 us) to each message. A slow pull moves 4 GB/s.
constexpr std::uint64_t kBytesPerNanosecond = 4;
constexpr Nanoseconds kLongestTransfer = 2'000'000;

constexpr std::uint64_t kBellEvent = 0;
constexpr std::uint64_t kLauncherEvent = 1;
constexpr std::uint64_t kFirstPeerEvent = 2;

// What a rank that waits in a collective operation shows.
Operation operationOf(MessageKind kind) {
    return static_cast<Operation>(static_cast<std::uint32_t>(Operation::collective) +
                                  static_cast<std::uint32_t>(kind) -
                                  static_cast<std::uint32_t>(MessageKind::collective));
}

}  // namespace

// Somebody else runs on this core. If that is another rank of this job, and there are cores enough,
// the kernel leaves it so for long: two ranks that answer each other are never off the core for
// long enough to be moved. Half a round trip of 8 bytes took 1.6 us then instead of 0.2. So the
// rank goes to the core that is its own by number, and may be moved from there as before.
void Engine::goHome(Nanoseconds time) {
    if (time - wentHome_ < kHomeNanoseconds || settings_.size > settings_.cores) return;
    wentHome_ = time;
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const int count = CPU_COUNT(&allowed);
    if (count < size_) return;
    int home = 0;
    for (int left = rank_; home < CPU_SETSIZE; ++home) {
        if (CPU_ISSET(home, &allowed) && left-- == 0) break;
    }
    if (home == CPU_SETSIZE || home == ::sched_getcpu()) return;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(home, &only);
    if (::sched_setaffinity(0, sizeof only, &only) == 0)
        ::sched_setaffinity(0, sizeof allowed, &allowed);
}

void Engine::openSleep() {
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_ || doorbell_.fd() < 0)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    const auto watch = [&](int fd, std::uint64_t what) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = what;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
        }
    };
    watch(doorbell_.fd(), kBellEvent);
    if (link_ != nullptr) watch(link_->descriptor(), kLauncherEvent);
}

// Tells the kernel what the sleeper wants to hear of this peer's channel, where that has changed.
void Engine::watchChannel(Peer& peer) {
    const int fd = peer.channel->descriptor();
    if (fd < 0) return;
    // An exhausted socket stays readable for ever; it has nothing more to say. So does one with
    // messages that there is no memory for.
    const bool watch = !peer.channel->exhausted() && mayTakeFrom(peer);
    const bool writable = peer.waitsForRoom();
    if (watch == peer.watched && writable == peer.watchesWritable) return;
    epoll_event event{};
    event.events = EPOLLIN | (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
    event.data.u64 = kFirstPeerEvent + static_cast<std::uint64_t>(peer.rank);
    const int operation = !watch ? EPOLL_CTL_DEL : peer.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (watch || peer.watched) ::epoll_ctl(epoll_.get(), operation, fd, &event);
    peer.watched = watch;
    peer.watchesWritable = writable;
}

void Engine::arm() {
    for (Peer* peer : connected_) watchChannel(*peer);
    doorbell_.arm();
    armed_ = true;
}

void Engine::disarm() {
    doorbell_.disarm();
    armed_ = false;
}

int Engine::takeReady(int milliseconds) {
    std::array<epoll_event, 64> events;
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < ready; ++i) {
        const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
        if (what == kBellEvent) {
            doorbell_.drain();
        } else if (what == kLauncherEvent) {
            launcherReadable_ = true;
            if ((events[static_cast<std::size_t>(i)].events & EPOLLHUP) != 0) {
                // The launcher is gone; PDEATHSIG ends this process. Until then the socket must not
                // keep us awake.
                ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link_->descriptor(), nullptr);
            }
        } else if (what >= kFirstPeerEvent) {
            peerOf(static_cast<std::int32_t>(what - kFirstPeerEvent)).channel->markReadable();
        }
    }
    return ready;
}

bool Engine::eventsPending() const {
    if (link_ != nullptr) {
        if (link_->hasNews()) return true;
        if (link_->job().header.changes.load(std::memory_order_seq_cst) != changesSeen_)
            return true;
    }
    for (Execution* execution = awaiting_.first(); execution != nullptr;
         execution = awaiting_.after(*execution)) {
        if (execution->seesPublished()) return true;
    }
    for (Request* receive = pulls_.first(); receive != nullptr; receive = pulls_.after(*receive)) {
        if (receive->offered && pushesArrived(*receive)) return true;
    }
    return std::any_of(connected_.begin(), connected_.end(), [](const Peer* peer) {
        return peer->outDirection->finished.load(std::memory_order_seq_cst) != peer->finishedSeen ||
               peer->channel->eventPending(peer->waitsForRoom());
    });
}

// Armed, and nothing to do: gives the core back until something happens.
void Engine::sleep(Nanoseconds deadline) {
    int milliseconds = kFullLookMilliseconds;
    if (deadline != kNever) {
        const Nanoseconds time = now();
        const Nanoseconds left = deadline > time ? (deadline - time + 999'999) / 1'000'000 : 0;
        milliseconds = static_cast<int>(std::min<Nanoseconds>(left, kFullLookMilliseconds));
    }
    count(self_->counters.sleeps);
    if (takeReady(milliseconds) == 0) lookEverywhere();
}

void Engine::lookEverywhere() {
    if (eventsPending() && takeReady(kRingMilliseconds) == 0) count(self_->counters.lateWakeups);
    for (Peer* peer : connected_) peer->channel->markReadable();
    compareWithAreas();
}

void Engine::showWait(const WaitPurpose& purpose) {
    WaitLine& line = self_->waiting;
    const std::uint32_t sequence = line.sequence.load(std::memory_order_relaxed);
    // A seqlock: odd while it is being written. Each write releases, so a reader that acquires any
    // of them also sees the odd number (no fence: TSan does not follow fences).
    line.sequence.store(sequence + 1, std::memory_order_relaxed);
    line.operation.store(purpose.operation, std::memory_order_release);
    line.peer.store(purpose.peer, std::memory_order_release);
    line.tag.store(purpose.tag, std::memory_order_release);
    line.context.store(purpose.context, std::memory_order_release);
    line.bytes.store(purpose.bytes, std::memory_order_release);
    line.pending.store(static_cast<std::uint32_t>(outstanding_), std::memory_order_release);
    line.since.store(now(), std::memory_order_release);
    line.epoch.store(line.epoch.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    line.sequence.store(sequence + 2, std::memory_order_release);
}

void Engine::hideWait() {
    WaitLine& line = self_->waiting;
    const std::uint32_t sequence = line.sequence.load(std::memory_order_relaxed);
    line.sequence.store(sequence + 1, std::memory_order_relaxed);
    line.operation.store(Operation::none, std::memory_order_release);
    line.sequence.store(sequence + 2, std::memory_order_release);
}

// Whether what this wait is most likely to end with is there: a look at one or two lines.
bool Engine::worthALook(const WaitPurpose& purpose) const {
    if (link_ != nullptr && (link_->hasNews() || link_->job().header.changes.load(
                                                     std::memory_order_relaxed) != changesSeen_))
        return true;
    if (const Execution* execution = awaiting_.first()) return execution->seesNext();
    if (purpose.peer < 0 || isSelf(purpose.peer)) return true;
    const Peer& peer = peerOf(purpose.peer);
    return peer.link != Peer::Link::connected || peer.channel->seemsReadable() ||
           peer.outDirection->finished.load(std::memory_order_relaxed) != peer.finishedSeen;
}

// Moves all of the rank's outstanding work until `done`; ok, timeout, or noMem.
template <typename Done, typename MayGiveUp>
ErrorCode Engine::waitUntil(Done isDone, Nanoseconds deadline, const WaitPurpose& purpose,
                            MayGiveUp mayGiveUp) {
    // What is waited for may stand behind what there is no memory for.
    const auto givesUp = [&] { return crowded_ && mayGiveUp(); };
    const auto done = [&] { return isDone() || givesUp(); };
    if (isDone()) return ErrorCode::ok;
    const Nanoseconds spin = spin_ == 0 ? 0 : spin_ + purpose.transferNanoseconds;
    // Whoever has spun has given what it waits for its time already.
    const Nanoseconds yielding = spin == 0 ? thresholds_.yieldNanoseconds : spin_;
    bool shown = false;
    bool rested = false;
    ErrorCode result = ErrorCode::ok;
    for (bool finished = false; !finished;) {
        // Every time something moved, the whole sequence begins anew: what comes next is likely to
        // come soon.
        Nanoseconds began = 0;
        bool moved = false;
        for (unsigned pass = 0;; ++pass) {
            moved = progress();
            if ((finished = done()) || moved) break;
            if (spin == 0) break;
            if (patience_ > 0) {
                pause();
                if (pass % kPassesPerClock != kPassesPerClock - 1) continue;
            }
            const Nanoseconds time = now();
            if (began == 0) began = time;
            if (time - began > spin || time >= deadline) break;
            if (time - began < patience_) continue;
            ::sched_yield();
            patience_ = now() - time > kSwitchNanoseconds ? 0 : kPatience;
            if (patience_ == 0) goHome(time);
        }
        if (!finished && moved && deadline != kNever && now() >= deadline) {
            result = ErrorCode::timeout;
            break;
        }
        if (moved) rested = false;
        if (finished || moved) continue;
        began = now();
        // Not again after a sleep that brought nothing: a rank that waits for long uses no core.
        for (unsigned pass = 1; !finished && !moved && !rested; ++pass) {
            ::sched_yield();
            if (pass % kYieldsPerLook != 0 && !worthALook(purpose)) continue;
            moved = progress();
            finished = done();
            if (now() - began > yielding) break;
        }
        if (finished || moved) continue;
        if (deadline != kNever && now() >= deadline) {
            result = ErrorCode::timeout;
            break;
        }
        if (!shown) {
            showWait(purpose);
            shown = true;
        }
        arm();
        moved = progress();
        rested = !(finished = done()) && !moved;
        if (rested) sleep(deadline);
        disarm();
    }
    if (shown) hideWait();
    return result == ErrorCode::ok && givesUp() && !isDone() ? ErrorCode::noMem : result;
}

ErrorCode Engine::wait(Request& request, Nanoseconds deadline) {
    if (request.complete()) return ErrorCode::ok;
    request.waited = deadline == kNever;
    progress();
    if (request.complete()) return ErrorCode::ok;
    if (onlySelfCanComplete(request)) return ErrorCode::deadlock;
    const auto isComplete = [&] { return request.complete(); };
    if (request.kind == Request::Kind::collective) {
        return waitUntil(isComplete, deadline,
                         {.operation = operationOf(request.envelope.kind),
                          .context = request.envelope.context,
                          .bytes = request.capacity,
                          .transferNanoseconds =
                              std::min(request.capacity / kBytesPerNanosecond, kLongestTransfer)},
                         // It ends as soon as the others have been told.
                         [&] {
                             failExecution(request, {.code = ErrorCode::noMem});
                             return false;
                         });
    }
    const bool send = request.kind == Request::Kind::send;
    return waitUntil(isComplete, deadline,
                     {.operation = send                                   ? Operation::send
                                   : request.kind == Request::Kind::probe ? Operation::probe
                                                                          : Operation::recv,
                      .peer = request.peer,
                      .tag = send ? request.envelope.tag : request.selector.tag,
                      .context = send ? request.envelope.context : request.selector.context,
                      .bytes = request.capacity,
                      .transferNanoseconds =
                          request.state == Request::State::published
                              ? std::min(request.capacity / kBytesPerNanosecond, kLongestTransfer)
                              : 0},
                     [&] { return canBeTakenBack(request); });
}

ErrorCode Engine::waitAll(std::span<Request* const> requests, Nanoseconds deadline) {
    const auto canNeverEnd = [&] {
        return std::ranges::any_of(
            requests, [&](const Request* request) { return onlySelfCanComplete(*request); });
    };
    // A wait that may come back at once must not let anybody write into the buffers.
    if (canNeverEnd()) {
        progress();
        if (canNeverEnd()) return ErrorCode::deadlock;
    }
    for (Request* request : requests) request->waited = deadline == kNever;
    progress();
    // Those at the front are complete and need no second look.
    std::size_t first = 0;
    const auto done = [&] {
        while (first < requests.size() && requests[first]->complete()) ++first;
        return first == requests.size();
    };
    return waitUntil(done, deadline, {.operation = Operation::wait}, [] { return true; });
}

ErrorCode Engine::waitAny(std::span<Request* const> requests, Nanoseconds deadline) {
    progress();
    const auto isComplete = [](const Request* request) { return request->complete(); };
    if (requests.empty() || std::ranges::any_of(requests, isComplete)) return ErrorCode::ok;
    if (deadline == 0) return crowded_ ? ErrorCode::noMem : ErrorCode::timeout;
    const auto canNeverEnd = [&](const Request* request) { return onlySelfCanComplete(*request); };
    if (std::ranges::all_of(requests, canNeverEnd)) return ErrorCode::deadlock;
    // They count their ends: no look at all of them for each thing that moves.
    struct Count {
        explicit Count(std::span<Request* const> some) : requests(some) {
            for (Request* request : requests) request->ended = &ended;
        }
        ~Count() {
            for (Request* request : requests) request->ended = nullptr;
        }
        Count(const Count&) = delete;
        Count& operator=(const Count&) = delete;
        std::span<Request* const> requests;
        std::uint64_t ended = 0;
    } count(requests);
    return waitUntil([&] { return count.ended > 0; }, deadline, {.operation = Operation::wait},
                     [] { return true; });
}

// For other files. The first is for those that must wait to the end.
void Engine::waitFor(const std::function<bool()>& done, const WaitPurpose& purpose) {
    waitUntil(done, kNever, purpose, [] { return false; });
}

ErrorCode Engine::waitFor(const std::function<bool()>& done, const WaitPurpose& purpose,
                          Nanoseconds deadline) {
    return waitUntil(done, deadline, purpose, [] { return true; });
}

}  // namespace onecopy
