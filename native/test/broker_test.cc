// How the launcher connects ranks. The ranks are played by the test itself: it decides who reads
// when.

#include "core/launch/broker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "test/harness.h"
#include "test/job_under_test.h"
#include "test/launcher_side.h"

namespace onecopy::test {
namespace {

std::size_t peerOf(const ControlPacket& packet) { return packet.as<PeerMessage>().peer; }

bool isPeer(const ControlPacket& packet, std::size_t peer) {
    return packet.kind() == ControlKind::peer && peerOf(packet) == peer &&
           packet.descriptors.size() == kPeerDescriptors;
}

bool isRefused(const ControlPacket& packet, std::size_t peer, RankState state) {
    const auto message = packet.as<RefusedMessage>();
    return packet.kind() == ControlKind::refused && message.peer == peer && message.state == state;
}

bool isNothing(const ControlPacket& packet) { return packet.kind() == ControlKind{}; }

TEST("broker: both of a pair get the two ends of one connection") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0) && launcher.join(2));
    launcher.connect(2, 0);
    const ControlPacket low = launcher.clients[0].receive(0);
    const ControlPacket high = launcher.clients[2].receive(0);
    REQUIRE(isPeer(low, 2) && isPeer(high, 0));
    const auto ofLow = low.as<PeerMessage>();
    const auto ofHigh = high.as<PeerMessage>();
    CHECK_EQ(ofLow.pid, ::getpid());
    CHECK_EQ(ofLow.mine, ofHigh.theirs);
    CHECK_EQ(ofLow.theirs, ofHigh.mine);
    CHECK(ofLow.mine != ofLow.theirs && ofLow.mine != 0 && ofLow.theirs != 0);
    // The socket: what one says the other hears.
    CHECK_EQ(::write(low.descriptors[0].get(), "hi", 2), 2);
    std::array<char, 8> heard{};
    CHECK_EQ(::read(high.descriptors[0].get(), heard.data(), heard.size()), 2);
    // The memory: the same, and of fixed size.
    CHECK_EQ(memoryBytes(low.descriptors[1].get()), kPairSegmentBytes);
    const Mapping mine(low.descriptors[1].get(), kPairSegmentBytes, Mapping::Access::readWrite);
    const Mapping theirs(high.descriptors[1].get(), kPairSegmentBytes, Mapping::Access::readWrite);
    CHECK_EQ(theirs.as<PairSegment>()->magic, kPairMagic);
    CHECK_EQ(theirs.as<PairSegment>()->version, kProtocolVersion);
    mine.as<PairSegment>()->directions[0].announced.store(5);
    CHECK_EQ(theirs.as<PairSegment>()->directions[0].announced.load(), 5u);
    CHECK(::ftruncate(low.descriptors[1].get(), 0) != 0);
    // The peer's doorbell and segment.
    const Mapping segment(low.descriptors[3].get(), kRankSegmentBytes, Mapping::Access::read);
    CHECK_EQ(segment.as<const RankSegment>()->rank, 2u);
}

TEST("broker: asking from both sides, and again, makes one pair") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0) && launcher.join(1));
    launcher.clients[0].connect(1);
    launcher.clients[1].connect(0);
    launcher.serve(0);
    launcher.serve(1);
    launcher.connect(0, 1);
    CHECK(isPeer(launcher.clients[0].receive(0), 1));
    CHECK(isPeer(launcher.clients[1].receive(0), 0));
    launcher.acknowledge(0);
    launcher.acknowledge(1);
    launcher.connect(1, 0);
    CHECK(isNothing(launcher.clients[0].receive(0)));
    CHECK(isNothing(launcher.clients[1].receive(0)));
}

TEST("broker: a pair leaves no descriptor behind in the launcher") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0) && launcher.join(1));
    const auto before = openDescriptors();
    launcher.connect(0, 1);
    launcher.clients[0].receive(0);
    launcher.clients[1].receive(0);
    CHECK(openDescriptors() == before);
}

TEST(
    "broker: a rank that never acknowledges gets one packet with descriptors, and holds nobody "
    "up") {
    LauncherSide launcher(5);
    for (std::size_t rank = 0; rank < 5; ++rank) REQUIRE(launcher.join(rank));
    for (std::size_t rank = 1; rank < 5; ++rank) {
        launcher.connect(rank, 0);
        CHECK(isPeer(launcher.clients[rank].receive(0), 0));
    }
    CHECK(isPeer(launcher.clients[0].receive(0), 1));
    CHECK(isNothing(launcher.clients[0].receive(0)));
    launcher.acknowledge(1);
    launcher.acknowledge(2);
    launcher.connect(1, 2);
    CHECK(isPeer(launcher.clients[1].receive(0), 2));
    CHECK(isPeer(launcher.clients[2].receive(0), 1));
    // With each acknowledgement the next one comes, in the order in which they were asked for.
    for (std::size_t peer = 2; peer < 5; ++peer) {
        launcher.acknowledge(0);
        CHECK(isPeer(launcher.clients[0].receive(0), peer));
        CHECK(isNothing(launcher.clients[0].receive(0)));
    }
}

TEST("broker: a rank can be connected to before it has said hello; its welcome comes first") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0));
    launcher.connect(0, 1);
    CHECK(isPeer(launcher.clients[0].receive(0), 1));
    CHECK(isNothing(launcher.clients[1].receive(0)));
    CHECK_EQ(launcher.news(1), 0u);
    ControlClient& late = launcher.clients[1];
    late.send(late.greeting());
    launcher.serve(1);
    CHECK(late.receive(0).kind() == ControlKind::welcome);
    CHECK(isNothing(late.receive(0)));
    launcher.acknowledge(1);
    CHECK(isPeer(late.receive(0), 0));
    CHECK_EQ(launcher.news(1), 2u);
}

TEST("broker: a rejection goes ahead of what waits for the welcome") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0));
    launcher.connect(0, 1);
    ControlClient& client = launcher.clients[1];
    HelloMessage wrong = client.greeting();
    wrong.jobId += 1;
    client.send(wrong);
    launcher.serve(1);
    CHECK(client.receive(0).kind() == ControlKind::rejected);
    CHECK(isNothing(client.receive(0)));
    CHECK(launcher.join(1));
    CHECK(isPeer(client.receive(0), 0));
}

TEST("broker: a connection to a rank that is gone is refused, with its state") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0));
    launcher.roster.setState(1, RankState::left);
    launcher.roster.setState(2, RankState::dead);
    launcher.connect(0, 1);
    launcher.connect(0, 2);
    CHECK(isRefused(launcher.clients[0].receive(0), 1, RankState::left));
    CHECK(isRefused(launcher.clients[0].receive(0), 2, RankState::dead));
    CHECK(isNothing(launcher.clients[0].receive(0)));
}

TEST("broker: a rank that is leaving can still be connected to") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0));
    launcher.roster.setState(1, RankState::leaving);
    launcher.connect(0, 1);
    CHECK(isPeer(launcher.clients[0].receive(0), 1));
}

TEST(
    "broker: who asks again about a connected peer that is gone is refused behind its connection") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0));
    launcher.connect(0, 2);
    launcher.connect(0, 1);
    launcher.roster.setState(1, RankState::dead);
    launcher.broker.drop(1);
    launcher.connect(0, 1);
    launcher.connect(0, 1);
    CHECK(isPeer(launcher.clients[0].receive(0), 2));
    launcher.acknowledge(0);
    const ControlPacket connection = launcher.clients[0].receive(0);
    CHECK(isPeer(connection, 1));
    // Nobody holds the other end any more.
    char byte;
    CHECK_EQ(::read(connection.descriptors[0].get(), &byte, 1), 0);
    launcher.acknowledge(0);
    CHECK(isRefused(launcher.clients[0].receive(0), 1, RankState::dead));
    CHECK(isNothing(launcher.clients[0].receive(0)));
}

TEST("broker: what waited for a rank that died is dropped with its descriptors") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0) && launcher.join(1));
    const auto before = openDescriptors();
    launcher.connect(0, 2);
    launcher.connect(1, 2);
    launcher.clients[0].receive(0);
    launcher.clients[1].receive(0);
    CHECK(openDescriptors().size() > before.size());
    launcher.roster.setState(2, RankState::dead);
    launcher.broker.drop(2);
    CHECK(openDescriptors() == before);
}

TEST("broker: a rank that asks and never reads costs a bounded queue, and hears everything later") {
    constexpr std::size_t kRanks = 2000;
    LauncherSide launcher(kRanks);
    REQUIRE(launcher.join(0));
    for (std::size_t peer = 1; peer < kRanks; ++peer)
        launcher.roster.setState(peer, RankState::left);
    // More refusals than fit in the socket's buffer, and all of them twice over.
    for (int round = 0; round < 2; ++round) {
        for (std::size_t peer = 1; peer < kRanks; ++peer) launcher.connect(0, peer);
    }
    CHECK(launcher.waitsForRoom.contains(0));
    std::size_t answers = 0;
    std::vector<bool> heard(kRanks);
    for (;;) {
        ControlPacket packet = launcher.clients[0].receive(0);
        if (isNothing(packet)) {
            if (!launcher.waitsForRoom.contains(0)) break;
            launcher.broker.flush(0);
            continue;
        }
        ++answers;
        heard[packet.as<RefusedMessage>().peer] = true;
    }
    CHECK(answers >= kRanks - 1);
    CHECK(answers < 2 * kRanks);
    CHECK_EQ(std::count(heard.begin(), heard.end(), true), static_cast<long>(kRanks) - 1);
}

TEST("broker: a sleeping rank is rung once its packet lies there, an awake one is not") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0));
    const Mapping segment(launcher.roster.rankSegment(0), kRankSegmentBytes,
                          Mapping::Access::readWrite);
    std::uint64_t count = 0;
    launcher.connect(0, 1);
    CHECK_EQ(launcher.news(0), 2u);
    CHECK(::read(launcher.roster.doorbell(0), &count, sizeof count) < 0);
    launcher.clients[0].receive(0);
    segment.as<RankSegment>()->armed.store(1);
    launcher.roster.setState(1, RankState::dead);
    CHECK_EQ(::read(launcher.roster.doorbell(0), &count, sizeof count),
             static_cast<ssize_t>(sizeof count));
    launcher.acknowledge(0);
    launcher.connect(0, 1);
    CHECK_EQ(launcher.news(0), 3u);
    CHECK_EQ(::read(launcher.roster.doorbell(0), &count, sizeof count),
             static_cast<ssize_t>(sizeof count));
}

TEST("roster: a doorbell that its owner made blocking and full does not stop the launcher") {
    LauncherSide launcher(2);
    const Mapping segment(launcher.roster.rankSegment(0), kRankSegmentBytes,
                          Mapping::Access::readWrite);
    segment.as<RankSegment>()->armed.store(1);
    const int doorbell = launcher.roster.doorbell(0);
    const std::uint64_t most = 0xfffffffffffffffe;
    REQUIRE(::write(doorbell, &most, sizeof most) == sizeof most);
    REQUIRE(::fcntl(doorbell, F_SETFL, 0) == 0);
    launcher.roster.setState(1, RankState::dead);
    launcher.roster.setEnding(1);
}

TEST("roster: nobody but the launcher can write the job segment, and nobody can resize any") {
    LauncherSide launcher(2);
    const int job = launcher.roster.jobSegment();
    const std::size_t bytes = JobSegment::bytesFor(2);
    CHECK(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, job, 0) == MAP_FAILED);
    void* reading = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, job, 0);
    REQUIRE(reading != MAP_FAILED);
    CHECK(::mprotect(reading, bytes, PROT_READ | PROT_WRITE) != 0);
    CHECK(::pwrite(job, "x", 1, 0) < 0);
    CHECK(::ftruncate(job, 0) != 0);
    CHECK(::ftruncate(job, 1 << 20) != 0);
    CHECK(::ftruncate(launcher.roster.rankSegment(0), 0) != 0);
    CHECK(::ftruncate(launcher.roster.rankSegment(0), 1 << 20) != 0);
    // The launcher itself still can.
    launcher.roster.setPid(0, 12345);
    CHECK_EQ(static_cast<const JobSegment*>(reading)->rank(0).pid.load(), 12345);
}

}  // namespace
}  // namespace onecopy::test
