// More than a channel holds, in both directions, and ranks that sleep meanwhile. Each world also
// checks that no wake-up was lost.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kFlood = 20'000;
#else
constexpr std::uint64_t kFlood = 100'000;
#endif

constexpr std::uint64_t kSpins[] = {0, 50'000};

void sendNumber(Engine& engine, std::uint64_t number, int dest, int tag = 1) {
    if (engine.sendAtOnce(&number, 8, dest, tag, 0, MessageKind::buffer, Datatype::byte)) return;
    Request request;
    request.setBuffer(&number, 8);
    engine.startSend(request, dest, tag, 0, MessageKind::buffer, Datatype::byte);
    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
}

std::uint64_t recvNumber(Engine& engine, int source, int tag = 1) {
    std::uint64_t number = ~0ull;
    Envelope came;
    if (engine.recvAtOnce(&number, 8, {source, tag, 0}, MessageKind::buffer, Datatype::byte, came))
        return number;
    Request request;
    request.setBuffer(&number, 8);
    engine.startRecv(request, {source, tag, 0}, MessageKind::buffer, Datatype::byte);
    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
    return number;
}

void expectNumber(Engine& engine, std::uint64_t number, int source, int tag = 1) {
    if (const std::uint64_t came = recvNumber(engine, source, tag); came != number)
        test::fail("rank " + std::to_string(engine.rank()) + " got " + std::to_string(came) +
                   ", not " + std::to_string(number));
}

// Not through the engine: a rank that waits here moves nothing.
void waitOutside(const std::function<bool()>& condition) {
    while (!condition()) ::usleep(200);
}

std::uint64_t cpuMicroseconds() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    const auto of = [](const timeval& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
               static_cast<std::uint64_t>(time.tv_usec);
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace

TEST("floods: both ranks send all they have before either receives any") {
    for (const std::uint64_t spin : kSpins) {
        World({.ranks = 2, .spinNanoseconds = spin}).run([](Engine& engine) {
            const int other = 1 - engine.rank();
            for (std::uint64_t i = 0; i < kFlood; ++i) sendNumber(engine, i, other);
            for (std::uint64_t i = 0; i < kFlood; ++i) expectNumber(engine, i, other);
            // What had to be taken out of the way meanwhile.
            CHECK(engine.counters().unexpected.load() > 0);
        });
    }
}

TEST("floods: ranks that are more than cores send to all before they receive") {
    for (const int ranks : {4, 8}) {
        for (const std::uint64_t spin : kSpins) {
            World({.ranks = ranks, .spinNanoseconds = spin}).run([ranks](Engine& engine) {
                const std::uint64_t each = kFlood / static_cast<unsigned>(ranks * ranks);
                for (std::uint64_t i = 0; i < each; ++i) {
                    for (int peer = 0; peer < ranks; ++peer)
                        if (peer != engine.rank()) sendNumber(engine, i, peer);
                }
                for (int peer = 0; peer < ranks; ++peer) {
                    if (peer == engine.rank()) continue;
                    for (std::uint64_t i = 0; i < each; ++i) expectNumber(engine, i, peer);
                }
            });
        }
    }
}

TEST("floods: a sender that sleeps for want of room is woken when there is some") {
    for (const std::uint64_t spin : kSpins) {
        std::atomic<int> drained{0};
        std::atomic<const Counters*> sender{nullptr};
        std::uint64_t sleeps = 0;
        World({.ranks = 2, .spinNanoseconds = spin}).run([&](Engine& engine) {
            constexpr int kRounds = 30;
            constexpr std::uint64_t kMessages = 5000;
            if (engine.rank() == 0) expectNumber(engine, 0, 1, 2);
            if (engine.rank() == 1) sendNumber(engine, 0, 0, 2);
            for (int round = 0; round < kRounds; ++round) {
                if (engine.rank() == 0) {
                    sleeps = engine.counters().sleeps.load();
                    sender = &engine.counters();
                    for (std::uint64_t i = 0; i < kMessages; ++i) sendNumber(engine, i, 1);
                    waitOutside([&] { return drained > round; });
                } else {
                    // Asleep, as far as the other one can tell.
                    waitOutside([&] { return sender != nullptr; });
                    const Counters& counters = *sender.exchange(nullptr);
                    waitOutside([&] { return counters.sleeps > sleeps; });
                    for (std::uint64_t i = 0; i < kMessages; ++i) expectNumber(engine, i, 0);
                    ++drained;
                }
            }
        });
    }
}

TEST("floods: room that comes for a message taken back wakes nobody for nothing") {
    std::atomic<std::size_t> sent{0};
    World({.ranks = 2}).run([&](Engine& engine) {
        if (engine.rank() == 0) {
            sendNumber(engine, 1, 1);
            // Until one finds no room.
            const std::vector<std::byte> data(10'000);
            std::vector<std::unique_ptr<Request>> requests;
            do {
                requests.push_back(std::make_unique<Request>());
                requests.back()->setBuffer(const_cast<std::byte*>(data.data()), data.size());
                engine.startSend(*requests.back(), 1, 3, 0, MessageKind::buffer, Datatype::byte);
                engine.progress();
            } while (requests.back()->state != Request::State::outgoing || requests.size() < 3);
            CHECK(engine.cancel(*requests.back()));
            sent = requests.size() - 1;
            // Longer than a sleep without a look at everything: nothing is to be found by it.
            const std::uint64_t before = cpuMicroseconds();
            expectNumber(engine, 7, 1);
            CHECK(cpuMicroseconds() - before < 300'000);
            for (const auto& request : requests) CHECK(request->complete());
        } else {
            expectNumber(engine, 1, 0);
            waitOutside([&] { return sent > 0; });
            for (std::size_t i = 0; i < sent; ++i) {
                std::vector<std::byte> into(10'000);
                Request request;
                request.setBuffer(into.data(), into.size());
                engine.startRecv(request, {0, 3, 0}, MessageKind::buffer, Datatype::byte);
                CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
            }
            ::usleep(1'000'000);
            sendNumber(engine, 7, 0);
        }
    });
}

TEST("floods: a rank that sleeps in a receive for five seconds takes less than 1 % of a core") {
    for (const std::uint64_t spin : {50'000}) {
        World({.ranks = 2, .spinNanoseconds = spin}).run([](Engine& engine) {
            const int other = 1 - engine.rank();
            // They know each other.
            if (engine.rank() == 0) sendNumber(engine, 1, other);
            if (engine.rank() == 1) expectNumber(engine, 1, other);
            if (engine.rank() == 1) {
                ::usleep(5'000'000);
                sendNumber(engine, 2, other);
                return;
            }
            const std::uint64_t before = cpuMicroseconds();
            expectNumber(engine, 2, other);
            const std::uint64_t took = cpuMicroseconds() - before;
            std::printf("  %llu us\n", static_cast<unsigned long long>(took));
            CHECK(took < 50'000);
        });
    }
}
