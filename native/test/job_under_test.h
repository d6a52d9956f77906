// A job whose events and output a test can wait for, and whose ranks are programs of the test
// binary.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/launch/job.h"
#include "test/harness.h"

namespace onecopy::test {

// The options of a job that runs a RANK_PROGRAM of this test program.
JobOptions rankProgram(std::size_t ranks, const std::string& program, const Arguments& args = {});

class JobUnderTest {
   public:
    explicit JobUnderTest(const JobOptions& options);

    Job& job() { return *job_; }
    pid_t pid(std::size_t rank) const { return job_->pids()[rank]; }
    void writeInput(const std::string& text);
    void closeInput() { input_.reset(); }

    // The next line of a rank's output, without its end; empty when none comes.
    std::string line(std::size_t rank);
    // Everything that the rank still writes until it closes its output.
    std::string rest(std::size_t rank);
    std::string errors(std::size_t rank);

    // Waits for an event; fails the test when it does not come.
    JobEvent waitFor(JobEvent::Kind kind, int rank = -1);
    // Waits for the end of the job; fails the test when it does not come.
    std::optional<Cause> waitForEnd();
    // While this is held, the launcher's thread stops at its next event.
    std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
    // All events so far.
    std::vector<JobEvent> events() const;
    bool hasNote(const std::string& part) const;

   private:
    std::string readUntil(int fd, std::string& buffer, bool wholeLine);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<JobEvent> events_;
    std::vector<UniqueFd> outputs_;
    std::vector<UniqueFd> errors_;
    std::vector<std::string> buffers_;
    UniqueFd input_;
    std::unique_ptr<Job> job_;  // last: its thread uses what stands above
};

// Something that ranks wait for until the test opens it.
class Gate {
   public:
    Gate();
    // An argument for the ranks.
    std::string path() const;
    void open() { writeEnd_.reset(); }
    // In a rank: returns when the gate is open.
    static void pass(const std::string& path);

   private:
    UniqueFd readEnd_;
    UniqueFd writeEnd_;
};

// In a rank: a line of output that the test sees at once.
void say(const std::string& line);

bool contains(const std::string& text, const std::string& part);

// True when no process with this id is left, apart from zombies; waits a moment for one that is
// just dying.
bool isGone(pid_t pid);

// The descriptors that this process has open.
std::vector<int> openDescriptors();

}  // namespace onecopy::test
