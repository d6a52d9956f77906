// What a running job tells the outside.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace onecopy {

// Why a job ended: its first failure.
struct Cause {
    enum class Kind { exit, signal, abort, uncaught, interrupted, guardian };

    Kind kind = Kind::exit;
    int rank = -1;          // -1: no rank is to blame
    pid_t pid = 0;          // of that rank, or of the guardian
    int exitCode = 1;       // what the launcher should exit with
    int signal = 0;         // for the kinds signal and interrupted
    std::string text = {};  // for a person; may be empty
};

struct JobEvent {
    enum class Kind {
        exit,    // a rank's process is gone: code or signal
        abort,   // a rank asked for the end of the job, or broke the protocol: code, uncaught, text
        note,    // text, worth a line when somebody wants to know more
        ending,  // the job has begun to end before all ranks were done: cause
        end      // no process of the job is left; the last event. No cause: every rank ended with 0
    };

    Kind kind = Kind::note;
    int rank = -1;
    pid_t pid = 0;
    int code = 0;
    int signal = 0;  // of an exit: not 0 if a signal ended it, and then code means nothing
    bool uncaught = false;
    std::string text = {};
    std::optional<Cause> cause = {};
};

}  // namespace onecopy
