// Starts one process of a job: fork and exec, with everything that makes it die with its launcher
// and inherit nothing else.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include "core/os/fd.h"

namespace onecopy {

// What to execute; the same for all ranks but for the environment.
struct Program {
    std::string file;               // looked up in the environment's PATH when it has no slash
    std::vector<std::string> args;  // without argv[0]
    std::vector<std::string> env;   // NAME=value
    std::string cwd;                // empty: the launcher's
};

// Descriptors of the launcher that the process gets. All but `input` must be above 2.
struct Inheritance {
    int input = -1;    // becomes 0
    int output = -1;   // becomes 1
    int errors = -1;   // becomes 2
    int control = -1;  // keeps its number
};

// A process could not be started: errno, and the system call that failed.
class SpawnError : public std::system_error {
   public:
    SpawnError(int error, const char* syscall, const std::string& what)
        : std::system_error(error, std::generic_category(), what), syscall_(syscall) {}
    const char* syscall() const { return syscall_; }

   private:
    const char* syscall_;
};

// A child process that leads its process group. Destroying it kills the group and reaps the
// process, unless it was reaped before.
class ChildProcess {
   public:
    // Forks; throws std::system_error. The exec goes on meanwhile: see confirm().
    //
    // To be called on the main thread only: the parent-death signal follows the thread that forked.
    ChildProcess(const Program& program, const Inheritance& inheritance);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess();

    // Waits until the program has been executed; throws SpawnError if it was not.
    void confirm();

    pid_t pid() const { return pid_; }
    int pidfd() const { return pidfd_.get(); }

    struct Ending {
        int code = 0;
        int signal = 0;  // not 0: it was killed by this
    };
    // How the process ended, without reaping it, so that its pid stays its own. It must have ended.
    Ending ending() const;

    // Sends a signal to the whole process group; harmless when nobody is left in it.
    void signalGroup(int signal) const;
    // Sends a signal to the process alone.
    void signal(int signal) const;
    // True while anybody, a zombie included, is in the group.
    bool hasGroup() const;
    // After the process has ended. Its pid, and with it the group's id, may be given away from now
    // on.
    void reap();

   private:
    [[noreturn]] void explain(int step, int error) const;

    pid_t pid_ = -1;
    bool reaped_ = false;
    UniqueFd pidfd_;
    UniqueFd failure_;  // end of file: the exec succeeded
    std::string file_;
    std::string cwd_;
};

// `fd` or a duplicate of it, close-on-exec, whose number does not collide with standard input,
// output and errors.
UniqueFd aboveStandard(UniqueFd fd);

}  // namespace onecopy
