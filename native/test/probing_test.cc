// Probes that are posted among receives, and what happens when there is no room for more messages.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

using Numbers = std::vector<std::uint64_t>;

// Small; and such as go as a descriptor.
constexpr std::size_t kNumbers[] = {1, 20'000};

const test::WorldOptions kProbeVariants[] = {
    {.pull = PullPolicy::probe, .spinNanoseconds = 0},
    {.pull = PullPolicy::denied, .spinNanoseconds = 50'000},
    {.eagerLimit = 0, .pull = PullPolicy::probe, .spinNanoseconds = 20'000},
};

void inEachVariant(int ranks, const std::function<void(Engine&)>& body) {
    for (test::WorldOptions options : kProbeVariants) {
        options.ranks = ranks;
        World(options).run(body);
    }
}

struct Started {
    Numbers numbers;
    Request request;
};

std::unique_ptr<Started> operation(std::size_t length, std::uint64_t value = 0) {
    auto made = std::make_unique<Started>();
    made->numbers.assign(length, value);
    made->request.setBuffer(made->numbers.data(), length * 8);
    return made;
}

std::unique_ptr<Started> startSend(Engine& engine, std::size_t length, std::uint64_t value,
                                   int dest, int tag) {
    auto made = operation(length, value);
    engine.startSend(made->request, dest, tag, 0, MessageKind::buffer, Datatype::byte);
    return made;
}

std::unique_ptr<Started> startRecv(Engine& engine, std::size_t length, int source, int tag) {
    auto made = operation(length);
    engine.startRecv(made->request, {source, tag, 0}, MessageKind::buffer, Datatype::byte);
    return made;
}

void finish(Engine& engine, Started& operation) {
    CHECK(engine.wait(operation.request) == ErrorCode::ok);
    CHECK(!operation.request.error);
}

std::uint64_t receive(Engine& engine, Request& probe, std::size_t length) {
    CHECK(engine.wait(probe) == ErrorCode::ok && !probe.error);
    REQUIRE(probe.matched != nullptr);
    CHECK_EQ(probe.envelope.bytes, length * 8);
    const auto into = operation(length);
    engine.startMatchedRecv(into->request, std::move(probe.matched), MessageKind::buffer,
                            Datatype::byte);
    finish(engine, *into);
    return into->numbers.back();
}

// Numbered messages with this tag, all started at once.
std::vector<std::unique_ptr<Started>> flood(Engine& engine, std::size_t count, int dest, int tag) {
    std::vector<std::unique_ptr<Started>> sends;
    for (std::size_t i = 0; i < count; ++i) sends.push_back(startSend(engine, 1, i, dest, tag));
    return sends;
}

void expectFlood(Engine& engine, std::size_t count, int source, int tag) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto one = startRecv(engine, 1, source, tag);
        finish(engine, *one);
        if (one->numbers[0] != i) return test::fail("message " + std::to_string(i));
    }
}

}  // namespace

TEST("probing: a posted probe takes its turn among the receives") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t length : kNumbers) {
            if (engine.rank() == 0) {
                const auto go = startRecv(engine, 1, 1, 2);
                finish(engine, *go);
                std::vector<std::unique_ptr<Started>> sends;
                for (std::uint64_t i = 0; i < 5; ++i)
                    sends.push_back(startSend(engine, length, i, 1, 1));
                for (const auto& send : sends) finish(engine, *send);
                continue;
            }
            const auto first = startRecv(engine, length, 0, 1);
            Request any, exact;
            engine.startProbe(any, {kAnySource, kAnyTag, 0});
            engine.startProbe(exact, {0, 1, 0});
            const auto fourth = startRecv(engine, length, kAnySource, 1);
            finish(engine, *startSend(engine, 1, 0, 0, 2));
            // Received in another order than they were matched in.
            CHECK_EQ(receive(engine, exact, length), 2u);
            CHECK_EQ(receive(engine, any, length), 1u);
            finish(engine, *fourth);
            CHECK_EQ(fourth->numbers[0], 3u);
            finish(engine, *first);
            CHECK_EQ(first->numbers[0], 0u);
            // What is there already completes it at once.
            Envelope found;
            CHECK(!engine.probe({0, 1, 0}, found));
            Request late;
            engine.startProbe(late, {0, 1, 0});
            CHECK(late.complete());
            CHECK_EQ(receive(engine, late, length), 4u);
        }
    });
}

TEST("probing: a probe that was cancelled takes nothing, a message that was taken stays so") {
    inEachVariant(2, [](Engine& engine) {
        constexpr std::size_t kLength = 20'000;
        if (engine.rank() == 0) {
            finish(engine, *startRecv(engine, 1, 1, 2));
            const auto taken = startSend(engine, kLength, 7, 1, 1);
            finish(engine, *startRecv(engine, 1, 1, 3));
            CHECK(!engine.cancel(taken->request));
            finish(engine, *startSend(engine, 1, 0, 1, 4));
            finish(engine, *taken);
            finish(engine, *startSend(engine, kLength, 8, 1, 1));
            return;
        }
        Request cancelled, probe;
        engine.startProbe(cancelled, {0, 1, 0});
        engine.startProbe(probe, {0, 1, 0});
        CHECK(engine.cancel(cancelled));
        CHECK(cancelled.complete() && cancelled.error.code == ErrorCode::cancelled);
        finish(engine, *startSend(engine, 1, 0, 0, 2));
        CHECK(engine.wait(probe) == ErrorCode::ok);
        CHECK(!engine.cancel(probe));
        finish(engine, *startSend(engine, 1, 0, 0, 3));
        finish(engine, *startRecv(engine, 1, 0, 4));
        CHECK_EQ(receive(engine, probe, kLength), 7u);
        const auto next = startRecv(engine, kLength, 0, 1);
        finish(engine, *next);
        CHECK_EQ(next->numbers[0], 8u);
    });
}

TEST("probing: messages to oneself, and a wait that can never end") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t length : kNumbers) {
            Request probe;
            engine.startProbe(probe, {engine.rank(), 1, 0});
            CHECK(engine.wait(probe) == ErrorCode::deadlock);
            const auto send = startSend(engine, length, 5, engine.rank(), 1);
            CHECK(probe.complete());
            CHECK(!engine.cancel(send->request));
            CHECK_EQ(receive(engine, probe, length), 5u);
            finish(engine, *send);
        }
    });
}

TEST("probing: a probe ends when nobody can send any more") {
    inEachVariant(3, [](Engine& engine) {
        if (engine.rank() > 0) return;
        Request one, any;
        engine.startProbe(one, {1, kAnyTag, 0});
        engine.startProbe(any, {kAnySource, 1, 0});
        CHECK(engine.wait(one) == ErrorCode::ok && one.error.code == ErrorCode::procLeft);
        CHECK(engine.wait(any) == ErrorCode::ok && any.error.code == ErrorCode::procLeft);
        CHECK(one.matched == nullptr && any.matched == nullptr);
    });
}

TEST("probing: a message that is held when its sender dies cannot be received") {
    World world({.ranks = 2});
    world.run([&](Engine& engine) {
        if (engine.rank() == 1) {
            const auto send = startSend(engine, 20'000, 1, 0, 1);
            while (!send->request.complete() && !engine.progress()) {
            }
            const auto go = startRecv(engine, 1, 0, 2);
            finish(engine, *go);
            world.kill(1);
            return;
        }
        Request probe;
        engine.startProbe(probe, {1, 1, 0});
        CHECK(engine.wait(probe) == ErrorCode::ok && !probe.error);
        finish(engine, *startSend(engine, 1, 0, 1, 2));
        Request lost;
        engine.startProbe(lost, {1, 3, 0});
        CHECK(engine.wait(lost) == ErrorCode::ok && lost.error.code == ErrorCode::procFailed);
        const auto into = operation(20'000);
        engine.startMatchedRecv(into->request, std::move(probe.matched), MessageKind::buffer,
                                Datatype::byte);
        CHECK(engine.wait(into->request) == ErrorCode::ok);
        CHECK(into->request.error.code == ErrorCode::procFailed);
    });
}

// Each kind of wait comes back instead of taking more than it may; then what is kept is received.
TEST("room: who waits behind more messages than can be kept is told") {
    ::setenv("ONECOPY_UNEXPECTED", "64K", 1);
    constexpr std::size_t kCount = 20'000;
    for (const std::uint64_t spin : {0, 50'000}) {
        World({.ranks = 2, .spinNanoseconds = spin}).run([](Engine& engine) {
            if (engine.rank() == 0) {
                for (int wait = 0; wait < 4; ++wait) {
                    const auto sends = flood(engine, kCount, 1, 5);
                    for (const auto& send : sends) finish(engine, *send);
                    finish(engine, *startSend(engine, 1, 99, 1, 6));
                    finish(engine, *startRecv(engine, 1, 1, 7));
                }
                return;
            }
            for (int wait = 0; wait < 4; ++wait) {
                const auto behind = startRecv(engine, 1, 0, 6);
                Envelope found;
                MatchedMessage message;
                Request* one = &behind->request;
                const ErrorCode told = wait == 0   ? engine.wait(behind->request)
                                       : wait == 1 ? engine.waitAll({&one, 1})
                                       : wait == 2 ? engine.probe({0, 6, 0}, found).code
                                                   : engine.matchedProbe({0, 6, 0}, message).code;
                CHECK(told == ErrorCode::noMem);
                const Kept kept = engine.kept();
                CHECK(kept.bytes >= 64 * 1024 && kept.bytes < 128 * 1024);
                CHECK_EQ(kept.messages, kept.bytes / 80);
                CHECK_EQ(kept.likeIt, kept.messages);
                CHECK_EQ(kept.source, 0);
                CHECK_EQ(kept.tag, 5);
                // Again, as long as nothing was received.
                CHECK(engine.wait(behind->request) == ErrorCode::noMem);
                expectFlood(engine, kCount, 0, 5);
                finish(engine, *behind);
                finish(engine, *startSend(engine, 1, 0, 0, 7));
            }
        });
    }
}

// The receiver of a large message asks for its pieces through the channel, behind the flood.
TEST("room: a transfer that has begun goes on, whatever there is no room for") {
    ::setenv("ONECOPY_UNEXPECTED", "16K", 1);
    World({.ranks = 2, .pull = PullPolicy::denied}).run([](Engine& engine) {
        constexpr std::size_t kCount = 2'000;
        constexpr std::size_t kLength = 300'000;
        if (engine.rank() == 0) {
            const auto sends = flood(engine, kCount, 1, 5);
            const auto large = startRecv(engine, kLength, 1, 6);
            finish(engine, *large);
            CHECK_EQ(large->numbers.back(), 3u);
            for (const auto& send : sends) finish(engine, *send);
            return;
        }
        const auto large = startSend(engine, kLength, 3, 0, 6);
        // Until it is claimed it could be taken back, and who waits is told.
        for (ErrorCode waited = ErrorCode::noMem; waited != ErrorCode::ok;) {
            waited = engine.wait(large->request);
            CHECK(waited == ErrorCode::ok || waited == ErrorCode::noMem);
        }
        CHECK(!large->request.error);
        expectFlood(engine, kCount, 0, 5);
    });
}

TEST("room: what is watched ends where nobody is blocked who could be told") {
    ::setenv("ONECOPY_UNEXPECTED", "64K", 1);
    World({.ranks = 2}).run([](Engine& engine) {
        constexpr std::size_t kCount = 20'000;
        if (engine.rank() == 0) {
            const auto sends = flood(engine, kCount, 1, 5);
            for (const auto& send : sends) finish(engine, *send);
            return;
        }
        const auto watched = startRecv(engine, 1, 0, 6);
        Request probe;
        engine.startProbe(probe, {kAnySource, 6, 0});
        const auto other = startRecv(engine, 1, 0, 6);
        engine.watch(watched->request);
        engine.watch(probe);
        while (!engine.crowded()) engine.progress();
        engine.refuseWatched();
        for (const Request* expected : {&watched->request, &probe}) {
            CHECK(expected->complete() && expected->error.code == ErrorCode::noMem);
        }
        CHECK(engine.takeSettled() != nullptr && engine.takeSettled() != nullptr);
        CHECK(!other->request.complete());
        CHECK(engine.cancel(other->request));
        expectFlood(engine, kCount, 0, 5);
    });
}

TEST("room: oneself is refused at once") {
    ::setenv("ONECOPY_UNEXPECTED", "1K", 1);
    Engine alone;
    std::size_t sent = 0;
    for (;; ++sent) {
        const auto send = startSend(alone, 1, sent, 0, 3);
        REQUIRE(send->request.complete() && sent < 100);
        if (send->request.error) {
            CHECK(send->request.error.code == ErrorCode::noMem);
            break;
        }
    }
    CHECK_EQ(sent, 13u);
    CHECK_EQ(alone.kept().messages, 13u);
    expectFlood(alone, sent, 0, 3);
}

TEST("room: as much as the system has left, without a limit") {
    Allowance allowance(0, 2);
    CHECK(allowance.allows(0));
    CHECK(allowance.allows(100u << 20));
    Allowance limited(1000, 2);
    CHECK(limited.allows(999));
    CHECK(!limited.allows(1000));
}
