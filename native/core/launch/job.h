// A job: everything that the launcher makes, starts and watches to run one program as many ranks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/job/segments.h"
#include "core/launch/event.h"
#include "core/launch/spawn.h"
#include "core/os/fd.h"

namespace onecopy {

class Watch;

struct JobOptions {
    std::size_t ranks = 1;  // 1 to kMaxRanks
    // What is different per rank (ONECOPY_*, OMPI_COMM_WORLD_*) is added to its environment.
    Program program;
    // From the first failure to SIGKILL; SIGTERM comes at half of it.
    std::chrono::milliseconds grace{2000};
    std::optional<std::uint64_t> eagerLimit;
    ChannelKind channel = ChannelKind::ring;
    bool denyPull = false;
    // Absent: chosen from ranks and cores.
    std::optional<std::uint64_t> spinNanoseconds;
    // What rank 0 reads; stays the caller's. -1: a pipe, see Job::takeInput(). The other ranks read
    // /dev/null. Not a terminal: ranks lead process groups of their own, and reading it from the
    // background would stop rank 0.
    int input = -1;
    // The job also ends when one of these processes does.
    std::vector<pid_t> guardians;
};

class Job {
   public:
    using Listener = std::function<void(const JobEvent&)>;

    // Starts all ranks, and the thread that watches them, on which `listener` is called: it must
    // not block. To be called on the main thread. Throws std::system_error (SpawnError where a rank
    // could not be started) or std::invalid_argument; then nothing is left of the job.
    Job(const JobOptions& options, Listener listener);
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    // Kills the ranks that are left; returns when the job has ended. Not to be called on the watch
    // thread.
    ~Job();

    // 16 hexadecimal digits, random.
    const std::string& id() const { return id_; }
    const std::vector<pid_t>& pids() const { return pids_; }

    // The launcher's ends of the ranks' output pipes and of rank 0's input. Each can be taken once.
    std::vector<UniqueFd> takeOutputs() { return std::move(outputs_); }
    std::vector<UniqueFd> takeErrors() { return std::move(errors_); }
    UniqueFd takeInput() { return std::move(input_); }

    // Begins to end the job as if the launcher had received this signal; the second time the ranks
    // are killed at once.
    void end(int signal);
    // Kills the ranks that are left and returns when the job has ended, after its last event.
    void stop();

   private:
    std::string id_;
    std::vector<pid_t> pids_;
    std::vector<UniqueFd> outputs_;
    std::vector<UniqueFd> errors_;
    UniqueFd input_;
    std::unique_ptr<Watch> watch_;
};

}  // namespace onecopy
