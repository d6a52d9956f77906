// What the ranks send to the launcher: each packet is checked here, and believed only if the kernel
// says that it comes from the process that was started as this rank. A rank may send anything; it
// harms only its own job.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/job/control.h"
#include "core/launch/broker.h"
#include "core/launch/roster.h"
#include "core/os/packet_socket.h"

namespace onecopy {

class Reception {
   public:
    struct Hooks {
        // The rank wants the job to end, or has broken the protocol.
        std::function<void(std::size_t rank, int code, bool uncaught, const std::string& text)>
            abort;
        std::function<void(const std::string&)> note;
    };

    Reception(Roster& roster, Broker& broker, Hooks hooks);

    // Reads at most `limit` packets of this rank. False: nothing more will come, or none of it is
    // wanted.
    bool read(std::size_t rank, std::size_t limit);

   private:
    using Bytes = std::span<const std::byte>;

    // These return false when the packet breaks the protocol.
    bool accept(std::size_t rank, Bytes packet, pid_t sender);
    bool acceptHello(std::size_t rank, Bytes packet, pid_t sender);
    bool acceptConnect(std::size_t rank, Bytes packet);
    bool acceptContexts(std::size_t rank, Bytes packet);
    bool acceptAbort(std::size_t rank, Bytes packet);
    void acceptState(std::size_t rank, RankState state);

    void turnAway(std::size_t rank, Bytes packet, pid_t sender);
    void breach(std::size_t rank, const std::string& what);
    void note(std::size_t rank, const std::string& text);

    struct Line {
        int notes = 0;
        bool aborted = false;
    };

    Roster& roster_;
    Broker& broker_;
    Hooks hooks_;
    std::vector<Line> lines_;
};

}  // namespace onecopy
