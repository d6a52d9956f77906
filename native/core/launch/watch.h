// The launcher's own thread: hears the ranks, sees them die, brokers their connections and ends the
// job. It sleeps in epoll and nowhere else, and calls no JavaScript: a launcher whose terminal is
// not being read still does all of this.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/launch/broker.h"
#include "core/launch/ending.h"
#include "core/launch/event.h"
#include "core/launch/reception.h"
#include "core/launch/roster.h"
#include "core/launch/signals.h"
#include "core/launch/spawn.h"
#include "core/os/fd.h"

namespace onecopy {

class Watch {
   public:
    using Listener = std::function<void(const JobEvent&)>;

    struct Parts {
        Roster roster;
        std::vector<ChildProcess> ranks;
        std::unique_ptr<SignalRelay> signals;
    };

    // Starts the thread; `listener` is called on it and must not block. Throws std::system_error;
    // then `parts` goes, and the ranks with it.
    Watch(Parts parts, std::chrono::milliseconds grace, const std::vector<pid_t>& guardians,
          Listener listener);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    // Kills what is left of the job and waits for its end.
    ~Watch() { stop(); }

    // From any thread. As if the launcher had received this signal.
    void end(int signal);
    // From any thread but the watch thread: kills the ranks that are left, and returns when the job
    // has ended.
    void stop();

   private:
    enum class Source : std::uint32_t { control, process, guardian, command, signal };

    struct Guardian {
        pid_t pid;
        UniqueFd pidfd;
    };

    void openGuardian(pid_t pid);
    void listenTo(Source source, std::size_t index, int fd, std::uint32_t events);
    void startThread();

    void run();
    int timeout() const;
    void dispatch(const epoll_event& event);
    void onControl(std::size_t rank, std::uint32_t events);
    void onProcessEnd(std::size_t rank);
    void onGuardianEnd(const Guardian& guardian);
    void onCommand();
    void onSignals();
    void closeControl(std::size_t rank);
    void onAbort(std::size_t rank, int code, bool uncaught, const std::string& text);
    void finish();
    void note(const std::string& text);

    // Destroyed from the bottom up: the thread is over by then, and what refers to something stands
    // below it.
    Listener listener_;
    Roster roster_;
    std::vector<ChildProcess> ranks_;
    std::unique_ptr<SignalRelay> signals_;
    std::vector<Guardian> guardians_;
    std::vector<pid_t> goneGuardians_;
    Broker broker_;
    Reception reception_;
    Ending ending_;
    std::size_t living_;
    Nanoseconds lastInterrupt_ = 0;
    int lastInterruptSignal_ = 0;

    UniqueFd epoll_;
    UniqueFd command_;
    // Written by any thread, then the eventfd; taken by the watch thread.
    std::atomic<std::uint32_t> endRequests_{0};
    std::atomic<int> endSignal_{0};
    std::atomic<bool> killRequested_{false};
    std::thread thread_;
};

}  // namespace onecopy
