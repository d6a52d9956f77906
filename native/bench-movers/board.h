// Where the processes of a measurement meet: memory that all of them inherit.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "lane.h"
#include "options.h"

namespace onecopy::bench {

// Thrown in a process that has to end because the measurement has.
struct Stopped {};

// The measurement has failed; exit code 1.
class Failure : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

// What a process reports about itself; written by it before a barrier, read after it.
struct Member {
    pid_t pid = 0;
    double privateShare = -1;  // on huge pages; negative: unknown
    double heapShare = -1;
};

// Where everybody waits for everybody.
class Barrier {
   public:
    // Calls pass() for each look that found somebody missing. What anybody wrote before is seen by
    // all afterwards.
    template <typename Pass>
    void meet(int processes, Pass pass) {
        const std::uint32_t generation = generation_.load(std::memory_order_acquire);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 ==
            static_cast<std::uint32_t>(processes)) {
            // Relaxed: nobody counts before having seen the new generation.
            arrived_.store(0, std::memory_order_relaxed);
            generation_.store(generation + 1, std::memory_order_release);
            return;
        }
        while (generation_.load(std::memory_order_acquire) == generation) pass();
    }

    // Forgets who has left without having met the others; called by one while none is here.
    void reset() { arrived_.store(0, std::memory_order_relaxed); }

   private:
    // Counted up by everybody; set back by the last one, who then changes `generation_`, for which
    // the others wait.
    alignas(kCacheLine) std::atomic<std::uint32_t> arrived_{0};
    alignas(kCacheLine) std::atomic<std::uint32_t> generation_{0};
};

struct Board {
    Barrier outside;  // of a run: everybody comes here, always
    Barrier inside;   // left in the middle when the run is refused

    // Set by the parent or by whoever fails; read by everybody who waits. Nothing depends on it but
    // the end of the waiting.
    alignas(kCacheLine) std::atomic<bool> stopped{false};

    // The run that was refused; whoever wins `refusing` writes the reason, and then `refused`,
    // which publishes it.
    std::atomic<std::uint64_t> refusing{0};
    std::atomic<std::uint64_t> refused{0};
    std::array<char, 256> reason{};

    // Written by process 0 before a barrier, read by all after it.
    std::uint64_t agreed = 0;
    bool enough = false;

    // What is being measured, by its place among the movers: for the parent, should a process die.
    std::atomic<int> mover{-1};

    std::array<Member, kMostProcesses> members{};

    void refuse(std::uint64_t run, const std::string& why) {
        std::uint64_t last = refusing.load(std::memory_order_relaxed);
        if (last == run || !refusing.compare_exchange_strong(last, run, std::memory_order_relaxed))
            return;
        reason.fill('\0');
        std::memcpy(reason.data(), why.data(), std::min(why.size(), reason.size() - 1));
        refused.store(run, std::memory_order_release);  // with isRefused()
    }
    bool isRefused(std::uint64_t run) const {
        return refused.load(std::memory_order_acquire) == run;  // with refuse()
    }
};

// How a process waits. With a core for each it spins, since waking up would be most of the time
// measured; without, whoever waits for a process without a core must let go of its own.
class Patience {
   public:
    Patience(const Board& board, bool crowded) : board_(board), crowded_(crowded) {}

    // Once for each look that found nothing. Throws Stopped.
    void pass() {
        // Relaxed: nothing is read after it.
        if (board_.stopped.load(std::memory_order_relaxed)) throw Stopped{};
        if (++looks_ % (crowded_ ? kLooksIfCrowded : kLooks) == 0) ::sched_yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

   private:
    static constexpr std::uint32_t kLooksIfCrowded = 8;
    // Some tens of microseconds: costs nothing where nobody else wants the core, and where somebody
    // does, whoever spins would be put off later, when it has something to do.
    static constexpr std::uint32_t kLooks = 1024;

    const Board& board_;
    bool crowded_;
    std::uint32_t looks_ = 0;
};

}  // namespace onecopy::bench
