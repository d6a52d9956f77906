// Two real processes exchange messages, and one of them is killed or stopped between any two steps
// of the protocols (core/points): the other one gets the right bytes or an error, at once, and
// nobody writes into its buffers afterwards.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/points/point.h"
#include "test/control_client.h"
#include "test/harness.h"
#include "test/job_under_test.h"
#include "test/world.h"

namespace onecopy::test {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr std::array kNames = {
    "recordWritten", "recordFlagged", "creditsDue",   "creditsGiven", "transferNamed",
    "claimDue",      "claimed",       "offerWritten", "offerOpen",    "frontTaken",
    "backTaken",     "pushed",        "pushReported", "transferOver", "transferCounted",
};
static_assert(kNames.size() == static_cast<std::size_t>(Point::last) + 1);

constexpr unsigned char kGuard = 0xa5;
constexpr std::size_t kGuardBytes = 64;

// More than enough for every point to be reached several times.
constexpr int kExchanges = 40;

// ------------------------------------------------------------------------------------------- ranks

Point awaited;
bool isVictim;
long passesLeft;
int signalAtPoint;

bool isOfSender(Point point) { return point >= Point::backTaken && point <= Point::pushReported; }

void atPoint(Point point) {
    // Which of the two takes a slice is between them: time for the one that is waited for.
    if (point == Point::offerOpen && isOfSender(awaited)) ::usleep(500);
    if (point == awaited && isVictim && passesLeft-- == 1) ::raise(signalAtPoint);
}

ControlAddress controlAddress() {
    const std::string text = std::getenv("ONECOPY_CONTROL");
    ControlAddress address;
    address.fd = std::atoi(text.c_str());
    address.inode = std::strtoull(text.c_str() + text.find(':') + 1, nullptr, 10);
    address.jobId = std::strtoull(std::getenv("ONECOPY_JOB"), nullptr, 16);
    return address;
}

unsigned char byteAt(int exchange, int sender, std::size_t i) {
    return static_cast<unsigned char>(static_cast<std::size_t>(exchange * 37 + sender * 101) +
                                      i * 7 + (i >> 9));
}

struct Side {
    explicit Side(Engine& engine) : engine(engine), other(1 - engine.rank()) {}

    Error send(std::size_t bytes, int exchange) {
        out.resize(bytes);
        for (std::size_t i = 0; i < bytes; ++i) out[i] = byteAt(exchange, engine.rank(), i);
        if (engine.sendAtOnce(out.data(), bytes, other, 1, 0, MessageKind::buffer, Datatype::byte))
            return {};
        Request request;
        request.setBuffer(out.data(), bytes);
        engine.startSend(request, other, 1, 0, MessageKind::buffer, Datatype::byte);
        REQUIRE(engine.wait(request) == ErrorCode::ok);
        return request.error;
    }

    Error recv(std::size_t bytes, int exchange) {
        in.assign(bytes + 2 * kGuardBytes, kGuard);
        unsigned char* const place = in.data() + kGuardBytes;
        Envelope came;
        if (!engine.recvAtOnce(place, bytes, {other, 1, 0}, MessageKind::buffer, Datatype::byte,
                               came)) {
            Request request;
            request.setBuffer(place, bytes);
            engine.startRecv(request, {other, 1, 0}, MessageKind::buffer, Datatype::byte);
            REQUIRE(engine.wait(request) == ErrorCode::ok);
            if (request.error) return request.error;
        }
        for (std::size_t i = 0; i < bytes; ++i) REQUIRE(place[i] == byteAt(exchange, other, i));
        REQUIRE(guardsStand());
        return {};
    }

    bool guardsStand() const {
        const auto isGuard = [](unsigned char byte) { return byte == kGuard; };
        return std::all_of(in.begin(), in.begin() + kGuardBytes, isGuard) &&
               std::all_of(in.end() - kGuardBytes, in.end(), isGuard);
    }

    // The buffer is this rank's own again: nobody else writes into any of it.
    bool leftAlone() {
        std::fill(in.begin(), in.end(), kGuard);
        ::usleep(5000);
        return std::ranges::all_of(in, [](unsigned char byte) { return byte == kGuard; });
    }

    Engine& engine;
    int other;
    Bytes out;
    Bytes in;
};

// victim point pass signal: the victim sends itself the signal when it passes the point so often.
RANK_PROGRAM("exchange") {
    awaited = static_cast<Point>(std::atoi(args.at(1).c_str()));
    passesLeft = std::atol(args.at(2).c_str());
    signalAtPoint = std::atoi(args.at(3).c_str());
    Engine engine(std::make_unique<LauncherLink>(controlAddress()));
    isVictim = engine.rank() == std::atoi(args.at(0).c_str());
    pointHook = atPoint;
    Side side(engine);
    for (int exchange = 0; exchange < kExchanges; ++exchange) {
        for (const std::size_t bytes : {8, 4000, 4000, 100'000}) {
            for (const int sender : {0, 1}) {
                const Error error = engine.rank() == sender ? side.send(bytes, exchange)
                                                            : side.recv(bytes, exchange);
                if (!error) continue;
                CHECK(error.code == ErrorCode::procFailed);
                CHECK_EQ(error.peer, side.other);
                if (!side.in.empty()) CHECK(side.guardsStand() && side.leftAlone());
                say("told");
                return 0;
            }
        }
    }
    engine.leave(true);
    CHECK_EQ(engine.counters().lateWakeups.load(), 0u);
    say("done");
    return 0;
}

// -------------------------------------------------------------------------------------------- jobs

JobOptions exchange(int victim, int point, int pass, int signal, std::uint64_t spin) {
    const auto text = [](int value) { return std::to_string(value); };
    JobOptions options =
        rankProgram(2, "exchange", {text(victim), text(point), text(pass), text(signal)});
    for (const char* setting :
         {"ONECOPY_TWO_SIDED=4K", "ONECOPY_PUSH_SLICE=4K", "ONECOPY_SLICE=4K"})
        options.program.env.push_back(setting);
    options.channel = channelUnderTest();
    options.spinNanoseconds = spin;
    return options;
}

bool onThisChannel(int point) {
    return channelUnderTest() == ChannelKind::ring || point > static_cast<int>(Point::creditsGiven);
}

// Where nobody spins, nobody offers.
bool reachable(int point, std::uint64_t spin) {
    const auto isOfTwoSides = [](Point at) {
        return at >= Point::offerWritten && at <= Point::pushReported;
    };
    return onThisChannel(point) && (spin > 0 || !isOfTwoSides(static_cast<Point>(point)));
}

constexpr std::uint64_t kSpins[] = {0, 50'000, 2'000'000'000};

void skipUnderTsan() {
#if defined(__SANITIZE_THREAD__)
    SKIP("a minute of processes, between which TSan sees nothing");
#endif
}

}  // namespace

TEST("points: a rank killed between any two steps is an error to the other one, and no more") {
    skipUnderTsan();
    std::array<int, kNames.size()> killed{};
    int spared = 0;
    JobUnderTest(exchange(0, 0, 0, SIGKILL, 0)).waitForEnd();
    const auto descriptors = openDescriptors();
    for (int point = 0; point <= static_cast<int>(Point::last); ++point) {
        for (const int victim : {0, 1}) {
            for (const int pass : {1, 4}) {
                for (const std::uint64_t spin : kSpins) {
                    if (!reachable(point, spin)) continue;
                    JobUnderTest job(exchange(victim, point, pass, SIGKILL, spin));
                    const std::size_t other = victim == 0 ? 1 : 0;
                    const std::string told = job.line(other);
                    const auto cause = job.waitForEnd();
                    const bool died = cause && cause->kind == Cause::Kind::signal &&
                                      cause->rank == victim && cause->signal == SIGKILL;
                    // One side may have taken all slices each time.
                    const bool byChance = isOfSender(static_cast<Point>(point)) ||
                                          point == static_cast<int>(Point::frontTaken);
                    const bool right = died ? told == "told" : byChance && told == "done" && !cause;
                    if (!right)
                        fail(std::string("rank ") + std::to_string(victim) + " at " +
                             kNames[static_cast<std::size_t>(point)] + ", pass " +
                             std::to_string(pass) + ", spin " + std::to_string(spin) +
                             ": the other one said '" + told + "': " + job.rest(other) +
                             job.errors(other));
                    for (const std::size_t rank : {0, 1}) CHECK(isGone(job.pid(rank)));
                    ++(died ? killed[static_cast<std::size_t>(point)] : spared);
                }
            }
        }
    }
    CHECK(openDescriptors() == descriptors);
    std::printf("  %d killed, %d never got there\n",
                std::accumulate(killed.begin(), killed.end(), 0), spared);
    for (std::size_t point = 0; point < killed.size(); ++point) {
        if (onThisChannel(static_cast<int>(point)) && killed[point] == 0)
            fail(std::string("nobody was killed at ") + kNames[point]);
    }
}

TEST("points: a rank stopped between any two steps goes on as if nothing had been") {
    skipUnderTsan();
    int stopped = 0;
    for (int point = 0; point <= static_cast<int>(Point::last); ++point) {
        for (const int victim : {0, 1}) {
            const std::uint64_t spin = 50'000;
            if (!reachable(point, spin)) continue;
            JobUnderTest job(exchange(victim, point, 2, SIGSTOP, spin));
            const pid_t pid = job.pid(static_cast<std::size_t>(victim));
            // It is a child of this process: what it does is told without taking it away.
            siginfo_t info{};
            REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WEXITED | WNOWAIT) ==
                    0);
            if (info.si_code == CLD_STOPPED) {
                ++stopped;
                // The other one goes to sleep, and must be woken.
                ::usleep(20'000);
                ::kill(pid, SIGCONT);
            }
            for (const std::size_t rank : {0, 1}) CHECK_EQ(job.line(rank), "done");
            CHECK(!job.waitForEnd());
        }
    }
    std::printf("  %d stopped\n", stopped);
}

}  // namespace onecopy::test
