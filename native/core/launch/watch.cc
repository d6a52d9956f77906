#include "core/launch/watch.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "core/waiting/doorbell.h"

namespace onecopy {

namespace {

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

// Packets of one rank that are read before others get their turn.
constexpr std::size_t kPacketsATurn = 16;
// More than fit in a socket's buffer: what a rank said before it died.
constexpr std::size_t kLastPackets = 4096;

// Two equal signals within this time are one: a terminal's Ctrl-C reaches npx and the launcher, and
// npx passes it on.
constexpr Nanoseconds kSameSignal = 150'000'000;

// How long the end of a job waits for killed strays of the ranks' groups to be gone.
constexpr int kStrayMilliseconds = 100;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// The code of abort() as an exit code, which has 8 bits: a failure must not become a success.
int exitCodeOf(int code) { return code != 0 && (code & 0xff) == 0 ? 1 : code & 0xff; }

}  // namespace

Watch::Watch(Parts parts, std::chrono::milliseconds grace, const std::vector<pid_t>& guardians,
             Listener listener)
    : listener_(std::move(listener)),
      roster_(std::move(parts.roster)),
      ranks_(std::move(parts.ranks)),
      signals_(std::move(parts.signals)),
      broker_(roster_, {.note = [this](const std::string& text) { note(text); },
                        .watchRoom =
                            [this](std::size_t rank, bool wanted) {
                                const std::uint32_t events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
                                listenTo(Source::control, rank, roster_.control(rank), events);
                            }}),
      reception_(roster_, broker_,
                 {.abort = [this](std::size_t rank, int code, bool uncaught,
                                  const std::string& text) { onAbort(rank, code, uncaught, text); },
                  .note = [this](const std::string& text) { note(text); }}),
      ending_(roster_, ranks_, static_cast<Nanoseconds>(grace.count()) * 1'000'000, listener_),
      living_(ranks_.size()) {
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) fail("epoll_create1");
    command_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!command_) fail("eventfd");
    listenTo(Source::command, 0, command_.get(), EPOLLIN);
    listenTo(Source::signal, 0, signals_->descriptor(), EPOLLIN);
    for (const pid_t guardian : guardians) openGuardian(guardian);
    for (std::size_t i = 0; i < guardians_.size(); ++i) {
        listenTo(Source::guardian, i, guardians_[i].pidfd.get(), EPOLLIN);
    }
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        listenTo(Source::control, rank, roster_.control(rank), EPOLLIN);
        listenTo(Source::process, rank, ranks_[rank].pidfd(), EPOLLIN);
    }
    startThread();
}

void Watch::openGuardian(pid_t pid) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd) {
        guardians_.push_back({pid, std::move(pidfd)});
    } else if (errno == ESRCH) {
        goneGuardians_.push_back(pid);
    } else {
        fail("pidfd_open");
    }
}

void Watch::listenTo(Source source, std::size_t index, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = static_cast<std::uint64_t>(source) << 32 | index;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return;
    if (errno != ENOENT || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        fail("epoll_ctl");
    }
}

void Watch::startThread() {
    // A thread inherits the mask: signals are for the main thread, whose handlers run even when
    // JavaScript is stuck.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Watch::end(int signal) {
    endSignal_.store(signal, std::memory_order_relaxed);
    // Release, with the acquire in onCommand(): the signal comes with the request.
    endRequests_.fetch_add(1, std::memory_order_release);
    writeEvent(command_.get());
}

void Watch::stop() {
    if (!thread_.joinable()) return;
    killRequested_.store(true, std::memory_order_release);
    writeEvent(command_.get());
    thread_.join();
}

void Watch::run() {
    ::pthread_setname_np(::pthread_self(), "onecopy-watch");
    for (const pid_t pid : goneGuardians_) onGuardianEnd({pid, UniqueFd()});
    std::array<epoll_event, 64> events;
    while (living_ > 0) {
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout());
        // A signal that came together with the end of the last rank came too late.
        for (int i = 0; i < count && living_ > 0; ++i) {
            dispatch(events[static_cast<std::size_t>(i)]);
        }
        const Nanoseconds time = now();
        if (time >= broker_.retryAt()) broker_.retry();
        if (time >= ending_.next()) ending_.advance(time);
    }
    finish();
}

int Watch::timeout() const {
    const Nanoseconds next = std::min(broker_.retryAt(), ending_.next());
    if (next == kNever) return -1;
    const Nanoseconds time = now();
    // Rounded up: waking too early would only mean another round.
    return next <= time
               ? 0
               : static_cast<int>(std::min<Nanoseconds>((next - time) / 1'000'000 + 1, 60'000));
}

void Watch::dispatch(const epoll_event& event) {
    const auto source = static_cast<Source>(event.data.u64 >> 32);
    const std::size_t index = event.data.u64 & 0xffffffff;
    switch (source) {
        case Source::control:
            onControl(index, event.events);
            break;
        case Source::process:
            onProcessEnd(index);
            break;
        case Source::guardian:
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, guardians_[index].pidfd.get(), nullptr);
            onGuardianEnd(guardians_[index]);
            break;
        case Source::command:
            onCommand();
            break;
        case Source::signal:
            onSignals();
            break;
    }
}

void Watch::onControl(std::size_t rank, std::uint32_t events) {
    // Its process may have ended earlier in the same round.
    if (roster_.control(rank) < 0) return;
    if ((events & EPOLLOUT) != 0) broker_.flush(rank);
    if (!reception_.read(rank, kPacketsATurn)) closeControl(rank);
}

void Watch::closeControl(std::size_t rank) {
    broker_.drop(rank);
    if (roster_.control(rank) < 0) return;
    // Closing alone would leave it in the set while a child that another thread of the launcher is
    // starting has a copy.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, roster_.control(rank), nullptr);
    roster_.closeControl(rank);
}

void Watch::onProcessEnd(std::size_t rank) {
    // Not reaped before the job ends, so that the pid stays this rank's: peers address its memory
    // by it, and the launcher its group.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, ranks_[rank].pidfd(), nullptr);
    --living_;
    // What it said before it ended comes first.
    if (roster_.control(rank) >= 0) reception_.read(rank, kLastPackets);
    closeControl(rank);

    const ChildProcess::Ending how = ranks_[rank].ending();
    const bool failed = how.code != 0 || how.signal != 0;
    if (roster_.state(rank) != RankState::left) {
        // One that ends well without a word (it never used onecopy, say) owes nothing to anybody.
        roster_.setState(rank, failed ? RankState::dead : RankState::left);
    }
    listener_({.kind = JobEvent::Kind::exit,
               .rank = static_cast<int>(rank),
               .pid = ranks_[rank].pid(),
               .code = how.code,
               .signal = how.signal});
    if (!failed) return;
    ending_.begin({.kind = how.signal != 0 ? Cause::Kind::signal : Cause::Kind::exit,
                   .rank = static_cast<int>(rank),
                   .pid = ranks_[rank].pid(),
                   .exitCode = how.signal != 0 ? 128 + how.signal : how.code,
                   .signal = how.signal});
}

void Watch::onAbort(std::size_t rank, int code, bool uncaught, const std::string& text) {
    const pid_t pid = ranks_[rank].pid();
    listener_({.kind = JobEvent::Kind::abort,
               .rank = static_cast<int>(rank),
               .pid = pid,
               .code = code,
               .uncaught = uncaught,
               .text = text});
    ending_.begin({.kind = uncaught ? Cause::Kind::uncaught : Cause::Kind::abort,
                   .rank = static_cast<int>(rank),
                   .pid = pid,
                   .exitCode = exitCodeOf(code),
                   .text = text});
}

void Watch::onGuardianEnd(const Guardian& guardian) {
    ending_.begin({.kind = Cause::Kind::guardian,
                   .rank = -1,
                   .pid = guardian.pid,
                   .exitCode = 1,
                   .text = "process " + std::to_string(guardian.pid) +
                           ", which this job depends on, has ended"});
}

void Watch::onCommand() {
    drainEvent(command_.get());
    const std::uint32_t requests = endRequests_.exchange(0, std::memory_order_acquire);
    for (std::uint32_t i = 0; i < requests; ++i) {
        ending_.interrupt(endSignal_.load(std::memory_order_relaxed));
    }
    if (!killRequested_.load(std::memory_order_acquire)) return;
    ending_.begin({.kind = Cause::Kind::interrupted, .exitCode = 128 + SIGKILL, .signal = SIGKILL});
    ending_.killAll();
}

void Watch::onSignals() {
    for (const int signal : signals_->take()) {
        if (!SignalRelay::endsTheJob(signal)) {
            ending_.signalAll(signal);
            continue;
        }
        const Nanoseconds time = now();
        if (signal == lastInterruptSignal_ && time - lastInterrupt_ < kSameSignal) continue;
        lastInterruptSignal_ = signal;
        lastInterrupt_ = time;
        ending_.interrupt(signal);
    }
}

void Watch::finish() {
    // The ranks are zombies: their process groups cannot be anybody else's yet. Members that a
    // finished rank left behind live until here, like the background processes of a shell script.
    for (const ChildProcess& rank : ranks_) rank.signalGroup(SIGKILL);
    for (ChildProcess& rank : ranks_) rank.reap();
    for (int i = 0; i < kStrayMilliseconds; ++i) {
        if (std::ranges::none_of(ranks_, &ChildProcess::hasGroup)) break;
        ::usleep(1000);
    }
    signals_->restore();
    listener_({.kind = JobEvent::Kind::end, .cause = ending_.cause()});
}

void Watch::note(const std::string& text) {
    listener_({.kind = JobEvent::Kind::note, .text = text});
}

}  // namespace onecopy
