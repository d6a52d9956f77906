// Contexts: ids from the launcher, members, and what is left of a context that was closed.
#include <atomic>
#include <random>
#include <set>
#include <vector>

#include "core/engine/closed_contexts.h"
#include "core/launch/broker.h"
#include "test/harness.h"
#include "test/job_under_test.h"
#include "test/launcher_side.h"
#include "test/world.h"

namespace onecopy::test {
namespace {

ContextsMessage answerTo(LauncherSide& launcher, std::size_t rank, std::uint32_t count) {
    CHECK(launcher.clients[rank].send(ContextsMessage{.count = count}));
    CHECK(launcher.serve(rank));
    const ControlPacket packet = launcher.clients[rank].receive(0);
    CHECK(packet.kind() == ControlKind::contexts);
    CHECK(packet.descriptors.empty());
    return packet.as<ContextsMessage>();
}

TEST("contexts: the launcher gives out each id once, whoever asks") {
    LauncherSide launcher(3);
    std::uint32_t next = kFirstNewContext;
    for (std::size_t rank = 0; rank < 3; ++rank) REQUIRE(launcher.join(rank));
    const std::uint32_t counts[] = {4, 8, 4, kMostNewContexts, 1, 4};
    for (std::size_t i = 0; i < std::size(counts); ++i) {
        const ContextsMessage answer = answerTo(launcher, i % 3, counts[i]);
        CHECK_EQ(answer.first, next);
        CHECK_EQ(answer.count, counts[i]);
        next += counts[i];
    }
    CHECK(launcher.aborts.empty());
}

TEST("contexts: the answer is announced, and waits behind descriptors that are not acknowledged") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0) && launcher.join(1));
    launcher.connect(0, 1);
    CHECK(launcher.clients[0].receive(0).kind() == ControlKind::peer);
    const std::uint32_t news = launcher.news(0);
    CHECK(launcher.clients[0].send(ContextsMessage{.count = 4}));
    CHECK(launcher.serve(0));
    CHECK(launcher.clients[0].receive(0).kind() == ControlKind{});
    launcher.acknowledge(0);
    CHECK(launcher.clients[0].receive(0).kind() == ControlKind::contexts);
    CHECK_EQ(launcher.news(0), news + 1);
}

TEST("contexts: a rank that asks again without having its answer breaks the protocol") {
    LauncherSide launcher(2);
    REQUIRE(launcher.join(0) && launcher.join(1));
    // Not acknowledged, so the first answer cannot go out.
    launcher.connect(0, 1);
    launcher.clients[0].send(ContextsMessage{.count = 4});
    CHECK(launcher.serve(0));
    launcher.clients[0].send(ContextsMessage{.count = 4});
    CHECK(!launcher.serve(0));
    CHECK_EQ(launcher.aborts.size(), 1u);
    // The other one is served as ever.
    CHECK(launcher.clients[1].receive(0).kind() == ControlKind::peer);
    launcher.acknowledge(1);
    CHECK_EQ(answerTo(launcher, 1, 4).count, 4u);
}

TEST("contexts: when ids run out the launcher says so, and gives none twice") {
    LauncherSide launcher(1);
    REQUIRE(launcher.join(0));
    Broker late(launcher.roster,
                {.note = [](const std::string&) {}, .watchRoom = [](std::size_t, bool) {}},
                (std::uint64_t{1} << 32) - 6);
    late.welcome(0);
    CHECK(launcher.clients[0].receive(0).kind() == ControlKind::welcome);
    late.acknowledge(0);
    const auto first = [&](std::uint32_t count) {
        CHECK(late.giveContexts(0, count));
        return launcher.clients[0].receive(0).as<ContextsMessage>().first;
    };
    CHECK_EQ(first(4), 0xfffffffau);
    CHECK_EQ(first(4), 0u);
    CHECK_EQ(first(2), 0xfffffffeu);
    CHECK_EQ(first(1), 0u);
}

TEST("contexts: a world of one counts by itself, as far as ids go") {
    Engine engine;
    std::uint32_t first = 0;
    CHECK(!engine.newContexts(4, first));
    CHECK_EQ(first, kFirstNewContext);
    CHECK(!engine.newContexts(8, first));
    CHECK_EQ(first, kFirstNewContext + 4);
    CHECK(engine.newContexts(0, first).code == ErrorCode::count);
    CHECK(engine.newContexts(kMostNewContexts + 1, first).code == ErrorCode::count);
    std::uint32_t last = 0;
    while (!engine.newContexts(kMostNewContexts, first)) {
        CHECK(first > last);
        last = first;
    }
    CHECK(engine.newContexts(kMostNewContexts, first).code == ErrorCode::noMem);
    CHECK(!engine.newContexts(4, first));
}

TEST("contexts: ranks that ask at the same time get different ids, and go on with their work") {
    std::vector<std::uint32_t> firsts[3];
    World world({.ranks = 3});
    world.run([&](Engine& engine) {
        auto& mine = firsts[engine.rank()];
        for (int i = 0; i < 200; ++i) {
            std::uint32_t first = 0;
            CHECK(!engine.newContexts(4, first));
            mine.push_back(first);
        }
    });
    std::set<std::uint32_t> all;
    for (const auto& mine : firsts) {
        for (std::size_t i = 0; i < mine.size(); ++i) {
            all.insert(mine[i]);
            if (i > 0) CHECK(mine[i] > mine[i - 1]);
        }
    }
    CHECK_EQ(all.size(), 600u);
}

TEST("contexts: the end of the job ends the question") {
    World world({.ranks = 2});
    world.run([&](Engine& engine) {
        if (engine.rank() == 1) return engine.abort(3, false, "on purpose");
        std::uint32_t first = 0;
        Error error;
        while (!(error = engine.newContexts(4, first))) {
        }
        CHECK(error.code == ErrorCode::aborted);
    });
}

// -----------------------------------------------------------------------------------------------
// members

using Bytes = std::vector<unsigned char>;

void postTo(Engine& engine, Request& request, Bytes& data, const Selector& selector) {
    request.setBuffer(data.data(), data.size());
    engine.startRecv(request, selector, MessageKind::buffer, Datatype::byte);
}

void startTo(Engine& engine, Request& request, Bytes& data, int dest, std::uint32_t context) {
    request.setBuffer(data.data(), data.size());
    engine.startSend(request, dest, 1, context, MessageKind::buffer, Datatype::byte);
}

TEST("contexts: a receive from any source ends when the members are gone, whoever else is there") {
    World world({.ranks = 3});
    world.run([&](Engine& engine) {
        constexpr ContextRange pair{100, 4};
        if (engine.rank() != 2) engine.nameMembers(pair, {1, 0});
        Bytes data(8);
        Bytes word(8);
        if (engine.rank() == 0) {
            Request wild;
            postTo(engine, wild, data, {kAnySource, kAnyTag, 100});
            CHECK(engine.wait(wild) == ErrorCode::ok);
            CHECK(!wild.error);
            Request again;
            postTo(engine, again, data, {kAnySource, kAnyTag, 100});
            CHECK(engine.wait(again) == ErrorCode::ok);
            CHECK(again.error.code == ErrorCode::procLeft);
            Envelope found;
            CHECK(engine.probe({kAnySource, 1, 102}, found).code == ErrorCode::procLeft);
            // Rank 2 is still there, and can be heard in a context of all.
            Request other;
            postTo(engine, other, word, {kAnySource, kAnyTag, 0});
            Request go;
            startTo(engine, go, word, 2, 0);
            Request* both[] = {&other, &go};
            CHECK(engine.waitAll(both) == ErrorCode::ok);
            CHECK(!other.error && other.envelope.source == 2);
        } else if (engine.rank() == 1) {
            Request out;
            startTo(engine, out, data, 0, 100);
            CHECK(engine.wait(out) == ErrorCode::ok && !out.error);
        } else {
            Request in;
            postTo(engine, in, word, {0, kAnyTag, 0});
            CHECK(engine.wait(in) == ErrorCode::ok && !in.error);
            Request out;
            startTo(engine, out, data, 0, 0);
            CHECK(engine.wait(out) == ErrorCode::ok && !out.error);
        }
    });
}

TEST("contexts: a member that has died is named, one that is none is not") {
    World world({.ranks = 4});
    world.run([&](Engine& engine) {
        if (engine.rank() == 1 || engine.rank() == 3) return world.kill(engine.rank());
        if (engine.rank() == 2) return;
        engine.nameMembers({100, 1}, {3, 0});
        Bytes data(8);
        Request wild;
        postTo(engine, wild, data, {kAnySource, kAnyTag, 100});
        CHECK(engine.wait(wild) == ErrorCode::ok);
        CHECK(wild.error.code == ErrorCode::procFailed);
        CHECK_EQ(wild.error.peer, 3);
    });
}

// ------------------------------------------------------------------------------------------------
// closing

TEST("contexts: nothing is kept of a context once it is closed and nothing is pending in it") {
    Engine engine;
    Bytes data(100);
    const std::size_t before = engine.keptContexts();
    for (int i = 0; i < 10'000; ++i) {
        std::uint32_t first = 0;
        CHECK(!engine.newContexts(4, first));
        engine.nameMembers({first, 4}, {0});
        engine.openContext(first + 1, {0});
        // A message that nobody will receive.
        Request out;
        startTo(engine, out, data, 0, first);
        CHECK(out.complete());
        engine.closeContexts({first, 4});
    }
    // One range of what was closed.
    CHECK_EQ(engine.keptContexts(), before + 1);
}

TEST("contexts: a receive that is pending in a closed context still gets its message") {
    for (const std::uint64_t eager : {16u * 1024, 0u}) {
        World world({.ranks = 2, .eagerLimit = eager});
        world.run([&](Engine& engine) {
            constexpr std::uint32_t context = 100;
            Bytes data(64, 7);
            Bytes word(1);
            if (engine.rank() == 0) {
                Request in;
                Bytes got(64);
                postTo(engine, in, got, {1, kAnyTag, context});
                engine.closeContexts({context, 4});
                Request go;
                startTo(engine, go, word, 1, 0);
                Request* both[] = {&in, &go};
                CHECK(engine.waitAll(both) == ErrorCode::ok);
                CHECK(!in.error && got == data);
                // With the next look at what was closed it goes.
                engine.closeContexts({context + 4, 4});
                CHECK_EQ(engine.keptContexts(), 1u);
            } else {
                Request in;
                postTo(engine, in, word, {0, kAnyTag, 0});
                CHECK(engine.wait(in) == ErrorCode::ok);
                Request out;
                startTo(engine, out, data, 0, context);
                CHECK(engine.wait(out) == ErrorCode::ok && !out.error);
            }
        });
    }
}

TEST("contexts: who sends to a closed context does not wait for ever") {
    World world({.ranks = 2, .eagerLimit = 0});
    world.run([&](Engine& engine) {
        Bytes data(100'000);
        Bytes word(1);
        if (engine.rank() == 0) {
            // One comes before it is closed, one after.
            Envelope found;
            CHECK(!engine.probe({1, kAnyTag, 100}, found));
            engine.closeContexts({100, 4});
            Request in;
            postTo(engine, in, word, {1, kAnyTag, 0});
            CHECK(engine.wait(in) == ErrorCode::ok && !in.error);
            CHECK_EQ(engine.keptContexts(), 2u);
        } else {
            for (int i = 0; i < 2; ++i) {
                Request out;
                startTo(engine, out, data, 0, 100);
                CHECK(engine.wait(out) == ErrorCode::ok);
                CHECK(out.error.code == ErrorCode::transfer);
            }
            Request out;
            startTo(engine, out, word, 0, 0);
            CHECK(engine.wait(out) == ErrorCode::ok && !out.error);
        }
    });
}

TEST("contexts: a send to oneself that nobody has received ends with its context") {
    Engine engine;
    Bytes data(1'000'000);
    Request out;
    startTo(engine, out, data, 0, 100);
    CHECK(!out.complete());
    engine.closeContexts({100, 4});
    CHECK(out.complete() && out.error.code == ErrorCode::transfer);
}

TEST("contexts: what was closed is remembered as a slow model remembers it, within bounds") {
    std::mt19937 random(20260707);
    for (int round = 0; round < 200; ++round) {
        ClosedContexts closed;
        std::set<std::uint32_t> model;
        for (int i = 0; i < 40; ++i) {
            const ContextRange range{static_cast<std::uint32_t>(random() % 100),
                                     static_cast<std::uint32_t>(random() % 8)};
            closed.add(range);
            for (std::uint32_t id = 0; id < range.count; ++id) model.insert(range.first + id);
        }
        std::size_t ranges = 0;
        for (std::uint32_t id = 0; id < 110; ++id) {
            CHECK_EQ(closed.contains(id), model.contains(id));
            ranges += model.contains(id) && (id == 0 || !model.contains(id - 1)) ? 1 : 0;
        }
        CHECK_EQ(closed.ranges(), ranges);
    }
    ClosedContexts sparse;
    for (std::uint32_t i = 0; i < 10'000; ++i) sparse.add({8 * i, 4});
    CHECK_EQ(sparse.ranges(), ClosedContexts::kMostRanges);
    CHECK(sparse.contains(8 * 9'999) && !sparse.contains(0));
    sparse.add({0xfffffffc, 4});
    CHECK(sparse.contains(0xffffffff));
}

}  // namespace
}  // namespace onecopy::test
