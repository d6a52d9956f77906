// Waiting for any of several requests, and what one round of pulls may move.
#include <algorithm>
#include <array>
#include <vector>

#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;

void startRecv(Engine& engine, Request& request, std::vector<unsigned char>& buffer, int source,
               int tag) {
    request.setBuffer(buffer.data(), buffer.size());
    engine.startRecv(request, {source, tag, 0}, MessageKind::buffer, Datatype::byte);
}

void startSend(Engine& engine, Request& request, std::vector<unsigned char>& buffer, int dest,
               int tag) {
    request.setBuffer(buffer.data(), buffer.size());
    engine.startSend(request, dest, tag, 0, MessageKind::buffer, Datatype::byte);
}

void send(Engine& engine, int dest, int tag) {
    std::vector<unsigned char> byte(1);
    Request request;
    startSend(engine, request, byte, dest, tag);
    CHECK(engine.wait(request) == ErrorCode::ok);
}

void recv(Engine& engine, int source, int tag) {
    std::vector<unsigned char> byte(1);
    Request request;
    startRecv(engine, request, byte, source, tag);
    CHECK(engine.wait(request) == ErrorCode::ok);
}

}  // namespace

TEST("waiting for any: nothing to wait for, and what can never end") {
    World({.ranks = 1}).run([](Engine& engine) {
        CHECK(engine.waitAny({}) == ErrorCode::ok);
        std::vector<unsigned char> byte(1);
        Request first;
        Request second;
        startRecv(engine, first, byte, 0, 1);
        startRecv(engine, second, byte, 0, 2);
        const std::array<Request*, 2> both{&first, &second};
        CHECK(engine.waitAny(both) == ErrorCode::deadlock);
        CHECK(engine.waitAny(both, 0) == ErrorCode::timeout);
        CHECK(first.ended == nullptr);
        std::vector<unsigned char> sent(1);
        Request sending;
        startSend(engine, sending, sent, 0, 2);
        CHECK(engine.waitAny(both) == ErrorCode::ok);
        CHECK(second.complete() && !first.complete());
        CHECK(engine.cancel(first));
    });
}

TEST(
    "waiting for any: each end is found, whichever comes, and nothing is left behind in the "
    "others") {
    World({.ranks = 2}).run([](Engine& engine) {
        constexpr int kMany = 100;
        if (engine.rank() == 1) {
            recv(engine, 0, 1000);
            for (int i = kMany - 1; i >= 0; --i) {
                send(engine, 0, i);
                // The next one only when this one was found.
                recv(engine, 0, 1001);
            }
            return;
        }
        std::vector<std::vector<unsigned char>> buffers(kMany, std::vector<unsigned char>(1));
        std::vector<Request> requests(kMany);
        std::vector<Request*> open;
        for (int i = 0; i < kMany; ++i) {
            Request& request = requests[static_cast<std::size_t>(i)];
            startRecv(engine, request, buffers[static_cast<std::size_t>(i)], 1, i);
            open.push_back(&request);
        }
        CHECK(engine.waitAny(open, now() + kMillisecond) == ErrorCode::timeout);
        send(engine, 1, 1000);
        for (int i = kMany - 1; i >= 0; --i) {
            CHECK(engine.waitAny(open) == ErrorCode::ok);
            CHECK(open.back()->complete());
            open.pop_back();
            for (const Request* request : open) {
                CHECK(!request->complete());
                CHECK(request->ended == nullptr);
            }
            send(engine, 1, 1001);
        }
    });
}

TEST("waiting for any ends when the peer of one has gone") {
    World world({.ranks = 2});
    world.run([&](Engine& engine) {
        if (engine.rank() == 1) return;
        std::vector<unsigned char> byte(1);
        Request fromPeer;
        Request fromSelf;
        startRecv(engine, fromPeer, byte, 1, 1);
        startRecv(engine, fromSelf, byte, 0, 1);
        const std::array<Request*, 2> both{&fromSelf, &fromPeer};
        CHECK(engine.waitAny(both) == ErrorCode::ok);
        CHECK(fromPeer.error.code == ErrorCode::procLeft);
        CHECK(engine.cancel(fromSelf));
    });
}

TEST("waiting for all within a time leaves what goes on") {
    World({.ranks = 2}).run([](Engine& engine) {
        if (engine.rank() == 1) {
            recv(engine, 0, 9);
            send(engine, 0, 1);
            return;
        }
        std::vector<unsigned char> byte(1);
        Request request;
        startRecv(engine, request, byte, 1, 1);
        const std::array<Request*, 1> one{&request};
        CHECK(engine.waitAll(one, now() + kMillisecond) == ErrorCode::timeout);
        CHECK(!request.complete());
        // Nobody may write into the buffer of one whose owner may come back at any time.
        CHECK(!request.waited);
        send(engine, 1, 9);
        CHECK(engine.waitAll(one) == ErrorCode::ok);
    });
}

TEST("a round of pulls is bounded, and every message has its turn") {
    constexpr std::size_t kMessages = 32;
    constexpr std::size_t kBytes = 1 << 20;
    World({.ranks = 2}).run([](Engine& engine) {
        std::vector<std::vector<unsigned char>> buffers(kMessages,
                                                        std::vector<unsigned char>(kBytes));
        std::vector<Request> requests(kMessages);
        std::vector<Request*> all;
        for (std::size_t i = 0; i < kMessages; ++i) {
            if (engine.rank() == 0) {
                std::fill(buffers[i].begin(), buffers[i].end(), static_cast<unsigned char>(i + 1));
                startSend(engine, requests[i], buffers[i], 1, static_cast<int>(i));
            } else {
                startRecv(engine, requests[i], buffers[i], 0, static_cast<int>(i));
            }
            all.push_back(&requests[i]);
        }
        std::uint64_t most = 0;
        std::uint64_t before = 0;
        const auto pulled = [&] {
            return engine.counters().cmaBytes.load(std::memory_order_relaxed);
        };
        while (!std::ranges::all_of(all, [](const Request* each) { return each->complete(); })) {
            before = pulled();
            engine.progress();
            most = std::max(most, pulled() - before);
        }
        // 4 MiB, and the slice that went beyond.
        CHECK(most <= (4u << 20) + (512u << 10));
        for (std::size_t i = 0; i < kMessages; ++i) {
            CHECK(!requests[i].error);
            CHECK_EQ(buffers[i].front(), static_cast<unsigned char>(i + 1));
            CHECK_EQ(buffers[i].back(), static_cast<unsigned char>(i + 1));
        }
    });
}
