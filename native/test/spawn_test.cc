// Starting a rank's process: what it inherits, and how a failure is told.

#include "core/launch/spawn.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "test/harness.h"
#include "test/job_under_test.h"

namespace onecopy::test {
namespace {

// What starting this throws; the test fails if it does not, or if anything is left behind.
SpawnError failureOf(const JobOptions& options) {
    const auto descriptors = openDescriptors();
    try {
        JobUnderTest job(options);
    } catch (const SpawnError& error) {
        CHECK(openDescriptors() == descriptors);
        CHECK(::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD);
        return error;
    }
    fail("the job was started");
    throw Abandoned{};
}

// The launcher keeps one descriptor for its signals for good.
void openWhatStaysOpen() { JobUnderTest(rankProgram(1, "exit", {"0"})).waitForEnd(); }

RANK_PROGRAM("exit") { return std::atoi(args.at(0).c_str()); }

class Folder {
   public:
    Folder() {
        char name[] = "/tmp/onecopy-test-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    const std::string& path() const { return path_; }
    std::string write(const std::string& name, const std::string& text, mode_t mode) const {
        const std::string file = path_ + "/" + name;
        std::ofstream(file) << text;
        ::chmod(file.c_str(), mode);
        return file;
    }

   private:
    std::string path_;
};

TEST("spawn: a program that does not exist is a clear error and leaves nothing") {
    openWhatStaysOpen();
    JobOptions options = rankProgram(3, "exit");
    options.program.file = "/nowhere/program";
    const SpawnError error = failureOf(options);
    CHECK_EQ(error.code().value(), ENOENT);
    CHECK_EQ(std::string(error.syscall()), "execve");
    CHECK(contains(error.what(), "/nowhere/program"));
}

TEST("spawn: a name is looked up in the PATH that the rank will have") {
    openWhatStaysOpen();
    const Folder folder;
    folder.write("prog", "#!/bin/sh\nexit 4\n", 0755);
    JobOptions options = rankProgram(1, "exit");
    options.program.file = "prog";
    options.program.env = {"PATH=/nowhere:" + folder.path() + ":/bin"};
    const auto cause = JobUnderTest(options).waitForEnd();
    CHECK(cause && cause->exitCode == 4);
    options.program.env = {"PATH=/nowhere:/bin"};
    CHECK(contains(failureOf(options).what(), "PATH"));
}

TEST("spawn: a file that must not be executed, one in an empty PATH entry, a folder") {
    openWhatStaysOpen();
    const Folder folder;
    JobOptions options = rankProgram(2, "exit");
    options.program.file = folder.write("plain", "text", 0644);
    CHECK_EQ(failureOf(options).code().value(), EACCES);
    options.program.file = folder.path();
    CHECK_EQ(failureOf(options).code().value(), EACCES);
    folder.write("here", "#!/bin/sh\nexit 5\n", 0755);
    options.program.file = "here";
    options.program.env = {"PATH=/nowhere:"};
    options.program.cwd = folder.path();
    const auto cause = JobUnderTest(options).waitForEnd();
    CHECK(cause && cause->exitCode == 5);
}

TEST("spawn: a script whose interpreter does not exist says so") {
    openWhatStaysOpen();
    const Folder folder;
    JobOptions options = rankProgram(1, "exit");
    options.program.file = folder.write("script", "#!/nowhere/sh\n", 0755);
    CHECK(contains(failureOf(options).what(), "interpreter"));
    options.program.file = folder.write("junk", "not a program", 0755);
    CHECK_EQ(failureOf(options).code().value(), ENOEXEC);
}

TEST("spawn: a folder that does not exist is named") {
    openWhatStaysOpen();
    JobOptions options = rankProgram(1, "exit");
    options.program.cwd = "/nowhere/folder";
    const SpawnError error = failureOf(options);
    CHECK_EQ(std::string(error.syscall()), "chdir");
    CHECK(contains(error.what(), "/nowhere/folder"));
}

RANK_PROGRAM("arguments") {
    char folder[4096];
    std::printf("%s", ::getcwd(folder, sizeof folder));
    for (const std::string& argument : args) std::printf(" [%s]", argument.c_str());
    return 0;
}

TEST("spawn: arguments and folder arrive as they are") {
    JobOptions options = rankProgram(1, "arguments", {"", "a b", "$x\n"});
    options.program.cwd = "/usr";
    JobUnderTest job(options);
    CHECK_EQ(job.rest(0), "/usr [] [a b] [$x\n]");
}

RANK_PROGRAM("descriptors") {
    const std::string control = std::getenv("ONECOPY_CONTROL");
    const int expected = std::atoi(control.c_str());
    for (const int fd : openDescriptors()) {
        std::printf("%s ", fd == expected ? "control" : std::to_string(fd).c_str());
    }
    struct stat info {};
    ::fstat(expected, &info);
    const bool agrees = control == std::to_string(expected) + ":" + std::to_string(info.st_ino);
    std::printf("%s %d", agrees ? "inode" : "no inode", ::fcntl(expected, F_GETFD));
    return 0;
}

TEST("spawn: a rank inherits its standard streams and its control socket, nothing else") {
    const UniqueFd leaky(::fcntl(1, F_DUPFD, 100));
    const UniqueFd high(::fcntl(1, F_DUPFD, 900));
    JobUnderTest job(rankProgram(3, "descriptors"));
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK_EQ(job.rest(rank), "0 1 2 control inode 0");
    }
}

// Makes a system call fail as on a kernel that does not have it, for this process and its children.
void forget(long call) {
    std::array<sock_filter, 4> code{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
    REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0);
}

TEST("spawn: nothing else is inherited on a kernel without close_range either") {
    forget(SYS_close_range);
    const UniqueFd high(::fcntl(1, F_DUPFD, 900));
    JobUnderTest job(rankProgram(1, "descriptors"));
    CHECK_EQ(job.rest(0), "0 1 2 control inode 0");
}

TEST("spawn: works for a launcher without standard streams") {
    CHECK_EQ(runInChild([] {
                 ::close(0);
                 ::close(1);
                 JobUnderTest job(rankProgram(2, "descriptors"));
                 CHECK_EQ(job.rest(0), "0 1 2 control inode 0");
                 CHECK_EQ(job.rest(1), "0 1 2 control inode 0");
             }),
             0);
}

RANK_PROGRAM("birth") {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    int blocked = 0;
    int ignored = 0;
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        if (::sigaction(signal, nullptr, &action) != 0) continue;
        blocked += ::sigismember(&mask, signal) == 1 ? 1 : 0;
        ignored += action.sa_handler == SIG_IGN ? 1 : 0;
    }
    int deathSignal = 0;
    ::prctl(PR_GET_PDEATHSIG, &deathSignal);
    std::printf("%d %d %s %d", blocked, ignored, ::getpgrp() == ::getpid() ? "leader" : "member",
                deathSignal);
    return 0;
}

TEST("spawn: a rank is born with default signals, a group of its own, and dies with its launcher") {
    sigset_t some;
    ::sigemptyset(&some);
    ::sigaddset(&some, SIGUSR1);
    ::sigaddset(&some, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &some, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    JobUnderTest job(rankProgram(1, "birth"));
    CHECK_EQ(job.rest(0), "0 0 leader " + std::to_string(SIGKILL));
    // The launcher's own mask is as it was.
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    CHECK_EQ(::sigismember(&now, SIGUSR1), 1);
    CHECK_EQ(::sigismember(&now, SIGINT), 0);
}

RANK_PROGRAM("wait for good") {
    std::printf("ready\n");
    std::fflush(stdout);
    for (;;) ::pause();
}

TEST("spawn: the ranks of a launcher that is killed die with it") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::fflush(nullptr);
    const pid_t launcher = ::fork();
    if (launcher == 0) {
        JobUnderTest job(rankProgram(3, "wait for good"));
        for (std::size_t rank = 0; rank < 3; ++rank) {
            job.line(rank);
            const pid_t pid = job.pid(rank);
            if (::write(ends[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
        }
        for (;;) ::pause();
    }
    std::array<pid_t, 3> pids{};
    for (pid_t& pid : pids) REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
    ::kill(launcher, SIGKILL);
    for (const pid_t pid : pids) CHECK(isGone(pid));
    ::waitpid(launcher, nullptr, 0);
}

RANK_PROGRAM("read input") {
    char line[100] = {};
    const bool got = std::fgets(line, sizeof line, stdin) != nullptr;
    std::printf("%s", got ? line : "end of file");
    return 0;
}

TEST("spawn: rank 0 reads the pipe, the others read nothing") {
    JobUnderTest job(rankProgram(2, "read input"));
    CHECK_EQ(job.rest(1), "end of file");
    job.writeInput("hello\n");
    CHECK_EQ(job.rest(0), "hello\n");
}

TEST("spawn: rank 0 reads the descriptor that it is given, also when that is 0") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(::write(ends[1], "given\n", 6) == 6);
    JobOptions options = rankProgram(1, "read input");
    options.input = ends[0];
    CHECK_EQ(JobUnderTest(options).rest(0), "given\n");
    REQUIRE(::write(ends[1], "zero\n", 5) == 5);
    REQUIRE(::dup3(ends[0], 0, O_CLOEXEC) == 0);
    options.input = 0;
    CHECK_EQ(JobUnderTest(options).rest(0), "zero\n");
}

}  // namespace
}  // namespace onecopy::test
