// Whole jobs with real processes: how ranks join, find each other, and are gone in the end.

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/launch/job.h"
#include "test/control_client.h"
#include "test/harness.h"
#include "test/job_under_test.h"

extern char** environ;

namespace onecopy::test {
namespace {

using std::chrono::milliseconds;

// ----------------------------------------------------------------------------------------- joining

RANK_PROGRAM("join") {
    ControlClient client;
    if (!client.join()) return 1;
    std::string line = std::to_string(client.rank()) + " of " + std::to_string(client.size()) + ":";
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (!text.starts_with("ONECOPY_") && !text.starts_with("OMPI_") &&
            !text.starts_with("PMI_"))
            continue;
        if (text.starts_with("ONECOPY_CONTROL=")) continue;
        line += " " + std::string(text);
    }
    say(line);
    return 0;
}

TEST("job: each rank learns its place from the environment and from its welcome") {
    JobOptions options = rankProgram(3, "join");
    // As for a launcher that is itself a rank.
    for (const char* outer :
         {"ONECOPY_CONTROL=77:1", "ONECOPY_JOB=outer", "ONECOPY_RANK=9", "ONECOPY_SIZE=10",
          "OMPI_COMM_WORLD_RANK=9", "OMPI_COMM_WORLD_NODE_RANK=9"}) {
        options.program.env.push_back(outer);
    }
    JobUnderTest job(options);
    CHECK_EQ(job.job().id().size(), 16u);
    for (std::size_t rank = 0; rank < 3; ++rank) {
        const std::string r = std::to_string(rank);
        CHECK_EQ(job.line(rank), r + " of 3: ONECOPY_JOB=" + job.job().id() + " ONECOPY_RANK=" + r +
                                     " ONECOPY_SIZE=3 OMPI_COMM_WORLD_RANK=" + r +
                                     " OMPI_COMM_WORLD_SIZE=3 OMPI_COMM_WORLD_LOCAL_RANK=" + r +
                                     " OMPI_COMM_WORLD_LOCAL_SIZE=3");
    }
    CHECK(!job.waitForEnd());
}

RANK_PROGRAM("greet") {
    ControlClient client;
    client.send(client.greeting());
    const ControlPacket answer = client.receive();
    say(answer.kind() == ControlKind::welcome ? "welcome" : answer.text());
    return 0;
}

TEST("job: a rank behind a wrapper is told what to do; behind exec it is welcome") {
    JobOptions options = rankProgram(1, "greet");
    const std::string command = "'" + selfPath() + "' --rank-program greet";
    options.program.file = "/bin/sh";
    options.program.args = {"-c", command + "; exit 0"};
    JobUnderTest wrapped(options);
    const std::string refusal = wrapped.line(0);
    CHECK(contains(refusal, "rank 0 is process " + std::to_string(wrapped.pid(0)) + " (`sh`)"));
    CHECK(contains(refusal, "start the program directly, or with exec"));
    CHECK(!wrapped.waitForEnd());
    CHECK(wrapped.hasNote("uses onecopy in its name"));

    options.program.args = {"-c", "exec " + command};
    JobUnderTest direct(options);
    CHECK_EQ(direct.line(0), "welcome");
    CHECK(!direct.waitForEnd());
}

RANK_PROGRAM("try to write") {
    ControlClient client;
    REQUIRE(client.join());
    const int job = client.jobSegment();
    const std::size_t bytes = JobSegment::bytesFor(client.size());
    CHECK(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, job, 0) == MAP_FAILED);
    CHECK(::mprotect(const_cast<JobSegment*>(&client.job()), bytes, PROT_READ | PROT_WRITE) != 0);
    for (const int fd : {job, client.rankSegment()}) {
        CHECK(::pwrite(fd, "x", 1, 0) < 0);
        CHECK(::ftruncate(fd, 0) != 0);
        CHECK(::ftruncate(fd, 1 << 20) != 0);
    }
    return 0;
}

TEST("job: a rank cannot write or resize the job segment, nor its own but through its mapping") {
    JobUnderTest job(rankProgram(2, "try to write"));
    CHECK(!job.waitForEnd());
}

// -------------------------------------------------------------------------------------- connecting

// Connects to every rank, then says one byte over every connection.
RANK_PROGRAM("connect to all") {
    ControlClient client;
    REQUIRE(client.join());
    std::vector<UniqueFd> sockets(client.size());
    for (std::size_t peer = 0; peer < client.size(); ++peer) {
        if (peer != client.rank()) client.connect(peer);
    }
    for (std::size_t i = 1; i < client.size(); ++i) {
        ControlPacket packet = client.receive();
        REQUIRE(packet.kind() == ControlKind::peer &&
                packet.descriptors.size() == kPeerDescriptors);
        const auto message = packet.as<PeerMessage>();
        CHECK_EQ(message.pid, client.job().rank(message.peer).pid.load());
        CHECK(!sockets[message.peer]);
        sockets[message.peer] = std::move(packet.descriptors[0]);
        client.say(ControlKind::ack);
    }
    for (std::size_t peer = 0; peer < client.size(); ++peer) {
        if (peer == client.rank()) continue;
        const auto self = static_cast<unsigned char>(client.rank());
        CHECK_EQ(::write(sockets[peer].get(), &self, 1), 1);
    }
    for (std::size_t peer = 0; peer < client.size(); ++peer) {
        if (peer == client.rank()) continue;
        ControlClient line(std::move(sockets[peer]), 0);
        const ControlPacket heard = line.receive();
        CHECK(heard.bytes.size() == 1 && heard.bytes[0] == static_cast<std::byte>(peer));
    }
    CHECK(client.receive(0).kind() == ControlKind{});
    client.say(ControlKind::leaving);
    client.say(ControlKind::left);
    return 0;
}

TEST("job: ranks that all connect at once share one connection per pair") {
    JobUnderTest job(rankProgram(6, "connect to all"));
    CHECK(!job.waitForEnd());
}

TEST("job: a launcher that is short of descriptors still connects everybody") {
    CHECK_EQ(runInChild([] {
                 JobUnderTest job(rankProgram(8, "connect to all"));
                 rlimit limit{};
                 ::getrlimit(RLIMIT_NOFILE, &limit);
                 // Room for one connection and a little: there are holes below the highest
                 // descriptor as well.
                 limit.rlim_cur = static_cast<rlim_t>(openDescriptors().back()) + 5;
                 REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
                 CHECK(!job.waitForEnd());
             }),
             0);
}

TEST("job: too few descriptors to start is an error that leaves nothing") {
    CHECK_EQ(runInChild([] {
                 JobUnderTest(rankProgram(1, "exit", {"0"})).waitForEnd();
                 const auto before = openDescriptors();
                 rlimit limit{};
                 ::getrlimit(RLIMIT_NOFILE, &limit);
                 limit.rlim_cur = 60;
                 REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
                 try {
                     JobUnderTest job(rankProgram(32, "wait for good"));
                     fail("the job was started");
                 } catch (const std::system_error& error) {
                     CHECK_EQ(error.code().value(), EMFILE);
                 }
                 CHECK(openDescriptors() == before);
                 CHECK(::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD);
             }),
             0);
}

// Rank 0 asks about rank 2, which is gone, without end and without reading; the others are not held
// up.
RANK_PROGRAM("flood") {
    ControlClient client;
    REQUIRE(client.join());
    if (client.rank() == 2) return 0;
    REQUIRE(client.waitForState(2, RankState::left));
    if (client.rank() == 0) {
        say("flooding");
        for (;;) client.connect(2);
    }
    Gate::pass(args.at(0));
    client.connect(client.rank() == 1 ? 3 : 1);
    if (client.receive().kind() != ControlKind::peer) return 1;
    say("connected");
    Gate::pass(args.at(1));
    return client.abort(3, false, "enough") ? 3 : 1;
}

TEST("job: a rank that floods the launcher holds nobody up") {
    Gate flooding;
    Gate done;
    JobOptions options = rankProgram(4, "flood", {flooding.path(), done.path()});
    options.grace = milliseconds(200);
    JobUnderTest job(options);
    CHECK_EQ(job.line(0), "flooding");
    flooding.open();
    CHECK_EQ(job.line(1), "connected");
    done.open();
    const auto cause = job.waitForEnd();
    CHECK(cause && cause->kind == Cause::Kind::abort);
}

// ----------------------------------------------------------------------------------------- the Job

TEST("job: an abandoned one takes its ranks with it, and leaves no descriptor") {
    JobUnderTest(rankProgram(1, "exit", {"0"})).waitForEnd();
    const auto before = openDescriptors();
    pid_t pid = 0;
    {
        JobUnderTest job(rankProgram(2, "wait for good"));
        pid = job.pid(1);
        CHECK_EQ(job.line(1), "ready");
    }
    CHECK(::kill(pid, 0) != 0);
    CHECK(openDescriptors() == before);
}

TEST("job: one at a time, for signals belong to the process") {
    JobUnderTest first(rankProgram(1, "wait for good"));
    try {
        JobUnderTest second(rankProgram(1, "wait for good"));
        fail("a second job was started");
    } catch (const std::system_error& error) {
        CHECK_EQ(error.code().value(), EBUSY);
    }
    CHECK_EQ(first.line(0), "ready");
    first.job().stop();
    CHECK_EQ(first.waitForEnd().has_value(), true);
    JobUnderTest third(rankProgram(1, "exit", {"0"}));
    CHECK(!third.waitForEnd());
}

TEST("job: sizes that make no sense are refused") {
    for (const std::size_t ranks : {std::size_t{0}, kMaxRanks + 1}) {
        try {
            JobUnderTest job(rankProgram(ranks, "exit", {"0"}));
            fail("the job was started");
        } catch (const std::invalid_argument&) {
        }
    }
}

}  // namespace
}  // namespace onecopy::test
