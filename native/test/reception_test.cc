// What ranks say to the launcher, rightly and wrongly.

#include "core/launch/reception.h"

#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "core/os/packet_socket.h"
#include "test/harness.h"
#include "test/job_under_test.h"
#include "test/launcher_side.h"

namespace onecopy::test {
namespace {

TEST("reception: a right hello is welcomed with everything that a rank needs") {
    LauncherSide launcher(3);
    ControlClient& client = launcher.clients[1];
    client.send(client.greeting());
    CHECK(launcher.serve(1));
    const ControlPacket packet = client.receive();
    REQUIRE(packet.kind() == ControlKind::welcome);
    const auto welcome = packet.as<WelcomeMessage>();
    CHECK_EQ(packet.bytes.size(), sizeof welcome);
    CHECK_EQ(welcome.magic, kControlMagic);
    CHECK_EQ(welcome.version, kProtocolVersion);
    CHECK_EQ(welcome.rank, 1u);
    CHECK_EQ(welcome.size, 3u);
    REQUIRE(packet.descriptors.size() == kWelcomeDescriptors);
    CHECK_EQ(memoryBytes(packet.descriptors[0].get()), JobSegment::bytesFor(3));
    CHECK_EQ(memoryBytes(packet.descriptors[1].get()), kRankSegmentBytes);
    const Mapping job(packet.descriptors[0].get(), JobSegment::bytesFor(3), Mapping::Access::read);
    CHECK_EQ(job.as<const JobSegment>()->header.magic, kJobMagic);
    CHECK_EQ(job.as<const JobSegment>()->header.nonce, welcome.nonce);
    CHECK_EQ(job.as<const JobSegment>()->header.culprit.load(), -1);
    CHECK_EQ(job.as<const JobSegment>()->rank(2).pid.load(), ::getpid());
    const Mapping self(packet.descriptors[1].get(), kRankSegmentBytes, Mapping::Access::read);
    CHECK_EQ(self.as<const RankSegment>()->magic, kRankMagic);
    CHECK_EQ(self.as<const RankSegment>()->rank, 1u);
    CHECK_EQ(launcher.news(1), 1u);
    CHECK(launcher.aborts.empty());
}

TEST("reception: a hello from another process is rejected, naming both processes") {
    LauncherSide launcher(2);
    ControlClient& client = launcher.clients[1];
    const pid_t rank = ::getpid();
    pid_t impostor = 0;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    CHECK_EQ(runInChild([&] {
                 const pid_t self = ::getpid();
                 CHECK_EQ(::write(ends[1], &self, sizeof self), static_cast<ssize_t>(sizeof self));
                 CHECK(client.send(client.greeting()));
             }),
             0);
    REQUIRE(::read(ends[0], &impostor, sizeof impostor) == sizeof impostor);
    CHECK(launcher.serve(1));
    const ControlPacket packet = client.receive();
    REQUIRE(packet.kind() == ControlKind::rejected);
    CHECK(contains(packet.text(), "rank 1 is process " + std::to_string(rank)));
    CHECK(contains(packet.text(), "process " + std::to_string(impostor)));
    CHECK(contains(packet.text(), "start the program directly, or with exec"));
    CHECK_EQ(packet.as<RejectedMessage>().textBytes, packet.text().size());
    // The rank itself may still join.
    CHECK(launcher.join(1));
    CHECK(launcher.aborts.empty());
}

TEST("reception: once a rank has joined, a stranger on its socket is neither heard nor answered") {
    LauncherSide launcher(2);
    ControlClient& client = launcher.clients[0];
    REQUIRE(launcher.join(0));
    CHECK_EQ(runInChild([&] {
                 CHECK(client.send(client.greeting()));
                 CHECK(client.connect(1));
                 CHECK(client.say(ControlKind::left));
                 CHECK(client.send("junk", 4));
             }),
             0);
    CHECK(launcher.serve(0));
    CHECK(client.receive(0).kind() == ControlKind{});
    CHECK(launcher.roster.state(0) == RankState::running);
    CHECK(launcher.aborts.empty());
    CHECK_EQ(launcher.notes.size(), 4u);
}

TEST("reception: another job, another version, another pid namespace, each with its reason") {
    LauncherSide launcher(1);
    ControlClient& client = launcher.clients[0];
    const auto refusal = [&](const HelloMessage& hello) {
        client.send(hello);
        CHECK(launcher.serve(0));
        const ControlPacket packet = client.receive();
        CHECK(packet.kind() == ControlKind::rejected);
        CHECK(packet.descriptors.empty());
        return packet.text();
    };
    HelloMessage hello = client.greeting();
    hello.jobId ^= 1;
    CHECK(contains(refusal(hello), "another job"));
    hello = client.greeting();
    hello.version += 1;
    CHECK(contains(refusal(hello), "use the same installation"));
    hello = client.greeting();
    hello.pid += 1;
    CHECK(contains(refusal(hello), "pid namespace"));
    CHECK(launcher.aborts.empty());
    CHECK(launcher.join(0));
}

TEST("reception: a longer hello of a later version is told about the version") {
    LauncherSide launcher(1);
    ControlClient& client = launcher.clients[0];
    struct {
        HelloMessage hello;
        char more[100] = {};
    } later;
    later.hello = client.greeting();
    later.hello.version = 7;
    client.send(&later, sizeof later);
    CHECK(launcher.serve(0));
    CHECK(contains(client.receive().text(), "version 7"));
}

TEST("reception: a welcome that was not acknowledged may be asked for again, a few times") {
    LauncherSide launcher(1);
    ControlClient& client = launcher.clients[0];
    int welcomes = 0;
    int rejections = 0;
    for (int i = 0; i < 10; ++i) {
        client.send(client.greeting());
        CHECK(launcher.serve(0));
        const ControlPacket packet = client.receive();
        welcomes += packet.kind() == ControlKind::welcome ? 1 : 0;
        rejections += packet.kind() == ControlKind::rejected ? 1 : 0;
    }
    CHECK_EQ(welcomes, 3);
    CHECK_EQ(rejections, 7);
}

TEST("reception: a second engine in a process that has joined is rejected") {
    LauncherSide launcher(1);
    REQUIRE(launcher.join(0));
    ControlClient& client = launcher.clients[0];
    client.send(client.greeting());
    CHECK(launcher.serve(0));
    CHECK(contains(client.receive().text(), "two copies of onecopy"));
}

TEST("reception: states go forwards only, and everybody is told") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0));
    const std::uint32_t before = launcher.roster.header().changes.load();
    ControlClient& client = launcher.clients[0];
    client.say(ControlKind::leaving);
    launcher.serve(0);
    CHECK(launcher.roster.state(0) == RankState::leaving);
    client.say(ControlKind::left);
    client.say(ControlKind::leaving);
    launcher.serve(0);
    CHECK(launcher.roster.state(0) == RankState::left);
    CHECK_EQ(launcher.roster.header().changes.load(), before + 2);
}

TEST("reception: the first abort of a rank counts, with its text") {
    LauncherSide launcher(1);
    REQUIRE(launcher.join(0));
    ControlClient& client = launcher.clients[0];
    client.abort(7, true, "Error: no");
    client.abort(8, false, "");
    CHECK(launcher.serve(0));
    REQUIRE(launcher.aborts.size() == 1);
    CHECK_EQ(launcher.aborts[0].code, 7);
    CHECK(launcher.aborts[0].uncaught);
    CHECK_EQ(launcher.aborts[0].text, "Error: no");
}

// Each of these is sent by a rank that has joined; the rank is taken to have aborted, and its line
// is over.
TEST("reception: packets that break the protocol end the job, in the name of their rank") {
    struct Case {
        const char* name;
        std::function<void(ControlClient&)> send;
    };
    const std::vector<Case> cases{
        {"one byte", [](ControlClient& client) { client.send("x", 1); }},
        {"an unknown kind", [](ControlClient& client) { client.say(ControlKind{77}); }},
        {"a kind that only the launcher sends",
         [](ControlClient& client) { client.say(ControlKind::peer); }},
        {"a peer that does not exist", [](ControlClient& client) { client.connect(2); }},
        {"a huge peer", [](ControlClient& client) { client.connect(0xffffffff); }},
        {"oneself", [](ControlClient& client) { client.connect(0); }},
        {"no contexts at all", [](ControlClient& client) { client.send(ContextsMessage{}); }},
        {"more contexts than any call needs",
         [](ControlClient& client) {
             client.send(ContextsMessage{.count = kMostNewContexts + 1});
         }},
        {"nearly 2^32 contexts",
         [](ControlClient& client) { client.send(ContextsMessage{.count = 0xffffffff}); }},
        {"a question for contexts that is too short",
         [](ControlClient& client) { client.say(ControlKind::contexts); }},
        {"a connect that is too short",
         [](ControlClient& client) { client.say(ControlKind::connect); }},
        {"an acknowledgement that is too long",
         [](ControlClient& client) {
             ConnectMessage message;
             message.kind = ControlKind::ack;
             client.send(message);
         }},
        {"an abort that claims more text than it has",
         [](ControlClient& client) {
             AbortMessage message{};
             message.textBytes = 100;
             client.send(&message, offsetof(AbortMessage, text) + 10);
         }},
        {"an abort that claims nearly 4 GiB",
         [](ControlClient& client) {
             AbortMessage message{};
             message.textBytes = 0xfffffff0;
             client.send(&message, offsetof(AbortMessage, text));
         }},
        {"a packet that is too large",
         [](ControlClient& client) {
             const std::vector<std::byte> bytes(kMaxControlBytes + 1);
             client.send(bytes.data(), bytes.size());
         }},
        {"a hello without its magic",
         [](ControlClient& client) {
             HelloMessage hello = client.greeting();
             hello.magic = 0;
             client.send(hello);
         }},
        {"a packet with descriptors",
         [](ControlClient& client) {
             const int descriptors[] = {0, 1};
             const PlainMessage message{ControlKind::leaving};
             sendPacket(client.socket(), &message, sizeof message, descriptors);
         }},
    };
    for (const Case& one : cases) {
        LauncherSide launcher(2);
        REQUIRE(launcher.join(0));
        const std::size_t descriptors = openDescriptors().size();
        one.send(launcher.clients[0]);
        const bool goesOn = launcher.serve(0);
        const bool blamed = launcher.aborts.size() == 1 && launcher.aborts[0].rank == 0 &&
                            contains(launcher.aborts[0].text, "rank 0 sent");
        if (!CHECK(!goesOn && blamed)) std::fprintf(stderr, "  case: %s\n", one.name);
        CHECK_EQ(openDescriptors().size(), descriptors);
    }
}

TEST("reception: before its hello a rank has nothing to say") {
    LauncherSide launcher(2);
    launcher.clients[0].connect(1);
    CHECK(!launcher.serve(0));
    CHECK_EQ(launcher.aborts.size(), 1u);
}

TEST("reception: a closed socket ends the line and nothing else") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0));
    launcher.clients[0] = ControlClient(UniqueFd(), 0);
    CHECK(!launcher.serve(0));
    CHECK(launcher.aborts.empty());
}

TEST("reception: random packets never do more than end their own job") {
    std::mt19937_64 random(20260101);
    for (int round = 0; round < 300; ++round) {
        LauncherSide launcher(3);
        REQUIRE(launcher.join(0));
        for (int i = 0; i < 20; ++i) {
            std::vector<std::byte> bytes(1 + random() %
                                                 (random() % 8 == 0 ? kMaxControlBytes + 64 : 32));
            for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
            // Mostly a kind that exists, and small numbers behind it.
            const std::uint32_t words[2] = {static_cast<std::uint32_t>(random() % 13),
                                            static_cast<std::uint32_t>(random() % 4)};
            if (random() % 8 != 0)
                std::memcpy(bytes.data(), words, std::min(bytes.size(), sizeof words));
            launcher.clients[0].send(bytes.data(), bytes.size());
            if (!launcher.serve(0)) break;
        }
        CHECK(launcher.join(1));
    }
}

}  // namespace
}  // namespace onecopy::test
