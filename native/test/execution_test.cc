// Schedules and their execution: what is refused, and what ranks do with those that are right.
#include "core/schedule/execution.h"

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "core/reduction/kernels.h"
#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

using Program = std::vector<std::int32_t>;

// A region: blocks [first, first + blocks) of a buffer.
struct R {
    std::int32_t buffer;
    std::int32_t first;
    std::int32_t blocks;
};

std::int32_t codeOf(StepKind kind) { return static_cast<std::int32_t>(kind); }

// Writes what native/src/compile.ts writes.
class Writer {
   public:
    Writer(int size, int rank, std::int32_t layout, std::int32_t blocks)
        : head_{size, rank}, buffers_{{layout, blocks, 0, 0}, {layout, blocks, 0, 1}} {}

    int scratch(std::int32_t layout, std::int32_t blocks, std::int32_t like,
                std::int32_t counts = 0) {
        buffers_.push_back({layout, blocks, counts, like});
        return static_cast<int>(buffers_.size()) - 1;
    }
    // Each step comes after the one before it.
    void message(StepKind kind, int peer, R region) { step(kind, {peer}, {region}, -1); }
    void recvReduce(int peer, R own, R into, int side) {
        step(StepKind::recvReduce, {peer}, {}, side, own, into);
    }
    int accept(int peer, R shape) {
        message(StepKind::accept, peer, shape);
        return steps_ - 1;
    }
    void pull(int exposure, R part, R into) {
        begin(StepKind::pull, {exposure});
        region(part);
        region(into);
        end();
    }
    void pullReduce(int exposure, R part, R own, R into, int side) {
        begin(StepKind::pullReduce, {exposure});
        region(part);
        body_.push_back(side);
        region(own);
        region(into);
        end();
    }
    void copy(R from, R into) {
        begin(StepKind::copy, {});
        region(from);
        region(into);
        end();
    }
    void publish() {
        begin(StepKind::publish, {});
        end();
    }
    void await(int peer, int count) {
        begin(StepKind::await, {peer, count});
        end();
    }
    void copyIn(R from) {
        begin(StepKind::copyIn, {});
        region(from);
        end();
    }
    void copyOut(int peer, R into) {
        begin(StepKind::copyOut, {peer});
        region(into);
        end();
    }
    // The next step waits for nothing.
    void free() { free_ = true; }

    Program program() const {
        Program whole = head_;
        whole.push_back(0);
        whole.push_back(static_cast<std::int32_t>(buffers_.size()));
        for (const auto& buffer : buffers_) whole.insert(whole.end(), buffer.begin(), buffer.end());
        whole.push_back(steps_);
        whole.insert(whole.end(), body_.begin(), body_.end());
        return whole;
    }

   private:
    void begin(StepKind kind, std::initializer_list<std::int32_t> numbers) {
        body_.push_back(codeOf(kind));
        body_.insert(body_.end(), numbers);
    }
    void region(R which) {
        body_.insert(body_.end(), {which.buffer, 1, which.first, which.blocks});
    }
    void step(StepKind kind, std::initializer_list<std::int32_t> numbers,
              std::initializer_list<R> regions, int side, R own = {}, R into = {}) {
        begin(kind, numbers);
        for (const R& each : regions) region(each);
        if (side >= 0) {
            body_.push_back(side);
            region(own);
            region(into);
        }
        end();
    }
    void end() {
        if (steps_ == 0 || free_) {
            body_.push_back(0);
        } else {
            body_.insert(body_.end(), {1, steps_ - 1});
        }
        free_ = false;
        ++steps_;
    }

    Program head_;
    std::vector<std::array<std::int32_t, 4>> buffers_;
    Program body_;
    std::int32_t steps_ = 0;
    bool free_ = false;
};

constexpr std::int32_t kEven = 0;
constexpr std::int32_t kSplit = 1;

Operand doubles(std::vector<double>& data, std::uint64_t count) {
    Operand operand;
    operand.data = reinterpret_cast<std::byte*>(data.data());
    operand.bytes = data.size() * sizeof(double);
    operand.count = count;
    operand.elementBytes = sizeof(double);
    operand.type = Datatype::float64;
    return operand;
}

CollectiveContext& everybody(Engine& engine) {
    std::vector<std::int32_t> members;
    for (std::int32_t rank = 0; rank < engine.size(); ++rank) members.push_back(rank);
    return engine.openContext(kWorldCollectives, members);
}

Combiner sum() { return {kernelFor(Operator::sum, Datatype::float64), sizeof(double)}; }

Error run(Engine& engine, CollectiveContext& context, const Program& program,
          std::vector<double>& in, std::vector<double>& out, std::uint64_t count,
          Combiner combiner = sum(), Collective collective = Collective::allreduce) {
    Execution execution(Schedule::parse(program), collective, doubles(in, count),
                        doubles(out, count), combiner);
    REQUIRE(execution.fits());
    engine.startCollective(context, execution);
    engine.wait(execution.handle);
    return execution.handle.error;
}

// Two ranks: each adds the other's half to its own, straight out of its memory, and takes the
// other half of the result.
Program exchangeHalves(int rank) {
    const int other = 1 - rank;
    Writer w(2, rank, kSplit, 2);
    w.message(StepKind::expose, other, {0, 0, 2});
    w.free();
    const int theirs = w.accept(other, {0, 0, 2});
    w.pullReduce(theirs, {0, rank, 1}, {0, rank, 1}, {1, rank, 1}, rank == 0 ? 1 : 0);
    w.message(StepKind::expose, other, {1, rank, 1});
    w.free();
    const int sums = w.accept(other, {1, other, 1});
    w.pull(sums, {1, other, 1}, {1, other, 1});
    return w.program();
}

// Two ranks: each sends all and adds what comes.
Program exchangeAll(int rank) {
    Writer w(2, rank, kEven, 1);
    w.message(StepKind::send, 1 - rank, {0, 0, 1});
    w.free();
    w.recvReduce(1 - rank, {0, 0, 1}, {1, 0, 1}, rank == 0 ? 1 : 0);
    return w.program();
}

const test::WorldOptions kVariants[] = {
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::probe, .spinNanoseconds = 0},
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::denied, .spinNanoseconds = 0},
    {.eagerLimit = 0, .pull = PullPolicy::probe, .spinNanoseconds = 20'000},
};

void inEachVariant(int ranks, const std::function<void(Engine&)>& body) {
    for (test::WorldOptions options : kVariants) {
        options.ranks = ranks;
        World(options).run(body);
    }
}

bool refused(const Program& program) {
    try {
        Schedule::parse(program);
        return false;
    } catch (const std::invalid_argument&) {
        return true;
    }
}

}  // namespace

TEST("schedule: numbers that are no schedule are refused, wherever they are wrong") {
    const Program right = exchangeHalves(0);
    CHECK(!refused(right));
    CHECK(refused({}));
    for (std::size_t length = 0; length < right.size(); ++length)
        CHECK(refused(Program(right.begin(), right.begin() + static_cast<long>(length))));
    Program longer = right;
    longer.push_back(0);
    CHECK(refused(longer));
    // Each number replaced by ones that are out of every range: refused, or at least no crash.
    for (std::size_t i = 0; i < right.size(); ++i) {
        for (const std::int32_t value : {-1, 1 << 24, 0x7fffffff}) {
            Program wrong = right;
            wrong[i] = value;
            CHECK(refused(wrong));
        }
    }
}

TEST("execution: reductions by messages and by pulls give the sums, at every length") {
    inEachVariant(2, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        for (const std::size_t count : {0, 1, 2, 3, 1000, 2049, 9000, 100'001}) {
            std::vector<double> in(count);
            for (std::size_t i = 0; i < count; ++i)
                in[i] = static_cast<double>(i) * (engine.rank() + 1);
            for (const bool halves : {false, true}) {
                std::vector<double> out(count, -1);
                const Program program =
                    halves ? exchangeHalves(engine.rank()) : exchangeAll(engine.rank());
                CHECK(!run(engine, context, program, in, out, count));
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < count; ++i)
                    wrong += out[i] != static_cast<double>(i) * 3;
                CHECK_EQ(wrong, 0u);
            }
        }
    });
}

TEST("execution: several of one communicator at once end in any order") {
    inEachVariant(2, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        constexpr std::size_t kMany = 20;
        std::vector<std::vector<double>> in;
        std::vector<std::vector<double>> out;
        std::vector<std::unique_ptr<Execution>> executions;
        for (std::size_t i = 0; i < kMany; ++i) {
            in.emplace_back(i * 1000, static_cast<double>(i + 1));
            out.emplace_back(i * 1000, 0.0);
        }
        for (std::size_t i = 0; i < kMany; ++i) {
            const auto program =
                i % 2 == 0 ? exchangeHalves(engine.rank()) : exchangeAll(engine.rank());
            executions.push_back(std::make_unique<Execution>(
                Schedule::parse(program), Collective::allreduce, doubles(in[i], i * 1000),
                doubles(out[i], i * 1000), sum()));
            engine.startCollective(context, *executions.back());
        }
        for (std::size_t i = kMany; i-- > 0;) {
            engine.wait(executions[i]->handle);
            CHECK(!executions[i]->handle.error);
            for (const double value : out[i]) REQUIRE(value == 2 * static_cast<double>(i + 1));
        }
    });
}

TEST("execution: counters and cells of the collective area, many operations in a row") {
    inEachVariant(3, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        const int size = engine.size();
        // Each rank shows a number; all wait for all, read, and wait for all again, so that nobody
        // writes its cell while others read it.
        Writer w(size, engine.rank(), kEven, size);
        w.copyIn({0, engine.rank(), 1});
        w.publish();
        for (int peer = 0; peer < size; ++peer) {
            if (peer != engine.rank()) w.await(peer, 1);
        }
        for (int peer = 0; peer < size; ++peer) {
            if (peer != engine.rank()) w.copyOut(peer, {1, peer, 1});
        }
        w.copy({0, engine.rank(), 1}, {1, engine.rank(), 1});
        w.publish();
        for (int peer = 0; peer < size; ++peer) {
            if (peer != engine.rank()) w.await(peer, 2);
        }
        const Program program = w.program();
        for (int round = 0; round < 300; ++round) {
            std::vector<double> in(static_cast<std::size_t>(size), round * 10 + engine.rank());
            std::vector<double> out(static_cast<std::size_t>(size), -1);
            CHECK(!run(engine, context, program, in, out, 1));
            for (int peer = 0; peer < size; ++peer)
                REQUIRE(out[static_cast<std::size_t>(peer)] == round * 10 + peer);
        }
    });
}

TEST("execution: lengths that disagree are an error on every rank, and the next one works") {
    inEachVariant(2, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        for (const std::size_t count : {std::size_t{10}, std::size_t{50'000}}) {
            for (const bool halves : {false, true}) {
                const Program program =
                    halves ? exchangeHalves(engine.rank()) : exchangeAll(engine.rank());
                const std::size_t mine = engine.rank() == 0 ? count : count + 2;
                std::vector<double> in(mine, 1);
                std::vector<double> out(mine, 0);
                const Error error = run(engine, context, program, in, out, mine);
                CHECK(error.code == ErrorCode::count || error.code == ErrorCode::truncate);
                in.assign(count, 1);
                out.assign(count, 0);
                CHECK(!run(engine, context, program, in, out, count));
                CHECK_EQ(out[count - 1], 2.0);
            }
        }
    });
}

TEST("execution: different operations at the same time are told apart") {
    inEachVariant(2, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        std::vector<double> in(8, 1);
        std::vector<double> out(8, 0);
        const Collective which = engine.rank() == 0 ? Collective::allreduce : Collective::scan;
        const Error error =
            run(engine, context, exchangeAll(engine.rank()), in, out, 8, sum(), which);
        CHECK(error.code == ErrorCode::collective);
    });
}

TEST("execution: an operator that fails on one rank ends it on all") {
    struct Failing final : UserOperator {
        explicit Failing(bool fails) : fails_(fails) {}
        bool apply(void* out, const void* left, const void* right, std::size_t count) override {
            if (fails_) return false;
            kernelFor(Operator::sum, Datatype::float64)(out, left, right, count);
            return true;
        }
        bool fails_;
    };
    inEachVariant(2, [](Engine& engine) {
        CollectiveContext& context = everybody(engine);
        for (const std::size_t count : {std::size_t{10}, std::size_t{100'000}}) {
            Failing op(engine.rank() == 1);
            std::vector<double> in(count, 1);
            std::vector<double> out(count, 0);
            const Error error = run(engine, context, exchangeHalves(engine.rank()), in, out, count,
                                    Combiner(op, sizeof(double)));
            CHECK(error.code == ErrorCode::op || error.code == ErrorCode::transfer);
            CHECK(!run(engine, context, exchangeHalves(engine.rank()), in, out, count));
            CHECK_EQ(out[count - 1], 2.0);
        }
    });
}

TEST("execution: a rank that dies before or within it ends it for the others") {
    for (const std::size_t count : {std::size_t{10}, std::size_t{400'000}}) {
        World world({.ranks = 2});
        std::atomic<bool> gone{false};
        world.run([&](Engine& engine) {
            CollectiveContext& context = everybody(engine);
            std::vector<double> in(count, 1);
            std::vector<double> out(count, 0);
            CHECK(!run(engine, context, exchangeHalves(engine.rank()), in, out, count));
            if (engine.rank() == 1) {
                gone = true;
                world.kill(1);
                return;
            }
            const Error error = run(engine, context, exchangeHalves(engine.rank()), in, out, count);
            CHECK(error.code == ErrorCode::procFailed);
            CHECK(gone.load());
        });
    }
}
