// A rank's line to its launcher: the control socket, found through the environment and believed
// only after a greeting.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/job/control.h"
#include "core/os/fd.h"
#include "core/os/memory.h"

namespace onecopy {

struct ControlAddress {
    int fd = -1;
    std::uint64_t inode = 0;
    std::uint64_t jobId = 0;
};

// The job named in the environment cannot be joined; the message is for a person.
class BootstrapError : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

// Everything by which one rank reaches another.
struct PeerParts {
    std::int32_t peer = -1;
    pid_t pid = 0;
    std::uint64_t mine = 0;
    std::uint64_t theirs = 0;
    UniqueFd socket;
    UniqueFd segment;
    UniqueFd doorbell;
    UniqueFd rankSegment;
};

class LauncherSink {
   public:
    virtual void onPeer(PeerParts parts) = 0;
    virtual void onRefused(std::int32_t peer, RankState state) = 0;
    virtual void onContexts(std::uint32_t first, std::uint32_t count) = 0;

   protected:
    ~LauncherSink() = default;
};

class LauncherLink {
   public:
    // Greets the launcher and waits for its answer, 30 seconds at most. Throws BootstrapError.
    explicit LauncherLink(const ControlAddress& address);

    int rank() const { return rank_; }
    int size() const { return size_; }
    int descriptor() const { return socket_.get(); }
    const JobSegment& job() const { return *jobMapping_.as<const JobSegment>(); }
    RankSegment& self() const { return *selfMapping_.as<RankSegment>(); }
    UniqueFd takeDoorbell() { return std::move(doorbell_); }

    // Reads what the launcher sent. The news word says, without a system call, whether there may be
    // anything.
    bool hasNews() const { return news().load(std::memory_order_seq_cst) != newsSeen_; }
    bool poll(LauncherSink& sink);

    // Requests to the launcher. It always reads, so these block for moments at most.
    void askForPeer(std::int32_t peer);
    void askForContexts(std::uint32_t count);
    void say(ControlKind kind);
    void abort(int code, bool uncaught, const std::string& text);

   private:
    const Shared<std::uint32_t>& news() const {
        return job().rank(static_cast<std::size_t>(rank_)).news;
    }
    void send(const void* message, std::size_t bytes);

    UniqueFd socket_;
    UniqueFd doorbell_;
    Mapping jobMapping_;
    Mapping selfMapping_;
    int rank_ = 0;
    int size_ = 1;
    std::uint32_t newsSeen_ = 0;
};

}  // namespace onecopy
