#include "core/launch/signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "core/os/fd.h"

namespace onecopy {

namespace {

constexpr std::array kCaught{SIGINT, SIGTERM, SIGHUP, SIGUSR2};

// What the handler touches lives as long as the process: a handler that was interrupted before its
// last step must never write to a descriptor that has become somebody else's.
struct Caught {
    std::array<std::atomic<std::uint32_t>, kCaught.size()> times{};
    std::atomic<int> wake{-1};
    std::atomic<bool> taken{false};
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "async-signal-safe");

Caught caught;

void note(int signal) {
    const int error = errno;
    for (std::size_t i = 0; i < kCaught.size(); ++i) {
        // Release, with the acquire in take().
        if (kCaught[i] == signal) caught.times[i].fetch_add(1, std::memory_order_release);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written =
        ::write(caught.wake.load(std::memory_order_relaxed), &one, sizeof one);
    errno = error;
}

}  // namespace

const char* signalName(int signal) {
    // Not sigabbrev_np: the prebuilt addon also runs where the C library has no such function.
    static constexpr std::array<const char*, 32> kNames{
        "SIG0",      "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
    static_assert(SIGTERM == 15 && SIGSYS == 31, "Linux on x86 and ARM");
    if (signal >= 0 && static_cast<std::size_t>(signal) < kNames.size()) return kNames[signal];
    thread_local char number[16];
    std::snprintf(number, sizeof number, "SIG%d", signal);
    return number;
}

SignalRelay::SignalRelay() {
    if (caught.taken.exchange(true, std::memory_order_acq_rel)) {
        throw std::system_error(EBUSY, std::generic_category(),
                                "a process can run one job at a time, and another one is running");
    }
    if (caught.wake.load(std::memory_order_relaxed) < 0) {
        const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake < 0) {
            const int error = errno;
            caught.taken.store(false, std::memory_order_release);
            throw std::system_error(error, std::generic_category(), "eventfd");
        }
        caught.wake.store(wake, std::memory_order_relaxed);
    }
    active_ = true;
    for (auto& times : caught.times) times.store(0, std::memory_order_relaxed);
    for (const int signal : kCaught) install(signal);
    struct sigaction before {};
    ::sigaction(SIGCHLD, nullptr, &before);
    if (before.sa_handler == SIG_IGN || (before.sa_flags & SA_NOCLDWAIT) != 0) {
        struct sigaction action = before;
        if (before.sa_handler == SIG_IGN) action.sa_handler = SIG_DFL;
        action.sa_flags &= ~SA_NOCLDWAIT;
        ::sigaction(SIGCHLD, &action, nullptr);
        saved_.push_back({SIGCHLD, before});
    }
}

void SignalRelay::install(int signal) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) return;
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    ::sigfillset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
    saved_.push_back({signal, before});
}

int SignalRelay::descriptor() const { return caught.wake.load(std::memory_order_relaxed); }

std::vector<int> SignalRelay::take() {
    std::uint64_t count;
    [[maybe_unused]] const ssize_t got = ::read(descriptor(), &count, sizeof count);
    std::vector<int> signals;
    for (std::size_t i = 0; i < kCaught.size(); ++i) {
        const std::uint32_t times = caught.times[i].exchange(0, std::memory_order_acquire);
        signals.insert(signals.end(), times, kCaught[i]);
    }
    return signals;
}

void SignalRelay::restore() {
    if (!active_) return;
    for (const Saved& saved : saved_) {
        struct sigaction current {};
        ::sigaction(saved.signal, nullptr, &current);
        const bool ours =
            saved.signal == SIGCHLD ? current.sa_handler == SIG_DFL : current.sa_handler == note;
        if (ours) ::sigaction(saved.signal, &saved.before, nullptr);
    }
    saved_.clear();
    active_ = false;
    caught.taken.store(false, std::memory_order_release);
}

bool SignalRelay::endsTheJob(int signal) { return signal != SIGUSR2; }

}  // namespace onecopy
