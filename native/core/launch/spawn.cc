#include "core/launch/spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

namespace onecopy {

namespace {

// Called by number: the prebuilt addon also runs where the C library is older than the kernel.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
constexpr unsigned kCloseRangeCloexec = 4;
constexpr idtype_t kWaitByPidfd = static_cast<idtype_t>(3);  // P_PIDFD

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// Where a child gave up.
enum Step : int { stepGroup, stepDeathSignal, stepStandard, stepControl, stepFolder, stepExec };

struct Failure {
    int step;
    int error;
};

// NULL-terminated, as execve wants it.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
    result.push_back(nullptr);
    return result;
}

// The files to try, in order: what execvpe does, done before the fork since it allocates.
std::vector<std::string> candidates(const Program& program) {
    if (program.file.find('/') != std::string::npos) return {program.file};
    constexpr std::string_view kName = "PATH=";
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (const std::string& entry : program.env) {
        if (entry.starts_with(kName)) path = std::string_view(entry).substr(kName.size());
    }
    std::vector<std::string> files;
    for (;;) {
        const std::size_t colon = path.find(':');
        const std::string_view folder = path.substr(0, colon);
        // An empty entry means the current folder.
        files.push_back(std::string(folder.empty() ? "." : folder) + "/" + program.file);
        if (colon == std::string_view::npos) return files;
        path.remove_prefix(colon + 1);
    }
}

// 0 where close_range works; else one more than the highest descriptor that needs a look.
int descriptorLimit() {
    if (::syscall(SYS_close_range, ~0u, ~0u, kCloseRangeCloexec) == 0) return 0;
    int highest = 2;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
        highest = std::max(highest, std::atoi(entry.path().filename().c_str()));
    }
    // Without /proc: what a table starts with at most systems.
    return error ? 4096 : highest + 1;
}

// Everything the child needs, made ready before the fork: between fork and exec only
// async-signal-safe calls are allowed, since other threads of the launcher may have held any lock.
struct Prepared {
    explicit Prepared(const Program& program, const Inheritance& what)
        : files(candidates(program)), inheritance(what) {
        strings.push_back(program.file);
        strings.insert(strings.end(), program.args.begin(), program.args.end());
        argv = pointers(strings);
        envp = pointers(program.env);
        folder = program.cwd.empty() ? nullptr : program.cwd.c_str();
        parent = ::getpid();
        limit = descriptorLimit();
    }

    std::vector<std::string> files;
    std::vector<std::string> strings;
    std::vector<char*> argv;
    std::vector<char*> envp;
    const char* folder;
    Inheritance inheritance;
    pid_t parent;
    int limit;
};

void closeOnExecAboveStandard(int limit) {
    if (limit == 0) {
        ::syscall(SYS_close_range, 3u, ~0u, kCloseRangeCloexec);
        return;
    }
    for (int fd = 3; fd < limit; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool placeStandard(int from, int to) {
    // dup2 onto itself would leave close-on-exec set.
    if (from == to) return ::fcntl(to, F_SETFD, 0) == 0;
    return ::dup2(from, to) >= 0;
}

// Node ignores SIGPIPE, and a launcher under nohup ignores SIGHUP: a rank starts like a program
// started by a shell.
void resetSignals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// As execvpe: the first file that can be executed; EACCES wins over "not found".
int executeFirst(const Prepared& prepared) {
    int result = ENOENT;
    for (const std::string& file : prepared.files) {
        ::execve(file.c_str(), prepared.argv.data(), prepared.envp.data());
        switch (errno) {
            case EACCES:
                result = EACCES;
                break;
            case ENOENT:
            case ENOTDIR:
            case ENODEV:
            case ESTALE:
            case ETIMEDOUT:
                if (prepared.files.size() == 1) result = errno;
                break;
            default:
                return errno;
        }
    }
    return result;
}

// In the child. Async-signal-safe calls only.
[[noreturn]] void becomeProgram(const Prepared& prepared, int failures) {
    const auto giveUp = [failures](Step step, int error) {
        const Failure failure{step, error};
        [[maybe_unused]] const ssize_t written = ::write(failures, &failure, sizeof failure);
        ::_exit(127);
    };
    if (::setpgid(0, 0) != 0) giveUp(stepGroup, errno);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) giveUp(stepDeathSignal, errno);
    // The launcher may have died before the line above: then nobody would ever send that signal.
    if (::getppid() != prepared.parent) ::_exit(127);
    resetSignals();
    const Inheritance& what = prepared.inheritance;
    if (!placeStandard(what.input, 0) || !placeStandard(what.output, 1) ||
        !placeStandard(what.errors, 2)) {
        giveUp(stepStandard, errno);
    }
    closeOnExecAboveStandard(prepared.limit);
    if (::fcntl(what.control, F_SETFD, 0) != 0) giveUp(stepControl, errno);
    if (prepared.folder != nullptr && ::chdir(prepared.folder) != 0) giveUp(stepFolder, errno);
    giveUp(stepExec, executeFirst(prepared));
    ::_exit(127);
}

// Blocks all signals of the calling thread for a while, so that no handler of the launcher runs in
// the child.
class SignalsBlocked {
   public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

   private:
    sigset_t before_;
};

}  // namespace

UniqueFd aboveStandard(UniqueFd fd) {
    if (fd.get() > 2) return fd;
    UniqueFd higher(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!higher) fail("fcntl");
    return higher;
}

ChildProcess::ChildProcess(const Program& program, const Inheritance& inheritance)
    : file_(program.file), cwd_(program.cwd) {
    const Prepared prepared(program, inheritance);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    failure_ = UniqueFd(ends[0]);
    UniqueFd tell(ends[1]);
    tell = aboveStandard(std::move(tell));
    {
        const SignalsBlocked blocked;
        pid_ = ::fork();
        if (pid_ == 0) becomeProgram(prepared, tell.get());
    }
    if (pid_ < 0) {
        reaped_ = true;
        fail("fork");
    }
    // Also here, so that the group exists before anybody signals it. EACCES: the child has executed
    // already.
    ::setpgid(pid_, pid_);
    pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) {
        const int error = errno;
        // The destructor does not run for a constructor that throws.
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        errno = error;
        fail("pidfd_open");
    }
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(other.pid_),
      reaped_(std::exchange(other.reaped_, true)),
      pidfd_(std::move(other.pidfd_)),
      failure_(std::move(other.failure_)),
      file_(std::move(other.file_)),
      cwd_(std::move(other.cwd_)) {}

ChildProcess::~ChildProcess() {
    if (reaped_) return;
    signalGroup(SIGKILL);
    signal(SIGKILL);
    reap();
}

void ChildProcess::confirm() {
    Failure failure{};
    ssize_t got;
    do {
        got = ::read(failure_.get(), &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    failure_.reset();
    if (got == sizeof failure) explain(failure.step, failure.error);
}

void ChildProcess::explain(int step, int error) const {
    const std::string file = "'" + file_ + "'";
    switch (step) {
        case stepGroup:
            throw SpawnError(error, "setpgid", "cannot make a process group for " + file);
        case stepDeathSignal:
            throw SpawnError(error, "prctl",
                             "cannot tie the life of " + file + " to the launcher's");
        case stepStandard:
            throw SpawnError(error, "dup2", "cannot give " + file + " its standard streams");
        case stepControl:
            throw SpawnError(error, "fcntl", "cannot give " + file + " its control socket");
        case stepFolder:
            throw SpawnError(error, "chdir",
                             "cannot start " + file + " in the folder '" + cwd_ + "'");
        default:
            break;
    }
    if (error == ENOENT && file_.find('/') == std::string::npos) {
        throw SpawnError(error, "execve",
                         "cannot execute " + file + ", which is in no folder of PATH");
    }
    // Relative to the launcher's folder only when the program is not started in another one.
    if (error == ENOENT && (cwd_.empty() || file_.starts_with('/')) &&
        ::access(file_.c_str(), F_OK) == 0) {
        throw SpawnError(error, "execve",
                         "cannot execute " + file + ", whose interpreter does not exist");
    }
    throw SpawnError(error, "execve", "cannot execute " + file);
}

ChildProcess::Ending ChildProcess::ending() const {
    siginfo_t info{};
    int result;
    do {
        result = ::waitid(kWaitByPidfd, static_cast<id_t>(pidfd_.get()), &info,
                          WEXITED | WNOWAIT | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        // ECHILD: somebody else in this process has reaped it, and with it the only knowledge of
        // how it ended.
        return {.code = 1, .signal = 0};
    }
    if (info.si_code == CLD_EXITED) return {.code = info.si_status, .signal = 0};
    return {.code = 0, .signal = info.si_status};
}

void ChildProcess::signalGroup(int signal) const { ::kill(-pid_, signal); }

void ChildProcess::signal(int signal) const {
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

bool ChildProcess::hasGroup() const { return ::kill(-pid_, 0) == 0 || errno != ESRCH; }

void ChildProcess::reap() {
    siginfo_t info{};
    while (::waitid(kWaitByPidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 &&
           errno == EINTR) {
    }
    reaped_ = true;
}

}  // namespace onecopy
