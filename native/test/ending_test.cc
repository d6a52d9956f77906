// How ranks die, who is told, and how a job ends: real processes.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/launch/job.h"
#include "core/os/clock.h"
#include "test/control_client.h"
#include "test/harness.h"
#include "test/job_under_test.h"

namespace onecopy::test {
namespace {

using std::chrono::milliseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr Nanoseconds kSlower = 10;  // what a sanitizer costs, at most
#else
constexpr Nanoseconds kSlower = 1;
#endif

// What the product promises: a waiter is told of a death within this time, and a job is over so
// long after its grace period.
constexpr Nanoseconds kToldWithin = kSlower * 100'000'000;
constexpr Nanoseconds kOverWithin = kSlower * 1'000'000'000;

std::size_t indexOf(const std::vector<JobEvent>& events, JobEvent::Kind kind, int rank = -1) {
    const auto found = std::ranges::find_if(events, [&](const JobEvent& event) {
        return event.kind == kind && (rank < 0 || event.rank == rank);
    });
    return static_cast<std::size_t>(found - events.begin());
}

// ------------------------------------------------------------------------------- deaths and states

// Rank 0 waits for the end of rank 1 and says when it saw it; rank 1 ends in the given way.
RANK_PROGRAM("watch a death") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 1) {
        say("ready");
        Gate::pass(args.at(0));
        if (args.at(1) == "kill") ::kill(::getpid(), SIGKILL);
        if (args.at(1) == "left") client.say(ControlKind::left);
        ::_exit(std::atoi(args.at(2).c_str()));
    }
    const RankState expected = args.at(1) == "left" ? RankState::left : RankState::dead;
    if (!client.waitForState(1, expected)) return 1;
    say(std::to_string(now()));
    return 0;
}

// Waits for the end of a rank and returns the time; the kernel needs a while to take down a large
// process. A job that is over by then has reaped the rank.
Nanoseconds timeOfDeath(pid_t pid) {
    siginfo_t info{};
    CHECK(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0 ||
          errno == ECHILD);
    return now();
}

void expectDeath(const std::string& how, int code, bool byTest) {
    Gate gate;
    JobUnderTest job(rankProgram(2, "watch a death", {gate.path(), how, std::to_string(code)}));
    CHECK_EQ(job.line(1), "ready");
    const Nanoseconds start = now();
    if (byTest) ::kill(job.pid(1), SIGKILL);
    gate.open();
    const Nanoseconds dead = timeOfDeath(job.pid(1));
    const Nanoseconds seen = std::strtoull(job.line(0).c_str(), nullptr, 10);
    CHECK(seen >= start && seen < dead + kToldWithin);
    const auto cause = job.waitForEnd();
    REQUIRE(cause || code == 0);
    if (code == 0 && how == "left") {
        CHECK(!cause);
        return;
    }
    CHECK_EQ(cause->rank, 1);
    CHECK_EQ(cause->pid, job.pid(1));
    CHECK_EQ(cause->exitCode, code);
    CHECK(cause->kind == (code > 128 ? Cause::Kind::signal : Cause::Kind::exit));
    const auto events = job.events();
    CHECK(indexOf(events, JobEvent::Kind::exit, 1) < indexOf(events, JobEvent::Kind::ending));
    CHECK(events.back().kind == JobEvent::Kind::end);
}

TEST("job: a waiter is told of an exit with a code within 100 ms") {
    expectDeath("exit", 7, false);
}
TEST("job: a waiter is told of a fatal signal within 100 ms") { expectDeath("kill", 137, false); }
TEST("job: a waiter is told of kill -9 from outside within 100 ms") {
    expectDeath("exit", 137, true);
}
TEST("job: a waiter is told of a rank that leaves within 100 ms") { expectDeath("left", 0, false); }
TEST("job: a rank that leaves and then fails has left, and ends the job") {
    expectDeath("left", 4, false);
}

RANK_PROGRAM("see all leave") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 0) {
        for (std::size_t rank = 1; rank < client.size(); ++rank)
            REQUIRE(client.waitForState(rank, RankState::left));
    }
    return 0;
}

TEST("job: who exits with 0 has left, said so or not") {
    JobUnderTest job(rankProgram(3, "see all leave"));
    CHECK(!job.waitForEnd());
}

TEST("job: programs that know nothing of onecopy are ranks as well") {
    JobOptions options = rankProgram(3, "");
    options.program.file = "true";
    options.program.args = {};
    CHECK(!JobUnderTest(options).waitForEnd());
    options.program.file = "false";
    const auto cause = JobUnderTest(options).waitForEnd();
    CHECK(cause && cause->exitCode == 1);
}

TEST("job: exit codes are seen by a launcher that inherited SIGCHLD ignored") {
    ::signal(SIGCHLD, SIG_IGN);
    JobUnderTest job(rankProgram(1, "exit", {"6"}));
    const auto cause = job.waitForEnd();
    CHECK(cause && cause->exitCode == 6);
    struct sigaction after {};
    ::sigaction(SIGCHLD, nullptr, &after);
    CHECK(after.sa_handler == SIG_IGN);
}

// ------------------------------------------------------------------------------------------ ending

RANK_PROGRAM("abort") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 1) {
        client.abort(std::atoi(args.at(0).c_str()), args.at(1) == "uncaught", "Error: broken");
        for (;;) ::pause();
    }
    REQUIRE(client.waitForEnding());
    CHECK_EQ(client.job().header.culprit.load(), 1);
    say("told");
    return 0;
}

TEST("job: abort ends the job with its code and text") {
    JobUnderTest job(rankProgram(3, "abort", {"42", "called"}));
    CHECK_EQ(job.line(0), "told");
    CHECK_EQ(job.line(2), "told");
    job.job().end(SIGTERM);
    const auto cause = job.waitForEnd();
    REQUIRE(cause.has_value());
    CHECK(cause->kind == Cause::Kind::abort);
    CHECK_EQ(cause->rank, 1);
    CHECK_EQ(cause->exitCode, 42);
    CHECK_EQ(cause->text, "Error: broken");
    const auto events = job.events();
    CHECK(indexOf(events, JobEvent::Kind::abort) < indexOf(events, JobEvent::Kind::ending));
    CHECK(indexOf(events, JobEvent::Kind::ending) < indexOf(events, JobEvent::Kind::exit, 1));
    CHECK_EQ(events[indexOf(events, JobEvent::Kind::exit, 1)].signal, SIGTERM);
}

TEST("job: an uncaught error is one, and no exit code of a failure becomes 0") {
    JobOptions options = rankProgram(2, "abort", {"256", "uncaught"});
    options.grace = milliseconds(0);
    const auto cause = JobUnderTest(options).waitForEnd();
    CHECK(cause && cause->kind == Cause::Kind::uncaught);
    CHECK_EQ(cause->exitCode, 1);
}

// Says much, and why it ends, and ends, all while the launcher looks elsewhere.
RANK_PROGRAM("last words") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 1) {
        Gate::pass(args.at(0));
        return 0;
    }
    say("ready");
    REQUIRE(client.waitForState(1, RankState::left));
    for (int i = 0; i < 100; ++i) client.say(ControlKind::leaving);
    client.abort(42, true, "Error: broken");
    ::_exit(5);
}

TEST("job: what a rank said before it died is heard") {
    Gate gate;
    JobUnderTest job(rankProgram(2, "last words", {gate.path()}));
    CHECK_EQ(job.line(0), "ready");
    {
        // The thread stops where it reports the end of rank 1, which it has told rank 0 before.
        const auto held = job.hold();
        gate.open();
        timeOfDeath(job.pid(0));
    }
    const auto cause = job.waitForEnd();
    REQUIRE(cause.has_value());
    CHECK(cause->kind == Cause::Kind::uncaught);
    CHECK_EQ(cause->rank, 0);
    CHECK_EQ(cause->exitCode, 42);
}

RANK_PROGRAM("talk nonsense") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 0) client.connect(0);
    return client.waitForEnding() ? 0 : 1;
}

TEST("job: a rank that breaks the protocol ends its job") {
    JobUnderTest job(rankProgram(2, "talk nonsense"));
    const auto cause = job.waitForEnd();
    REQUIRE(cause.has_value());
    CHECK(cause->kind == Cause::Kind::abort);
    CHECK_EQ(cause->rank, 0);
    CHECK(contains(cause->text, "rank 0 sent the launcher a packet"));
}

volatile sig_atomic_t lastSignal = 0;

void remember(int signal) {
    lastSignal = signal;
    const char* text = signal == SIGTERM  ? "SIGTERM\n"
                       : signal == SIGINT ? "SIGINT\n"
                                          : "SIGUSR2\n";
    [[maybe_unused]] const ssize_t written = ::write(1, text, std::strlen(text));
}

// Rank 0 says what signals it gets and stays; rank 1 fails as soon as the gate is open.
RANK_PROGRAM("stay") {
    if (std::getenv("ONECOPY_RANK") == std::string("1")) {
        Gate::pass(args.at(0));
        return 9;
    }
    for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) ::signal(signal, remember);
    say("ready");
    for (;;) ::pause();
}

TEST("job: a rank that stays gets SIGTERM after half of the grace period and SIGKILL at its end") {
    Gate gate;
    JobOptions options = rankProgram(2, "stay", {gate.path()});
    options.grace = milliseconds(1000);
    JobUnderTest job(options);
    CHECK_EQ(job.line(0), "ready");
    gate.open();
    job.waitFor(JobEvent::Kind::ending);
    const Nanoseconds start = now();
    CHECK_EQ(job.line(0), "SIGTERM");
    const Nanoseconds half = now() - start;
    CHECK_EQ(job.waitFor(JobEvent::Kind::exit, 0).signal, SIGKILL);
    const Nanoseconds whole = now() - start;
    const auto cause = job.waitForEnd();
    CHECK(cause && cause->rank == 1 && cause->exitCode == 9);
    // The event was seen a little after the clock of the grace period started.
    CHECK(half >= 450'000'000);
    CHECK(whole >= 950'000'000 && whole < 1'000'000'000 + kOverWithin);
}

RANK_PROGRAM("stop") {
    if (std::getenv("ONECOPY_RANK") == std::string("1")) {
        Gate::pass(args.at(0));
        return 9;
    }
    say("stopping");
    ::raise(SIGSTOP);
    return 0;
}

TEST("job: a stopped rank ends with the others, by SIGTERM") {
    Gate gate;
    JobOptions options = rankProgram(2, "stop", {gate.path()});
    options.grace = milliseconds(1000);
    JobUnderTest job(options);
    CHECK_EQ(job.line(0), "stopping");
    int status = 0;
    CHECK_EQ(::waitpid(job.pid(0), &status, WUNTRACED), job.pid(0));
    gate.open();
    CHECK_EQ(job.waitFor(JobEvent::Kind::exit, 0).signal, SIGTERM);
    job.waitForEnd();
}

// Rank 0 leaves a child behind that ignores SIGTERM; rank 1 ends later.
RANK_PROGRAM("leave a child") {
    if (std::getenv("ONECOPY_RANK") == std::string("1")) {
        Gate::pass(args.at(0));
        return std::atoi(args.at(1).c_str());
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGTERM, SIG_IGN);
        for (;;) ::pause();
    }
    say(std::to_string(child));
    return 0;
}

void expectNoStray(const std::string& code) {
    Gate gate;
    JobOptions options = rankProgram(2, "leave a child", {gate.path(), code});
    options.grace = milliseconds(100);
    JobUnderTest job(options);
    const pid_t child = static_cast<pid_t>(std::atoi(job.line(0).c_str()));
    REQUIRE(child > 0);
    job.waitFor(JobEvent::Kind::exit, 0);
    // It lives as long as the job.
    CHECK_EQ(::kill(child, 0), 0);
    gate.open();
    job.waitForEnd();
    CHECK(isGone(child));
}

TEST("job: what a finished rank left in its group ends with the job") { expectNoStray("0"); }
TEST("job: what a finished rank left in its group ends with a failed job") { expectNoStray("3"); }

// ---------------------------------------------------------------------------- signals from outside

TEST("job: a signal to the launcher is passed on at once, a second one kills") {
    JobUnderTest job(rankProgram(1, "stay"));
    CHECK_EQ(job.line(0), "ready");
    ::raise(SIGINT);
    CHECK_EQ(job.line(0), "SIGINT");
    const auto ending = job.waitFor(JobEvent::Kind::ending);
    CHECK(ending.cause && ending.cause->kind == Cause::Kind::interrupted);
    ::raise(SIGTERM);
    const auto cause = job.waitForEnd();
    REQUIRE(cause.has_value());
    CHECK_EQ(cause->rank, -1);
    CHECK_EQ(cause->signal, SIGINT);
    CHECK_EQ(cause->exitCode, 128 + SIGINT);
    const auto events = job.events();
    CHECK_EQ(events[indexOf(events, JobEvent::Kind::exit, 0)].signal, SIGKILL);
}

TEST("job: the same signal twice in a moment, as from Ctrl-C under npx, is one") {
    JobUnderTest job(rankProgram(1, "stay"));
    CHECK_EQ(job.line(0), "ready");
    ::raise(SIGINT);
    ::raise(SIGINT);
    CHECK_EQ(job.line(0), "SIGINT");
    ::usleep(kMoment * 1000);
    CHECK_EQ(job.events().size(), 1u);  // ending
    job.job().end(SIGTERM);
    job.waitForEnd();
}

TEST("job: SIGUSR2 is passed on and ends nothing") {
    JobUnderTest job(rankProgram(1, "stay"));
    CHECK_EQ(job.line(0), "ready");
    ::raise(SIGUSR2);
    CHECK_EQ(job.line(0), "SIGUSR2");
    CHECK(job.events().empty());
    job.job().end(SIGINT);
    CHECK_EQ(job.line(0), "SIGINT");
    job.job().end(SIGINT);
    const auto cause = job.waitForEnd();
    CHECK(cause && cause->kind == Cause::Kind::interrupted && cause->exitCode == 128 + SIGINT);
}

TEST("job: the launcher's signal handlers are its own again after the end") {
    struct sigaction before {};
    before.sa_handler = remember;
    ::sigaction(SIGTERM, &before, nullptr);
    ::signal(SIGHUP, SIG_IGN);
    {
        JobUnderTest job(rankProgram(1, "stay"));
        job.line(0);
        struct sigaction during {};
        ::sigaction(SIGTERM, nullptr, &during);
        CHECK(during.sa_handler != remember);
        // Ignored stays ignored, as under nohup.
        ::sigaction(SIGHUP, nullptr, &during);
        CHECK(during.sa_handler == SIG_IGN);
        job.job().end(SIGKILL);
        job.waitForEnd();
        struct sigaction after {};
        ::sigaction(SIGTERM, nullptr, &after);
        CHECK(after.sa_handler == remember);
    }
    struct sigaction after {};
    ::sigaction(SIGINT, nullptr, &after);
    CHECK(after.sa_handler == SIG_DFL);
}

TEST("job: the end of a guardian ends the job") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t guardian = ::fork();
    if (guardian == 0) {
        ::close(ends[1]);
        char byte;
        ::_exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    JobOptions options = rankProgram(2, "wait for good");
    options.guardians = {guardian};
    options.grace = milliseconds(100);
    JobUnderTest job(options);
    CHECK_EQ(job.line(1), "ready");
    CHECK(job.events().empty());
    ::close(ends[1]);
    const auto cause = job.waitForEnd();
    REQUIRE(cause.has_value());
    CHECK(cause->kind == Cause::Kind::guardian);
    CHECK_EQ(cause->pid, guardian);
    ::waitpid(guardian, nullptr, 0);
    // One that is gone already ends the next job at once.
    CHECK(JobUnderTest(options).waitForEnd()->kind == Cause::Kind::guardian);
}

}  // namespace
}  // namespace onecopy::test
