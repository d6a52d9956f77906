// Connections while the launcher is short of descriptors.

#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "core/launch/broker.h"
#include "core/os/packet_socket.h"
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

bool isNothing(const ControlPacket& packet) { return packet.kind() == ControlKind{}; }

// Leaves this process `spare` descriptors to open.
void leaveDescriptors(std::size_t spare) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(openDescriptors().back()) + 1 + spare;
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void allowDescriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Takes all numbers below the highest open descriptor, so that a limit means what it says.
std::vector<UniqueFd> fillHoles() {
    std::vector<UniqueFd> fillers;
    const int highest = openDescriptors().back();
    for (;;) {
        UniqueFd fd(::dup(0));
        if (fd.get() > highest) return fillers;
        fillers.push_back(std::move(fd));
    }
}

TEST(
    "broker: without descriptors a connection is made as soon as there are some, and a note says "
    "so") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0) && launcher.join(1) && launcher.join(2));
    const auto fillers = fillHoles();
    leaveDescriptors(0);
    launcher.connect(0, 1);
    allowDescriptors();
    CHECK(isNothing(launcher.clients[0].receive(0)));
    CHECK(isNothing(launcher.clients[1].receive(0)));
    REQUIRE(launcher.notes.size() == 1);
    CHECK(launcher.notes[0].find("ulimit") != std::string::npos);
    CHECK(launcher.broker.retryAt() != kNever);
    launcher.broker.retry();
    CHECK(isPeer(launcher.clients[0].receive(0), 1));
    CHECK(isPeer(launcher.clients[1].receive(0), 0));
    CHECK_EQ(launcher.broker.retryAt(), kNever);
}

TEST(
    "broker: short of descriptors, a connection that stands already goes ahead and frees its own") {
    LauncherSide launcher(3);
    REQUIRE(launcher.join(0));
    // In 2's queue the connection with 1 comes first, which nobody could be sent yet; that with 0
    // stands already.
    launcher.broker.connect(1, 2);
    launcher.connect(0, 2);
    CHECK(isPeer(launcher.clients[0].receive(0), 2));
    const auto fillers = fillHoles();
    leaveDescriptors(0);
    ControlClient& late = launcher.clients[2];
    late.send(late.greeting());
    launcher.serve(2);
    launcher.acknowledge(2);
    allowDescriptors();
    CHECK(late.receive(0).kind() == ControlKind::welcome);
    CHECK(isPeer(late.receive(0), 0));
    launcher.broker.retry();
    launcher.acknowledge(2);
    CHECK(isPeer(late.receive(0), 1));
    CHECK(launcher.join(1));
    CHECK(isPeer(launcher.clients[1].receive(0), 2));
}

TEST("broker: a full table and many ranks: everybody is connected in the end") {
    constexpr std::size_t kRanks = 12;
    LauncherSide launcher(kRanks);
    for (std::size_t rank = 0; rank < kRanks; ++rank) REQUIRE(launcher.join(rank));
    const auto fillers = fillHoles();
    // Each round gives the launcher four descriptors: one connection, with one to spare.
    std::size_t connected = 0;
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
        for (std::size_t peer = rank + 1; peer < kRanks; ++peer)
            launcher.clients[rank].connect(peer);
    }
    for (int round = 0; round < 1000 && connected < kRanks * (kRanks - 1); ++round) {
        leaveDescriptors(4);
        for (std::size_t rank = 0; rank < kRanks; ++rank) launcher.serve(rank);
        launcher.broker.retry();
        allowDescriptors();
        for (std::size_t rank = 0; rank < kRanks; ++rank) {
            const ControlPacket packet = launcher.clients[rank].receive(0);
            if (packet.kind() != ControlKind::peer) continue;
            ++connected;
            launcher.clients[rank].say(ControlKind::ack);
        }
    }
    CHECK_EQ(connected, kRanks * (kRanks - 1));
}

TEST("broker: too many descriptors in flight for this user are waited out") {
    if (::getuid() == 0) {
        // Root is exempt from that limit.
        const int ended = runInChild([] {
            LauncherSide launcher(2);
            REQUIRE(::setgid(65534) == 0 && ::setuid(65534) == 0);
            rlimit limit{20, 1000};
            limit.rlim_cur = static_cast<rlim_t>(openDescriptors().back()) + 30;
            ::setrlimit(RLIMIT_NOFILE, &limit);
            REQUIRE(launcher.join(0) && launcher.join(1));
            // Unread packets with as many descriptors as this user may have in flight.
            auto [from, to] = makePacketSocketPair();
            std::array<int, 8> many{};
            while (sendPacket(from.get(), "x", 1, many) == PacketResult::done) {
            }
            launcher.connect(0, 1);
            CHECK(isNothing(launcher.clients[0].receive(0)));
            CHECK(launcher.broker.retryAt() != kNever);
            CHECK(launcher.waitsForRoom.empty());
            to.reset();
            launcher.broker.retry();
            CHECK(isPeer(launcher.clients[0].receive(0), 1));
            CHECK(isPeer(launcher.clients[1].receive(0), 0));
        });
        CHECK_EQ(ended, 0);
    } else {
        SKIP("needs root, to become a user with nothing else in flight");
    }
}

}  // namespace
}  // namespace onecopy::test
