// The engine: point-to-point, end to end, over real sockets and segments.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

using Bytes = std::vector<unsigned char>;

Bytes pattern(std::size_t bytes, unsigned seed) {
    Bytes data(bytes);
    std::uint32_t state = seed * 2654435761u + 1;
    for (auto& byte : data)
        byte = static_cast<unsigned char>((state = state * 1664525u + 1013904223u) >> 24);
    return data;
}

Error send(Engine& engine, const Bytes& data, int dest, int tag, Datatype type = Datatype::byte) {
    engine.prepareSend(dest);
    if (engine.sendAtOnce(data.data(), data.size(), dest, tag, 0, MessageKind::buffer, type))
        return {};
    Request request;
    request.setBuffer(const_cast<unsigned char*>(data.data()), data.size());
    engine.startSend(request, dest, tag, 0, MessageKind::buffer, type);
    const ErrorCode waited = engine.wait(request);
    if (waited != ErrorCode::ok) {
        engine.cancel(request);
        return {.code = waited};
    }
    return request.error;
}

Error recv(Engine& engine, Bytes& data, int source, int tag, Envelope* got = nullptr,
           Datatype type = Datatype::byte) {
    engine.prepareRecv(source);
    Envelope came;
    if (engine.recvAtOnce(data.data(), data.size(), {source, tag, 0}, MessageKind::buffer, type,
                          came)) {
        if (got != nullptr) *got = came;
        return {};
    }
    Request request;
    request.setBuffer(data.data(), data.size());
    engine.startRecv(request, {source, tag, 0}, MessageKind::buffer, type);
    const ErrorCode waited = engine.wait(request);
    if (waited != ErrorCode::ok) {
        engine.cancel(request);
        return {.code = waited};
    }
    if (got != nullptr) *got = request.envelope;
    return request.error;
}

void barrier(Engine& engine) {
    Bytes byte(1);
    for (int step = 1; step < engine.size(); step *= 2) {
        Request in;
        in.setBuffer(byte.data(), 1);
        const int from = (engine.rank() - step + engine.size()) % engine.size();
        engine.startRecv(in, {from, 999, 1}, MessageKind::buffer, Datatype::byte);
        Request out;
        out.setBuffer(byte.data(), 1);
        engine.startSend(out, (engine.rank() + step) % engine.size(), 999, 1, MessageKind::buffer,
                         Datatype::byte);
        Request* both[] = {&in, &out};
        engine.waitAll(both);
    }
}

// A seccomp filter binds the calling thread alone.
void forbidCrossMemory() {
    const sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {sizeof code / sizeof code[0], const_cast<sock_filter*>(code)};
    REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

// Every test of plain traffic runs in each of these.
const test::WorldOptions kVariants[] = {
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::probe, .spinNanoseconds = 0},
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::denied, .spinNanoseconds = 0},
    {.eagerLimit = 0, .pull = PullPolicy::probe, .spinNanoseconds = 0},
    {.eagerLimit = 0, .pull = PullPolicy::denied, .spinNanoseconds = 20'000},
};

void inEachVariant(int ranks, const std::function<void(Engine&)>& body) {
    for (test::WorldOptions options : kVariants) {
        options.ranks = ranks;
        World(options).run(body);
    }
}

}  // namespace

TEST("engine: messages of all sizes arrive whole, and nothing beyond them is touched") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t bytes :
             {0, 1, 7, 64, 16383, 16384, 16385, 65536, 65537, 1 << 20, 3'000'001}) {
            const Bytes sent = pattern(bytes, static_cast<unsigned>(bytes));
            if (engine.rank() == 0) {
                CHECK(!send(engine, sent, 1, 3));
            } else {
                Bytes got(bytes + 8, 0xee);
                Envelope envelope;
                CHECK(!recv(engine, got, 0, 3, &envelope));
                CHECK_EQ(envelope.bytes, bytes);
                CHECK_EQ(envelope.tag, 3);
                CHECK(std::equal(sent.begin(), sent.end(), got.begin()));
                CHECK(std::all_of(got.begin() + static_cast<long>(bytes), got.end(),
                                  [](auto b) { return b == 0xee; }));
            }
        }
    });
}

TEST("engine: blocking sends head to head, all ranks to all, before anybody receives") {
    inEachVariant(4, [](Engine& engine) {
        // Far more than the sockets hold; rendezvous messages wait for their receives, so those are
        // started first.
        constexpr int kMessages = 60;
        const std::size_t bytes = engine.settings().eagerLimit > 0 ? 16'000 : 100'000;
        std::vector<Bytes> in(static_cast<std::size_t>(kMessages * engine.size()), Bytes(bytes));
        std::vector<std::unique_ptr<Request>> receives;
        const auto startReceives = [&] {
            for (int peer = 0; peer < engine.size(); ++peer) {
                if (peer == engine.rank()) continue;
                for (int i = 0; i < kMessages; ++i) {
                    auto& buffer = in[static_cast<std::size_t>(peer * kMessages + i)];
                    receives.push_back(std::make_unique<Request>());
                    receives.back()->setBuffer(buffer.data(), buffer.size());
                    engine.startRecv(*receives.back(), {peer, i, 0}, MessageKind::buffer,
                                     Datatype::byte);
                }
            }
        };
        if (engine.settings().eagerLimit == 0) startReceives();
        for (int i = 0; i < kMessages; ++i) {
            for (int peer = 0; peer < engine.size(); ++peer) {
                if (peer == engine.rank()) continue;
                CHECK(!send(engine, pattern(bytes, static_cast<unsigned>(engine.rank() * 1000 + i)),
                            peer, i));
            }
        }
        if (receives.empty()) startReceives();
        for (auto& receive : receives)
            CHECK(engine.wait(*receive) == ErrorCode::ok && !receive->error);
        for (int peer = 0; peer < engine.size(); ++peer) {
            if (peer == engine.rank()) continue;
            for (int i = 0; i < kMessages; ++i) {
                CHECK(in[static_cast<std::size_t>(peer * kMessages + i)] ==
                      pattern(bytes, static_cast<unsigned>(peer * 1000 + i)));
            }
        }
    });
}

TEST("engine: messages of one source and tag do not overtake, eager and rendezvous mixed") {
    inEachVariant(3, [](Engine& engine) {
        constexpr int kMessages = 300;
        if (engine.rank() > 0) {
            std::mt19937 random(static_cast<unsigned>(engine.rank()));
            std::vector<Bytes> data;
            std::vector<std::unique_ptr<Request>> sends;
            for (std::uint32_t i = 0; i < kMessages; ++i) {
                data.emplace_back(random() % 2 == 0 ? 4 + random() % 100
                                                    : 20'000 + random() % 100'000);
                std::memcpy(data.back().data(), &i, sizeof i);
            }
            for (auto& message : data) {
                sends.push_back(std::make_unique<Request>());
                sends.back()->setBuffer(message.data(), message.size());
                engine.startSend(*sends.back(), 0, 5, 0, MessageKind::buffer, Datatype::byte);
            }
            for (auto& request : sends)
                CHECK(engine.wait(*request) == ErrorCode::ok && !request->error);
            return;
        }
        std::uint32_t next[3] = {};
        for (int i = 0; i < 2 * kMessages; ++i) {
            Bytes got(200'000);
            Envelope envelope;
            CHECK(!recv(engine, got, kAnySource, 5, &envelope));
            std::uint32_t number;
            std::memcpy(&number, got.data(), sizeof number);
            CHECK_EQ(number, next[envelope.source]++);
        }
    });
}

TEST("engine: what is taken at once belongs to no receive that was posted before") {
    World({.spinNanoseconds = 20'000}).run([](Engine& engine) {
        constexpr int kMessages = 40;
        if (engine.rank() == 0) {
            for (int round = 0; round < 200; ++round) {
                for (int i = 0; i < kMessages; ++i) send(engine, pattern(8, i), 1, i % 3);
                send(engine, Bytes(1), 1, 9);
                Bytes answer(1);
                CHECK(!recv(engine, answer, 1, 9));
            }
            return;
        }
        for (int round = 0; round < 200; ++round) {
            std::vector<Bytes> in(kMessages, Bytes(8));
            std::vector<std::unique_ptr<Request>> posted;
            for (int i = 0; i < kMessages; ++i) {
                auto& buffer = in[static_cast<std::size_t>(i)];
                // Some from anybody, which always wait their turn, and some with another tag first.
                const Selector selector{i % 5 == 0 ? kAnySource : 0, i % 3, 0};
                engine.prepareRecv(selector.source);
                Envelope came;
                if (engine.takeAtOnce(buffer.data(), buffer.size(), selector, MessageKind::buffer,
                                      Datatype::byte, came)) {
                    CHECK_EQ(came.bytes, std::uint64_t{8});
                    CHECK_EQ(came.tag, i % 3);
                    continue;
                }
                posted.push_back(std::make_unique<Request>());
                posted.back()->setBuffer(buffer.data(), buffer.size());
                engine.startRecv(*posted.back(), selector, MessageKind::buffer, Datatype::byte);
            }
            for (auto& request : posted) CHECK(engine.wait(*request) == ErrorCode::ok);
            for (int i = 0; i < kMessages; ++i)
                CHECK(in[static_cast<std::size_t>(i)] == pattern(8, static_cast<unsigned>(i)));
            Bytes last(1);
            CHECK(!recv(engine, last, 0, 9));
            CHECK(!send(engine, last, 0, 9));
        }
    });
}

TEST("engine: many large messages wait for receives in the opposite order") {
    inEachVariant(2, [](Engine& engine) {
        constexpr int kMessages = 400;
        std::vector<Bytes> data;
        std::vector<std::unique_ptr<Request>> requests;
        for (int i = 0; i < kMessages; ++i) {
            data.push_back(engine.rank() == 0 ? pattern(40'000, static_cast<unsigned>(i))
                                              : Bytes(40'000));
        }
        for (int i = 0; i < kMessages; ++i) {
            auto request = std::make_unique<Request>();
            const int tag = engine.rank() == 0 ? i : kMessages - 1 - i;
            Bytes& buffer = data[static_cast<std::size_t>(tag)];
            request->setBuffer(buffer.data(), buffer.size());
            if (engine.rank() == 0) {
                engine.startSend(*request, 1, tag, 0, MessageKind::buffer, Datatype::byte);
            } else {
                engine.startRecv(*request, {0, tag, 0}, MessageKind::buffer, Datatype::byte);
                CHECK(engine.wait(*request) == ErrorCode::ok && !request->error);
                CHECK(buffer == pattern(40'000, static_cast<unsigned>(tag)));
            }
            requests.push_back(std::move(request));
        }
        for (auto& request : requests)
            CHECK(engine.wait(*request) == ErrorCode::ok && !request->error);
    });
}

TEST("engine: lists of buffers on both sides") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t pieces : {1, 3, 63, 64, 65, 1500, 4000}) {
            for (const std::size_t each : {1, 16, 333}) {
                Bytes data = engine.rank() == 0 ? pattern(pieces * each * 2, 1)
                                                : Bytes(pieces * each * 2, 0xee);
                // Every second piece: what lies between must stay as it is.
                std::vector<iovec> list;
                for (std::size_t i = 0; i < pieces; ++i)
                    list.push_back({data.data() + 2 * i * each, each});
                Request request;
                request.setBuffer(list);
                if (engine.rank() == 0) {
                    engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::byte);
                } else {
                    engine.startRecv(request, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
                }
                CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
                if (engine.rank() == 0) continue;
                const Bytes sent = pattern(pieces * each * 2, 1);
                for (std::size_t i = 0; i < data.size(); ++i) {
                    if (i / each % 2 == 0) {
                        REQUIRE(data[i] == sent[i]);
                    } else {
                        REQUIRE(data[i] == 0xee);
                    }
                }
            }
        }
    });
}

TEST("engine: truncation and wrong types consume the message and let the sender succeed") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t bytes : {100, 100'000}) {
            if (engine.rank() == 0) {
                CHECK(!send(engine, Bytes(bytes), 1, 1));
                CHECK(!send(engine, Bytes(bytes), 1, 1, Datatype::float64));
                CHECK(!send(engine, Bytes(bytes, 7), 1, 1));
                continue;
            }
            Bytes small(bytes - 1, 0xee);
            const Error truncated = recv(engine, small, 0, 1);
            CHECK(truncated.code == ErrorCode::truncate);
            CHECK_EQ(truncated.expected, bytes);
            CHECK_EQ(truncated.actual, bytes - 1);
            CHECK(small == Bytes(bytes - 1, 0xee));
            Bytes other(bytes);
            CHECK(recv(engine, other, 0, 1, nullptr, Datatype::float32).code == ErrorCode::type);
            CHECK(!recv(engine, other, 0, 1));
            CHECK(other == Bytes(bytes, 7));
        }
    });
}

TEST("engine: a message that was taken back is never received") {
    inEachVariant(2, [](Engine& engine) {
        const Bytes wrong(100'000, 1);
        const Bytes right(100'000, 2);
        if (engine.rank() == 0) {
            int withdrawn = 0;
            for (int round = 0; round < 200; ++round) {
                Request first;
                first.setBuffer(const_cast<unsigned char*>(wrong.data()), wrong.size());
                engine.startSend(first, 1, round, 0, MessageKind::buffer, Datatype::byte);
                for (int i = 0; i < round % 4 * 3000; ++i) engine.progress();
                const bool back = engine.cancel(first);
                withdrawn += back;
                if (!back) CHECK(engine.wait(first) == ErrorCode::ok && !first.error);
                if (back) CHECK(!send(engine, right, 1, round));
                const Bytes verdict(1, back ? 1 : 0);
                CHECK(!send(engine, verdict, 1, 1000));
            }
            std::printf("  %d of 200 taken back\n", withdrawn);
            return;
        }
        for (int round = 0; round < 200; ++round) {
            Bytes got(100'000);
            CHECK(!recv(engine, got, 0, round));
            Bytes verdict(1);
            CHECK(!recv(engine, verdict, 0, 1000));
            CHECK(got == (verdict[0] == 1 ? right : wrong));
        }
    });
}

TEST("engine: probes see messages, matched probes take them") {
    inEachVariant(2, [](Engine& engine) {
        for (const std::size_t bytes : {10, 100'000}) {
            const int tag = static_cast<int>(bytes);
            if (engine.rank() == 0) {
                CHECK(!send(engine, pattern(bytes, 1), 1, tag));
                CHECK(!send(engine, pattern(bytes, 2), 1, tag));
                continue;
            }
            Envelope found;
            CHECK(!engine.probe({kAnySource, kAnyTag, 0}, found));
            CHECK_EQ(found.bytes, bytes);
            CHECK_EQ(found.source, 0);
            MatchedMessage message;
            CHECK(!engine.matchedProbe({0, tag, 0}, message));
            // The first message is taken: a receive gets the second.
            Bytes second(bytes);
            Request early;
            early.setBuffer(second.data(), bytes);
            engine.startRecv(early, {0, tag, 0}, MessageKind::buffer, Datatype::byte);
            Bytes first(bytes);
            Request matched;
            matched.setBuffer(first.data(), bytes);
            engine.startMatchedRecv(matched, std::move(message), MessageKind::buffer,
                                    Datatype::byte);
            CHECK(engine.wait(matched) == ErrorCode::ok && !matched.error);
            CHECK(engine.wait(early) == ErrorCode::ok && !early.error);
            CHECK(first == pattern(bytes, 1));
            CHECK(second == pattern(bytes, 2));
            Error error;
            CHECK(!engine.iprobe({0, tag, 0}, found, error));
        }
    });
}

TEST("engine: messages to oneself, and what can never complete") {
    inEachVariant(2, [](Engine& engine) {
        const int self = engine.rank();
        Bytes got(100'000);
        CHECK(recv(engine, got, self, 1).code == ErrorCode::deadlock);
        CHECK(send(engine, pattern(100'000, 1), self, 1).code == ErrorCode::deadlock);
        Request receive;
        receive.setBuffer(got.data(), got.size());
        engine.startRecv(receive, {kAnySource, 1, 0}, MessageKind::buffer, Datatype::byte);
        CHECK(!send(engine, pattern(100'000, 2), self, 1));
        CHECK(engine.wait(receive) == ErrorCode::ok && !receive.error);
        CHECK(got == pattern(100'000, 2));
        Request later;
        const Bytes data = pattern(100'000, 3);
        later.setBuffer(const_cast<unsigned char*>(data.data()), data.size());
        engine.startSend(later, self, 2, 0, MessageKind::buffer, Datatype::byte);
        CHECK(!recv(engine, got, self, 2));
        CHECK(later.complete() && !later.error);
        CHECK(got == data);
    });
    Engine alone;
    Bytes got(4);
    CHECK(recv(alone, got, kAnySource, kAnyTag).code == ErrorCode::deadlock);
    CHECK(!send(alone, {1, 2, 3, 4}, 0, 9));
    CHECK(!recv(alone, got, kAnySource, kAnyTag));
    CHECK(got == Bytes({1, 2, 3, 4}));
}

TEST("engine: a wait with a deadline comes back, and the request goes on") {
    inEachVariant(2, [](Engine& engine) {
        if (engine.rank() == 0) {
            Bytes got(1);
            Request receive;
            receive.setBuffer(got.data(), 1);
            engine.startRecv(receive, {1, 1, 0}, MessageKind::buffer, Datatype::byte);
            CHECK(engine.wait(receive, now() + 20'000'000) == ErrorCode::timeout);
            CHECK(!send(engine, {1}, 1, 2));
            CHECK(engine.wait(receive) == ErrorCode::ok && !receive.error);
            CHECK_EQ(got[0], 42);
        } else {
            Bytes go(1);
            CHECK(!recv(engine, go, 0, 2));
            CHECK(!send(engine, {42}, 0, 1));
        }
    });
}

TEST("engine: what a rank sent before it left is received, what it did not send is an error") {
    inEachVariant(3, [](Engine& engine) {
        const Bytes data = pattern(500, 1);
        if (engine.rank() == 0) {
            // Not connected to 1 yet when it leaves: its greeting waits at the launcher.
            if (engine.settings().eagerLimit > 0) {
                Bytes word(1);
                CHECK(!recv(engine, word, 2, 0));
            }
            Bytes got(500);
            CHECK(!recv(engine, got, 1, 1));
            CHECK(got == data);
            CHECK(recv(engine, got, 1, 1).code == ErrorCode::procLeft);
            CHECK(send(engine, data, 1, 1).code == ErrorCode::procLeft);
            Envelope found;
            CHECK(engine.probe({1, kAnyTag, 0}, found).code == ErrorCode::procLeft);
            CHECK(recv(engine, got, kAnySource, 7).code == ErrorCode::procLeft);
        } else if (engine.rank() == 1) {
            CHECK(!send(engine, data, 0, 1));
        } else if (engine.settings().eagerLimit > 0) {
            Bytes got(1);
            CHECK(recv(engine, got, 1, 3).code == ErrorCode::procLeft);
            CHECK(!send(engine, {1}, 0, 0));
        }
    });
}

TEST("engine: a rank that dies ends every wait on it") {
    for (const auto pull : {PullPolicy::probe, PullPolicy::denied}) {
        World world({.ranks = 3, .pull = pull});
        world.run([&](Engine& engine) {
            Bytes big(1'000'000);
            if (engine.rank() == 1) {
                barrier(engine);
                world.kill(1);
                return;
            }
            Request published;
            published.setBuffer(big.data(), big.size());
            engine.startSend(published, 1, 1, 0, MessageKind::buffer, Datatype::byte);
            barrier(engine);
            Bytes got(10);
            const Error lost = recv(engine, got, 1, 5);
            CHECK(lost.code == ErrorCode::procFailed);
            CHECK_EQ(lost.peer, 1);
            CHECK(engine.wait(published) == ErrorCode::ok);
            CHECK(published.error.code == ErrorCode::procFailed);
            // The others go on.
            const int other = 2 - engine.rank();
            Request both;
            both.setBuffer(got.data(), got.size());
            engine.startRecv(both, {other, 6, 0}, MessageKind::buffer, Datatype::byte);
            CHECK(!send(engine, Bytes(10, 3), other, 6));
            CHECK(engine.wait(both) == ErrorCode::ok && !both.error);
        });
    }
}

TEST("engine: when the job ends, everything that blocks comes back with the right reason") {
    World world({.ranks = 4});
    world.run([&](Engine& engine) {
        barrier(engine);
        Bytes got(10);
        if (engine.rank() == 3) {
            engine.abort(7, false, "on purpose");
            return;
        }
        if (engine.rank() == 0) CHECK(recv(engine, got, 3, 1).code == ErrorCode::procFailed);
        if (engine.rank() == 1) CHECK(recv(engine, got, kAnySource, 1).code == ErrorCode::aborted);
        if (engine.rank() == 2)
            CHECK(send(engine, Bytes(100'000), 0, 1).code == ErrorCode::aborted);
        CHECK(send(engine, Bytes(1), (engine.rank() + 1) % 3, 1).code == ErrorCode::aborted);
    });
}

TEST("engine: random traffic among four ranks agrees with what was sent") {
    const unsigned seed = std::random_device{}();
    std::printf("  seed %u\n", seed);
    inEachVariant(4, [seed](Engine& engine) {
        // Every rank knows what every other one sends: the same generator, seeded by sender and
        // receiver.
        constexpr int kMessages = 120;
        const auto sizeOf = [](std::mt19937& random) -> std::size_t {
            return random() % 3 == 0 ? random() % 150'000 : random() % 300;
        };
        struct Operation {
            Bytes data;
            Request request;
        };
        std::vector<std::unique_ptr<Operation>> operations;
        std::mt19937 mine(seed + 77u * static_cast<unsigned>(engine.rank()));
        for (int peer = 0; peer < engine.size(); ++peer) {
            if (peer == engine.rank()) continue;
            std::mt19937 out(seed + 100u * static_cast<unsigned>(engine.rank()) +
                             static_cast<unsigned>(peer));
            std::mt19937 in(seed + 100u * static_cast<unsigned>(peer) +
                            static_cast<unsigned>(engine.rank()));
            for (int i = 0; i < kMessages; ++i) {
                auto receive = std::make_unique<Operation>();
                receive->data.assign(sizeOf(in) + 1, 0xee);
                receive->request.setBuffer(receive->data.data(), receive->data.size() - 1);
                engine.startRecv(receive->request, {peer, i, 0}, MessageKind::buffer,
                                 Datatype::byte);
                operations.push_back(std::move(receive));
                auto sent = std::make_unique<Operation>();
                const std::size_t bytes = sizeOf(out);
                sent->data = pattern(bytes, static_cast<unsigned>(engine.rank() * 1000 + i));
                sent->request.setBuffer(sent->data.data(), bytes);
                engine.startSend(sent->request, peer, i, 0, MessageKind::buffer, Datatype::byte);
                operations.push_back(std::move(sent));
                if (mine() % 5 == 0) engine.progress();
            }
        }
        std::shuffle(operations.begin(), operations.end(), mine);
        for (auto& operation : operations) {
            CHECK(engine.wait(operation->request) == ErrorCode::ok);
            CHECK(!operation->request.error);
            if (operation->request.kind == Request::Kind::send) continue;
            const auto expected =
                pattern(operation->data.size() - 1,
                        static_cast<unsigned>(operation->request.peer * 1000) +
                            static_cast<unsigned>(operation->request.selector.tag));
            CHECK(std::equal(expected.begin(), expected.end(), operation->data.begin()));
            CHECK_EQ(operation->data.back(), 0xee);
        }
        barrier(engine);
    });
}

TEST("engine: a copy that is refused half-way goes on through the channel") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        constexpr std::size_t kBytes = 8 << 20;
        if (engine.rank() == 0) {
            CHECK(!send(engine, pattern(kBytes, 1), 1, 1));
            CHECK(!send(engine, pattern(kBytes, 2), 1, 1));
            return;
        }
        Bytes got(kBytes);
        Request receive;
        receive.setBuffer(got.data(), got.size());
        engine.startRecv(receive, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
        while (receive.moved == 0) engine.progress();
        CHECK(receive.moved < kBytes);
        // From here on this thread may not read other processes.
        forbidCrossMemory();
        CHECK(engine.wait(receive) == ErrorCode::ok && !receive.error);
        CHECK(got == pattern(kBytes, 1));
        const std::uint64_t pulled = engine.counters().cmaBytes.load();
        CHECK(pulled > 0 && pulled < kBytes);
        CHECK_EQ(engine.counters().stagedBytes.load(), kBytes - pulled);
        CHECK(!recv(engine, got, 0, 1));
        CHECK(got == pattern(kBytes, 2));
        CHECK_EQ(engine.counters().cmaBytes.load(), pulled);
    });
}

TEST("engine: one message of more than 2 GiB") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        // 33 times the same 64 MiB: 2.06 GiB of message without the memory for it.
        constexpr std::size_t kPiece = 64u << 20;
        Bytes data(kPiece, engine.rank() == 0 ? 0x5a : 0);
        const std::vector<iovec> list(33, {data.data(), kPiece});
        Request request;
        request.setBuffer(list);
        if (engine.rank() == 0) {
            engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::byte);
        } else {
            engine.startRecv(request, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
        }
        CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
        CHECK_EQ(request.envelope.bytes, 33ull * kPiece);
        CHECK(data == Bytes(kPiece, 0x5a));
    });
}

TEST("engine: bytes are counted by the mover that moved them") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        Bytes data(1 << 20);
        for (int i = 0; i < 20; ++i) {
            if (engine.rank() == i % 2) {
                CHECK(!send(engine, data, 1 - engine.rank(), 1));
            } else {
                CHECK(!recv(engine, data, 1 - engine.rank(), 1));
            }
        }
        const Counters& counters = engine.counters();
        CHECK_EQ(counters.cmaBytes.load(), 10u << 20);
        CHECK_EQ(counters.stagedBytes.load(), 0u);
        CHECK_EQ(counters.eagerBytes.load(), 0u);
    });
}
