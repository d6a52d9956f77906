// The signals that end a job or are passed on to it, caught without any help from JavaScript: a
// handler notes the signal and wakes the watch thread.
#pragma once

#include <csignal>
#include <vector>

namespace onecopy {

// SIGINT, SIGTERM, SIGHUP or SIGUSR2; or SIGnn for one without a name.
const char* signalName(int signal);

// Catches SIGINT, SIGTERM and SIGHUP (which end the job) and SIGUSR2 (which is passed on) for as
// long as it lives. One that the launcher ignores stays ignored: `nohup`, or a job in the
// background of a script. SIGUSR1 belongs to Node's inspector, SIGTSTP and SIGQUIT keep their
// meaning for the launcher alone.
//
// Also sees to it that SIGCHLD is not ignored, an inherited setting with which the kernel throws
// the ranks' exit codes away.
class SignalRelay {
   public:
    // Throws std::system_error: EBUSY if there is one already, since a signal belongs to the
    // process.
    SignalRelay();
    SignalRelay(const SignalRelay&) = delete;
    SignalRelay& operator=(const SignalRelay&) = delete;
    ~SignalRelay() { restore(); }

    // Readable when signals have come.
    int descriptor() const;
    // The signals that have come since the last call, as often as each was noticed.
    std::vector<int> take();
    // Puts the former handlers back, where nobody has replaced ours meanwhile.
    void restore();

    static bool endsTheJob(int signal);

   private:
    struct Saved {
        int signal;
        struct sigaction before;
    };

    void install(int signal);

    std::vector<Saved> saved_;
    bool active_ = false;
};

}  // namespace onecopy
