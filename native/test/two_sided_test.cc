// Both sides copy: the words of one transfer by themselves, and whole engines that share a message.
#include "core/transfer/two_sided.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "core/engine/thresholds.h"
#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

using Bytes = std::vector<unsigned char>;

constexpr unsigned char kGuard = 0xa5;
constexpr std::size_t kGuardBytes = 64;

// Nobody sleeps, so who waits for its send also pushes.
constexpr std::uint64_t kSpinOn = 20'000'000'000;

Bytes pattern(std::size_t bytes, unsigned seed) {
    Bytes data(bytes);
    std::uint32_t state = seed * 2654435761u + 1;
    for (auto& byte : data)
        byte = static_cast<unsigned char>((state = state * 1664525u + 1013904223u) >> 24);
    return data;
}

// Room for a message between bytes that nobody may touch.
struct Guarded {
    explicit Guarded(std::size_t bytes) : memory(bytes + 2 * kGuardBytes, kGuard), bytes(bytes) {}
    unsigned char* data() { return memory.data() + kGuardBytes; }
    bool holds(const Bytes& expected) const {
        const auto at = memory.begin() + kGuardBytes;
        const auto isGuard = [](unsigned char byte) { return byte == kGuard; };
        return expected.size() == bytes && std::equal(expected.begin(), expected.end(), at) &&
               std::all_of(memory.begin(), at, isGuard) &&
               std::all_of(at + static_cast<long>(bytes), memory.end(), isGuard);
    }
    Bytes memory;
    std::size_t bytes;
};

// What the environment of a rank may say of thresholds, for the engines of this test.
void setThresholds(const char* twoSided, const char* share, const char* slice) {
    ::setenv("ONECOPY_TWO_SIDED", twoSided, 1);
    ::setenv("ONECOPY_PUSH_SLICE", share, 1);
    ::setenv("ONECOPY_SLICE", slice, 1);
}

// A seccomp filter binds the calling thread alone.
void forbid(long call) {
    const sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {sizeof code / sizeof code[0], const_cast<sock_filter*>(code)};
    REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

// What a rank's thread does at each point it reaches.
thread_local std::function<void(Point)> atPoint;

void reached(Point point) {
    if (atPoint) atPoint(point);
}

// What the two ranks of a world have done, counted at the points that they reach.
struct Steps {
    Steps() { pointHook = reached; }
    ~Steps() { pointHook = nullptr; }

    // The calling thread counts what it does, then does what `also` says.
    void follow(std::function<void(Point)> also = {}) {
        atPoint = [this, also = std::move(also)](Point point) {
            if (point == Point::backTaken) {
                ++taken;
                writing = true;
            }
            if (point == Point::pushReported) {
                writing = false;
                ++reported;
            }
            if (point == Point::offerOpen) ++offers;
            if (point == Point::frontTaken) ++pulled;
            if (also) also(point);
        };
    }
    // A receiver that lets its sender push so many slices before it pulls any.
    void followSlowly(int slices = 1) {
        follow([this, slices, enough = 0](Point point) mutable {
            if (point == Point::offerWritten) enough = reported + slices;
            if (point != Point::offerOpen) return;
            while (reported < enough && !hasFailed) std::this_thread::yield();
        });
    }

    std::atomic<int> taken{0};     // slices, by the sender
    std::atomic<int> reported{0};  // by the sender, also one that it could not write
    std::atomic<int> pulled{0};    // slices, by the receiver
    std::atomic<int> offers{0};
    std::atomic<bool> writing{false};    // the sender may be writing into its receiver's buffer
    std::atomic<bool> hasFailed{false};  // no more is to be expected
};

void send(Engine& engine, const Bytes& data, int tag) {
    Request request;
    request.setBuffer(const_cast<unsigned char*>(data.data()), data.size());
    engine.startSend(request, 1 - engine.rank(), tag, 0, MessageKind::buffer, Datatype::byte);
    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
}

void startRecv(Engine& engine, Request& request, Guarded& into, int tag) {
    request.setBuffer(into.data(), into.bytes);
    engine.startRecv(request, {1 - engine.rank(), tag, 0}, MessageKind::buffer, Datatype::byte);
}

void recv(Engine& engine, const Bytes& expected, int tag) {
    Guarded into(expected.size());
    Request request;
    startRecv(engine, request, into, tag);
    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
    CHECK(into.holds(expected));
}

// Both ranks know each other, and whether they may copy, once this is through.
void meet(Engine& engine) {
    for (int turn = 0; turn < 2; ++turn) {
        if (engine.rank() == turn) {
            send(engine, {1}, 9);
        } else {
            recv(engine, {1}, 9);
        }
    }
}

std::uint64_t pushedBy(Engine& engine) { return engine.counters().pushedBytes.load(); }

test::WorldOptions spinning(std::uint64_t eagerLimit = 1024) {
    return {.ranks = 2, .eagerLimit = eagerLimit, .spinNanoseconds = kSpinOn};
}

}  // namespace

// ------------------------------------------------------------------------------------------ words

TEST("two-sided: two threads take from both ends, and every slice is taken exactly once") {
    constexpr int kRounds = 3000;
    const auto direction = std::make_unique<PairDirection>();
    std::atomic<std::uint32_t> published{0};
    std::atomic<std::uint32_t> opened{0};
    std::atomic<std::uint32_t> emptied{0};
    // Plain bytes: a slice taken twice is a race for TSan as well.
    std::vector<unsigned char> taken(200);
    const auto slicesOf = [](std::uint32_t round) { return 1 + round * 7 % 200; };
    const auto offerOf = [&](std::uint32_t round) -> Offer {
        return {.address = 4096ull * round,
                .offset = round,
                .bytes = slicesOf(round) * 10 - 3,
                .slice = 10};
    };
    std::uint64_t pushed = 0;
    std::thread sender([&] {
        for (std::uint32_t round = 1; round <= kRounds; ++round) {
            // Looks from the start: what stands there from the last round means nothing.
            const PushableTransfer transfer(*direction, {0, round});
            published.store(round, std::memory_order_release);
            std::uint16_t count = 0;
            while (emptied.load(std::memory_order_acquire) < round) {
                Offer offer;
                const auto index = transfer.take(offer, 1u << 20);
                if (!index) continue;
                CHECK(opened.load() == round);
                CHECK(offer.address == offerOf(round).address && offer.offset == round &&
                      offer.bytes == offerOf(round).bytes && offer.slice == 10);
                ++taken[*index];
                transfer.report(++count, false);
                ++pushed;
            }
        }
    });
    std::uint64_t pulled = 0;
    for (std::uint32_t round = 1; round <= kRounds; ++round) {
        const OfferedTransfer transfer(*direction, {0, round});
        const Offer offer = offerOf(round);
        const std::uint64_t slices = offer.slices();
        std::fill(taken.begin(), taken.end(), 0);
        CHECK_EQ(transfer.pushed().count, 0);
        // Nobody pushes the last message any more once its sender has published this one.
        while (published.load(std::memory_order_acquire) < round) std::this_thread::yield();
        opened.store(round);
        transfer.open(offer);
        std::uint64_t mine = 0;
        while (const auto index = transfer.take(slices)) {
            CHECK_EQ(*index, mine);
            ++taken[*index];
            ++mine;
            // A race from one end only is none.
            if (round % 3 == 0) std::this_thread::yield();
        }
        while (transfer.pushed().count != transfer.taken()) std::this_thread::yield();
        CHECK_EQ(mine + transfer.taken(), slices);
        for (std::size_t i = 0; i < taken.size(); ++i) CHECK_EQ(taken[i], i < slices ? 1 : 0);
        pulled += mine;
        emptied.store(round, std::memory_order_release);
    }
    sender.join();
    std::printf("  %llu slices from the front, %llu from the back\n",
                static_cast<unsigned long long>(pulled), static_cast<unsigned long long>(pushed));
}

TEST("two-sided: a closed offer gives nothing more, and counts what was taken before") {
    const auto direction = std::make_unique<PairDirection>();
    const OfferedTransfer receiver(*direction, {3, 7});
    const PushableTransfer sender(*direction, {3, 7});
    const Offer offer{.address = 1, .offset = 2, .bytes = 95, .slice = 10};
    receiver.open(offer);
    Offer seen;
    CHECK_EQ(*sender.take(seen, 97), 9u);
    CHECK_EQ(seen.end(9) - seen.begin(9), 5u);
    CHECK_EQ(*sender.take(seen, 97), 8u);
    CHECK_EQ(*receiver.take(10), 0u);
    receiver.close(10);
    CHECK(!sender.take(seen, 97));
    CHECK(!receiver.take(10));
    CHECK_EQ(receiver.taken(), 2u);
    sender.report(1, true);
    CHECK_EQ(receiver.pushed().count, 1);
    CHECK(receiver.pushed().failed);
    // The next message of the slot.
    CHECK_EQ(OfferedTransfer(*direction, {3, 8}).pushed().count, 0);
    CHECK(!OfferedTransfer(*direction, {3, 8}).pushed().failed);
    CHECK(!PushableTransfer(*direction, {3, 8}).take(seen, 97));
}

// The sender believes nothing that stands in the slot: it takes slices of its own message only, and
// comes to an end.
TEST("two-sided: absurd words in the slot give the sender nothing outside of its message") {
    const auto direction = std::make_unique<PairDirection>();
    TransferSlot& slot = direction->slots[0];
    std::mt19937_64 random(11);
    constexpr std::uint64_t kMost = 100'000;
    const std::uint64_t words[] = {
        0,         1,           2,          9,          kMost - 1,     kMost,
        kMost + 1, 0x7fff'ffff, 1ull << 32, 1ull << 62, ~0ull - kMost, ~0ull};
    const auto any = [&]() -> std::uint64_t {
        return random() % 2 == 0 ? words[random() % std::size(words)] : random() % (2 * kMost);
    };
    int given = 0;
    for (int round = 0; round < 20'000; ++round) {
        slot.address = any();
        slot.offset = any();
        slot.bytes = any();
        slot.slice = any();
        Cut cut{5, static_cast<std::uint16_t>(any()), static_cast<std::uint16_t>(any())};
        if (round % 3 == 0) cut = {5, 0, static_cast<std::uint16_t>(random() % 3)};
        if (round % 7 == 0) cut.generation = static_cast<std::uint32_t>(any());
        slot.cut = cut.word();
        const PushableTransfer transfer(*direction, {0, 5});
        Offer offer;
        std::uint64_t last = ~0ull;
        int taken = 0;
        while (const auto index = transfer.take(offer, kMost)) {
            if (++taken > 70'000) break;
            REQUIRE(cut.generation == 5);
            // From the back to the front, each once.
            REQUIRE(*index < last);
            last = *index;
            REQUIRE(offer.begin(*index) < offer.end(*index));
            REQUIRE(offer.end(*index) <= offer.bytes);
            REQUIRE(offer.offset <= kMost && offer.bytes <= kMost - offer.offset);
        }
        REQUIRE(taken <= 70'000);
        given += taken > 0;
    }
    CHECK(given > 100);
}

TEST("two-sided: as many slices as the count can hold, and one more") {
    const auto direction = std::make_unique<PairDirection>();
    for (const std::uint64_t slices : {Offer::kMostSlices, Offer::kMostSlices + 1}) {
        const OfferedTransfer receiver(*direction, {0, 1});
        const Offer offer{.address = 1, .offset = 0, .bytes = slices * 2 - 1, .slice = 2};
        CHECK_EQ(offer.slices(), slices);
        receiver.open(offer);
        const PushableTransfer sender(*direction, {0, 1});
        Offer seen;
        std::uint64_t taken = 0;
        while (taken <= slices && sender.take(seen, offer.bytes)) ++taken;
        // One more cannot be counted, so none of them is taken.
        CHECK_EQ(taken, slices == Offer::kMostSlices ? slices : 0);
    }
}

TEST("two-sided: each side's share is never nothing") {
    Thresholds thresholds;
    for (const std::uint64_t bytes : {1, 2, 3, 4095, 4096, 4097, 8192, 524288, 524289}) {
        CHECK(thresholds.shareOf(bytes) > 0);
        CHECK(thresholds.shareOf(bytes) % 4096 == 0);
    }
}

// ---------------------------------------------------------------------------------------- engines

TEST("two-sided: sizes around thresholds and slices arrive whole, by both sides") {
    const struct {
        const char* twoSided;
        const char* share;
        const char* slice;
        std::vector<std::size_t> sizes;
    } settings[] = {
        {"",
         "",
         "",
         {32767, 32768, 32769, 65535, 65536, 65537, 262145, 524288, 524289, 1 << 20, (1 << 20) + 1,
          3'000'001}},
        {"4K", "4K", "4K", {4095, 4096, 4097, 8191, 8192, 8193, 12288, 40'961}},
        {"1", "1", "1", {1, 2, 3, 64, 1025, 70'001}},
        {"1", "0", "1M", {1, 2, 4095, 4096, 4097, 8193}},
        {"2000", "1000", "700", {1999, 2000, 2001, 2999, 3000, 3001, 9'999}},
        {"32K", "1024M", "512K", {32768, 100'000}},
    };
    for (const auto& setting : settings) {
        setThresholds(setting.twoSided, setting.share, setting.slice);
        for (const std::uint64_t eagerLimit : {0, 1024}) {
            Steps steps;
            World(spinning(eagerLimit)).run([&](Engine& engine) {
                meet(engine);
                std::uint64_t received = engine.counters().cmaBytes.load();
                for (std::size_t i = 0; i < 2 * setting.sizes.size(); ++i) {
                    const std::size_t bytes = setting.sizes[i / 2];
                    const Bytes data = pattern(bytes, static_cast<unsigned>(i));
                    const bool sender = engine.rank() == static_cast<int>(i % 2);
                    // Every second message of a size gives the sender time to take its part.
                    if (i % 4 < 2 || sender) {
                        steps.follow();
                    } else {
                        steps.followSlowly();
                    }
                    if (sender) {
                        send(engine, data, 1);
                    } else {
                        recv(engine, data, 1);
                    }
                    atPoint = {};
                }
                // What the two did together is what there was to do.
                Bytes total(8);
                received = engine.counters().cmaBytes.load() - received;
                std::memcpy(total.data(), &received, 8);
                Guarded other(8);
                Request in;
                startRecv(engine, in, other, 2);
                Request out;
                out.setBuffer(total.data(), 8);
                engine.startSend(out, 1 - engine.rank(), 2, 0, MessageKind::buffer, Datatype::byte);
                Request* both[] = {&in, &out};
                CHECK(engine.waitAll(both) == ErrorCode::ok);
                std::uint64_t theirs = 0;
                std::memcpy(&theirs, other.data(), 8);
                std::uint64_t sum = 0;
                for (const std::size_t bytes : setting.sizes)
                    sum += 2 * (bytes > eagerLimit ? bytes : 0);
                if (eagerLimit > 0) CHECK_EQ(received + theirs, sum);
            });
            CHECK(steps.taken > 0);
            CHECK_EQ(steps.taken.load(), steps.reported.load());
        }
    }
}

TEST("two-sided: a push refused at any slice is made up for by the receiver, and the last one") {
    setThresholds("4K", "4K", "4K");
    for (const int refused : {1, 2, 5, 8}) {
        Steps steps;
        World(spinning()).run([&](Engine& engine) {
            constexpr std::size_t kSlices = 8;
            const Bytes first = pattern(kSlices * 4096, 1);
            const Bytes second = pattern(kSlices * 4096 + 5, 2);
            meet(engine);
            if (engine.rank() == 0) {
                steps.follow([&](Point point) {
                    if (point != Point::backTaken || steps.taken != refused) return;
                    forbid(SYS_process_vm_writev);
                    steps.hasFailed = true;
                });
                send(engine, first, 1);
                CHECK_EQ(pushedBy(engine), static_cast<unsigned>(refused - 1) * 4096u);
                CHECK(!steps.writing);
                send(engine, second, 1);
                // Nobody tries again what is refused.
                CHECK_EQ(steps.taken.load(), refused);
                CHECK_EQ(pushedBy(engine), static_cast<unsigned>(refused - 1) * 4096u);
            } else {
                steps.followSlowly(refused);
                recv(engine, first, 1);
                CHECK_EQ(steps.reported.load(), refused);
                steps.follow();
                recv(engine, second, 1);
                CHECK_EQ(engine.counters().stagedBytes.load(), 0u);
            }
            atPoint = {};
        });
    }
}

TEST("two-sided: a pull refused in the middle is staged, once all pushes are in") {
    setThresholds("4K", "4K", "4K");
    for (const int refused : {1, 2, 4}) {
        for (const bool slowPush : {false, true}) {
            Steps steps;
            World(spinning()).run([&](Engine& engine) {
                constexpr std::size_t kSlices = 16;
                const Bytes first = pattern(kSlices * 4096 - 1, 3);
                const Bytes second = pattern(kSlices * 4096, 4);
                meet(engine);
                if (engine.rank() == 0) {
                    steps.follow([&](Point point) {
                        // Has taken a slice, and writes it after the receiver was refused.
                        if (point != Point::backTaken || steps.taken != 3) return;
                        while (!steps.hasFailed) std::this_thread::yield();
                        for (int i = 0; slowPush && i < 2000; ++i) std::this_thread::yield();
                    });
                    send(engine, first, 1);
                    steps.follow();
                    send(engine, second, 1);
                } else {
                    steps.follow([&](Point point) {
                        if (point == Point::offerOpen && steps.offers == 1)
                            while (steps.taken < 3) std::this_thread::yield();
                        if (point != Point::frontTaken || steps.pulled != refused) return;
                        forbid(SYS_process_vm_readv);
                        steps.hasFailed = true;
                    });
                    recv(engine, first, 1);
                    CHECK(!steps.writing);
                    const std::uint64_t staged = engine.counters().stagedBytes.load();
                    CHECK(staged > 0);
                    CHECK(staged <= first.size() - 4096u * static_cast<unsigned>(refused - 1));
                    recv(engine, second, 1);
                    CHECK_EQ(engine.counters().stagedBytes.load(), staged + second.size());
                    CHECK_EQ(steps.offers.load(), 1);
                }
                atPoint = {};
            });
        }
    }
}

TEST("two-sided: nothing is offered to be written but by a call that waits without a limit") {
    setThresholds("4K", "4K", "4K");
    Steps steps;
    World(spinning()).run([&](Engine& engine) {
        const Bytes data = pattern(200'000, 1);
        meet(engine);
        steps.follow();
        if (engine.rank() == 0) {
            for (int i = 0; i < 4; ++i) send(engine, data, i);
        } else {
            Guarded into(data.size());
            {
                Request request;
                startRecv(engine, request, into, 0);
                CHECK(engine.wait(request, now() + 10'000'000'000) == ErrorCode::ok);
                CHECK(into.holds(data));
            }
            {
                // As an event loop does.
                Request request;
                startRecv(engine, request, into, 1);
                while (!request.complete()) engine.progress();
                CHECK(into.holds(data));
            }
            {
                // A limit that passes, and a cancellation that comes too late.
                Request request;
                startRecv(engine, request, into, 2);
                while (request.moved == 0) engine.progress();
                CHECK(engine.wait(request, 0) == ErrorCode::timeout);
                CHECK(!engine.cancel(request));
                while (!request.complete()) engine.progress();
                CHECK(into.holds(data));
            }
            CHECK_EQ(steps.offers.load(), 0);
            CHECK_EQ(steps.taken.load(), 0);
            recv(engine, data, 3);
            CHECK_EQ(steps.offers.load(), 1);
        }
        atPoint = {};
    });
}

TEST("two-sided: a wait for all that can never end leaves nothing open behind it") {
    setThresholds("4K", "4K", "4K");
    Steps steps;
    World(spinning()).run([&](Engine& engine) {
        const Bytes data = pattern(400'000, 1);
        meet(engine);
        steps.follow();
        if (engine.rank() == 0) {
            send(engine, data, 1);
        } else {
            Guarded into(data.size());
            Request request;
            startRecv(engine, request, into, 1);
            while (request.moved == 0) engine.progress();
            REQUIRE(!request.complete());
            Bytes nothing(1);
            Request never;
            never.setBuffer(nothing.data(), 1);
            engine.startRecv(never, {engine.rank(), 5, 0}, MessageKind::buffer, Datatype::byte);
            Request* both[] = {&request, &never};
            CHECK(engine.waitAll(both) == ErrorCode::deadlock);
            // The buffer is its owner's business again: nobody else writes there.
            CHECK(!request.offered);
            CHECK_EQ(steps.offers.load(), 0);
            CHECK(engine.cancel(never));
            CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
            CHECK(into.holds(data));
        }
        atPoint = {};
    });
}

namespace {

// A buffer that a script takes away.
struct Lender final : BufferOwner {
    bool stillThere() override { return there; }
    bool there = true;
};

}  // namespace

TEST("two-sided: a buffer taken away fails the receive once the sender writes no more") {
    setThresholds("4K", "4K", "4K");
    Steps steps;
    World(spinning()).run([&](Engine& engine) {
        const Bytes data = pattern(100'000, 1);
        meet(engine);
        std::atomic<bool> gone{false};
        if (engine.rank() == 0) {
            steps.follow([&](Point point) {
                if (point != Point::backTaken || steps.taken != 2) return;
                while (!steps.hasFailed) std::this_thread::yield();
                for (int i = 0; i < 2000; ++i) std::this_thread::yield();
            });
            Request request;
            request.setBuffer(const_cast<unsigned char*>(data.data()), data.size());
            engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::byte);
            CHECK(engine.wait(request) == ErrorCode::ok);
            CHECK(request.error.code == ErrorCode::transfer);
        } else {
            Lender owner;
            steps.follow([&](Point point) {
                if (point == Point::offerOpen)
                    while (steps.taken < 2) std::this_thread::yield();
                if (point != Point::frontTaken) return;
                // As an operator in JavaScript may do while its rank waits.
                owner.there = false;
                steps.hasFailed = true;
            });
            Guarded into(data.size());
            Request request;
            request.owner = &owner;
            startRecv(engine, request, into, 1);
            CHECK(engine.wait(request) == ErrorCode::ok);
            CHECK(request.error.code == ErrorCode::detached);
            CHECK(!steps.writing);
        }
        atPoint = {};
    });
}

TEST("two-sided: a receive that was begun earlier, and has come half-way, is shared from there") {
    setThresholds("4K", "4K", "4K");
    Steps steps;
    World(spinning()).run([&](Engine& engine) {
        for (const std::size_t bytes : {8193, 40'000, 300'001}) {
            const Bytes data = pattern(bytes, static_cast<unsigned>(bytes));
            meet(engine);
            if (engine.rank() == 0) {
                steps.follow();
                send(engine, data, 1);
            } else {
                Guarded into(bytes);
                Request request;
                startRecv(engine, request, into, 1);
                while (request.moved == 0) engine.progress();
                REQUIRE(request.moved < bytes);
                CHECK_EQ(steps.offers.load(), 0);
                if (bytes - request.moved >= 4096) {
                    steps.followSlowly();
                    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
                    CHECK(steps.reported > 0);
                    CHECK_EQ(steps.offers.load(), 1);
                }
                CHECK(into.holds(data));
                steps.offers = 0;
            }
            atPoint = {};
        }
    });
}

TEST(
    "two-sided: a sender that never waits for its message does not push, and one that comes late "
    "still may") {
    setThresholds("4K", "4K", "4K");
    for (const bool waits : {false, true}) {
        Steps steps;
        World(spinning()).run([&](Engine& engine) {
            const Bytes data = pattern(1 << 20, 5);
            meet(engine);
            if (engine.rank() == 0) {
                Request request;
                request.setBuffer(const_cast<unsigned char*>(data.data()), data.size());
                steps.follow();
                engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::byte);
                while (steps.pulled < 10) engine.progress();
                if (waits) {
                    CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
                } else {
                    while (!request.complete()) engine.progress();
                    CHECK(!request.error);
                    CHECK_EQ(pushedBy(engine), 0u);
                }
            } else {
                steps.follow([&](Point point) {
                    if (point == Point::frontTaken && waits && steps.pulled == 10)
                        while (steps.reported == 0) std::this_thread::yield();
                });
                recv(engine, data, 1);
                CHECK_EQ(steps.taken > 0, waits);
            }
            atPoint = {};
        });
    }
}

TEST("two-sided: thousands of messages over the same slots, several at a time") {
    setThresholds("4K", "4K", "4K");
    constexpr int kRounds = 400;
    constexpr std::size_t kAtOnce = 5;
    Steps steps;
    World(spinning()).run([&](Engine& engine) {
        meet(engine);
        steps.follow();
        std::mt19937 random(3);
        for (int round = 0; round < kRounds; ++round) {
            std::vector<std::unique_ptr<Request>> requests;
            std::vector<Request*> list;
            std::vector<Bytes> data;
            std::vector<Guarded> into;
            const std::size_t messages = 1 + random() % kAtOnce;
            for (std::size_t i = 0; i < messages; ++i) {
                const std::size_t bytes = 2000 + random() % 30'000;
                const unsigned seed = static_cast<unsigned>(round) * 10 + static_cast<unsigned>(i);
                data.push_back(pattern(bytes, 2 * seed + static_cast<unsigned>(engine.rank())));
                into.emplace_back(bytes);
            }
            for (std::size_t i = 0; i < messages; ++i) {
                for (const bool sends : {false, true}) {
                    requests.push_back(std::make_unique<Request>());
                    Request& request = *requests.back();
                    list.push_back(&request);
                    if (sends) {
                        request.setBuffer(data[i].data(), data[i].size());
                        engine.startSend(request, 1 - engine.rank(), static_cast<int>(i), 0,
                                         MessageKind::buffer, Datatype::byte);
                    } else {
                        startRecv(engine, request, into[i], static_cast<int>(i));
                    }
                }
            }
            CHECK(engine.waitAll(list) == ErrorCode::ok);
            for (std::size_t i = 0; i < messages; ++i) {
                const unsigned seed = static_cast<unsigned>(round) * 10 + static_cast<unsigned>(i);
                REQUIRE(into[i].holds(
                    pattern(into[i].bytes, 2 * seed + static_cast<unsigned>(1 - engine.rank()))));
            }
            for (const auto& request : requests) CHECK(!request->error);
        }
        atPoint = {};
    });
    CHECK_EQ(steps.taken.load(), steps.reported.load());
    std::printf("  %d slices pulled, %d pushed\n", steps.pulled.load(), steps.taken.load());
}
