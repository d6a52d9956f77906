// How a job ends before its time: the first failure is its cause; the ranks are told through the
// job segment, after half of the grace period through SIGTERM, and at its end through SIGKILL.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "core/launch/event.h"
#include "core/launch/roster.h"
#include "core/launch/spawn.h"
#include "core/os/clock.h"

namespace onecopy {

class Ending {
   public:
    using Listener = std::function<void(const JobEvent&)>;

    Ending(Roster& roster, std::span<const ChildProcess> ranks, Nanoseconds grace,
           const Listener& listener)
        : roster_(roster), ranks_(ranks), grace_(grace), listener_(listener) {}

    // Only the first call counts.
    void begin(const Cause& cause);
    // Somebody outside wants the job to end. The first time the signal is passed on at once and the
    // job begins to end; the second time the ranks are killed.
    void interrupt(int signal);
    void killAll();
    // To all processes of the job, the members of the ranks' groups included.
    void signalAll(int signal);

    // When advance() wants to be called, or kNever.
    Nanoseconds next() const;
    void advance(Nanoseconds time);

    const std::optional<Cause>& cause() const { return cause_; }

   private:
    void note(const std::string& text);

    Roster& roster_;
    std::span<const ChildProcess> ranks_;
    Nanoseconds grace_;
    const Listener& listener_;
    std::optional<Cause> cause_;
    int interrupts_ = 0;
    Nanoseconds terminateAt_ = kNever;
    Nanoseconds killAt_ = kNever;
};

}  // namespace onecopy
