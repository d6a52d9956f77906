#include "core/launch/ending.h"

#include <algorithm>
#include <csignal>

#include "core/launch/signals.h"

namespace onecopy {

void Ending::begin(const Cause& cause) {
    if (cause_) return;
    cause_ = cause;
    roster_.setEnding(cause.rank);
    const Nanoseconds time = now();
    terminateAt_ = time + grace_ / 2;
    killAt_ = time + grace_;
    listener_({.kind = JobEvent::Kind::ending, .cause = cause_});
    if (grace_ == 0) killAll();
}

void Ending::interrupt(int signal) {
    if (++interrupts_ > 1) {
        killAll();
        return;
    }
    // The signal first: a rank without a handler for it dies silently, instead of printing that the
    // job is ending.
    signalAll(signal);
    begin({.kind = Cause::Kind::interrupted, .exitCode = 128 + signal, .signal = signal});
}

void Ending::killAll() {
    terminateAt_ = kNever;
    killAt_ = kNever;
    note("killing all ranks that are left");
    for (const ChildProcess& rank : ranks_) {
        rank.signalGroup(SIGKILL);
        // A rank may have moved to another group.
        rank.signal(SIGKILL);
    }
}

void Ending::signalAll(int signal) {
    for (const ChildProcess& rank : ranks_) {
        rank.signalGroup(signal);
        // A stopped process acts on the signal only when it goes on.
        rank.signalGroup(SIGCONT);
    }
}

Nanoseconds Ending::next() const { return std::min(terminateAt_, killAt_); }

void Ending::advance(Nanoseconds time) {
    if (time >= terminateAt_) {
        terminateAt_ = kNever;
        note("half of the grace period is over: SIGTERM to all ranks that are left");
        signalAll(SIGTERM);
    }
    if (time >= killAt_) killAll();
}

void Ending::note(const std::string& text) {
    listener_({.kind = JobEvent::Kind::note, .text = text});
}

}  // namespace onecopy
