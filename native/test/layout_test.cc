// Layouts of datatypes: how they are compiled, walked, cut and compared, and messages of them.
#include "core/datatypes/layout.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "core/datatypes/laid_out.h"
#include "core/datatypes/overlap.h"
#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

using Program = std::vector<double>;
using Offsets = std::vector<std::int64_t>;

std::shared_ptr<const Layout> compile(const Program& program) {
    return std::make_shared<const Layout>(program);
}

bool refuses(const Program& program) {
    try {
        const Layout layout(program);
        return false;
    } catch (const std::invalid_argument&) {
        return true;
    }
}

// A type built twice: as a program, and as the offset of each byte, one by one.
class Sample {
   public:
    static constexpr std::size_t kMostBytes = 4000;

    explicit Sample(unsigned seed) : random_(seed) {
        program_.push_back(0);
        root_ = make(static_cast<int>(below(4)));
        const std::int64_t low = offsets_[root_].empty() ? 0 : *std::ranges::min_element(offsets());
        const std::int64_t high =
            offsets_[root_].empty() ? 0 : *std::ranges::max_element(offsets()) + 1;
        extent_ = high - low + static_cast<std::int64_t>(below(9));
        program_[0] = static_cast<double>(extent_);
    }

    const Program& program() const { return program_; }
    const Offsets& offsets() const { return offsets_[root_]; }
    std::int64_t extent() const { return extent_; }

    Offsets repeated(std::uint64_t count) const {
        Offsets all;
        for (std::uint64_t i = 0; i < count; ++i) {
            for (const std::int64_t offset : offsets())
                all.push_back(offset + static_cast<std::int64_t>(i) * extent_);
        }
        return all;
    }

   private:
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    std::int64_t distance() { return static_cast<std::int64_t>(below(200)) - 80; }

    // The number of a node that was written.
    std::size_t make(int depth) {
        Offsets offsets;
        if (depth == 0) {
            static constexpr std::uint64_t kRuns[] = {1, 2, 3, 4, 8, 12, 16, 24, 32, 100};
            const std::uint64_t bytes = kRuns[below(std::size(kRuns))];
            for (std::uint64_t i = 0; i < bytes; ++i)
                offsets.push_back(static_cast<std::int64_t>(i));
            program_.insert(program_.end(), {Layout::kRun, static_cast<double>(bytes)});
        } else if (below(2) == 0) {
            const std::size_t child = make(depth - 1);
            const std::uint64_t count = below(6);
            const bool touching = below(2) == 0;
            const std::int64_t stride =
                touching ? static_cast<std::int64_t>(offsets_[child].size()) : distance();
            add(offsets, 0, count, stride, child);
            program_.insert(program_.end(),
                            {Layout::kLoop, static_cast<double>(count), static_cast<double>(stride),
                             static_cast<double>(child)});
        } else {
            const std::size_t child = make(depth - 1);
            const std::size_t other = make(static_cast<int>(below(2)));
            const std::uint64_t entries = below(5);
            program_.insert(program_.end(), {Layout::kList, static_cast<double>(entries)});
            std::int64_t place = distance();
            for (std::uint64_t i = 0; i < entries; ++i) {
                const std::size_t which = below(3) == 0 ? other : child;
                const std::uint64_t count = below(4);
                const std::int64_t stride = distance();
                add(offsets, place, count, stride, which);
                program_.insert(program_.end(),
                                {static_cast<double>(place), static_cast<double>(count),
                                 static_cast<double>(stride), static_cast<double>(which)});
                place = below(3) == 0 ? distance()
                                      : place + static_cast<std::int64_t>(offsets_[which].size());
            }
        }
        if (offsets.size() > kMostBytes) offsets.clear(), tooLarge_ = true;
        offsets_.push_back(std::move(offsets));
        return offsets_.size() - 1;
    }

    void add(Offsets& to, std::int64_t place, std::uint64_t count, std::int64_t stride,
             std::size_t child) {
        for (std::uint64_t i = 0; i < count; ++i) {
            for (const std::int64_t offset : offsets_[child])
                to.push_back(place + static_cast<std::int64_t>(i) * stride + offset);
        }
    }

   public:
    // It would make the test long without telling more.
    bool tooLarge() const { return tooLarge_; }

   private:
    std::mt19937 random_;
    Program program_;
    std::vector<Offsets> offsets_;
    std::size_t root_ = 0;
    std::int64_t extent_ = 0;
    bool tooLarge_ = false;
};

// Memory that has room for items on both sides of where they are placed.
struct Field {
    Field(const Offsets& offsets, unsigned seed) {
        std::int64_t low = 0;
        std::int64_t high = 1;
        for (const std::int64_t offset : offsets) {
            low = std::min(low, offset);
            high = std::max(high, offset + 1);
        }
        memory.resize(static_cast<std::size_t>(high - low));
        std::mt19937 random(seed);
        for (std::byte& byte : memory) byte = static_cast<std::byte>(random());
        base = memory.data() - low;
    }
    std::vector<std::byte> packed(const Offsets& offsets) const {
        std::vector<std::byte> bytes;
        for (const std::int64_t offset : offsets) bytes.push_back(base[offset]);
        return bytes;
    }

    std::vector<std::byte> memory;
    std::byte* base;
};

bool namesTwice(Offsets offsets) {
    std::ranges::sort(offsets);
    return std::ranges::adjacent_find(offsets) != offsets.end();
}

constexpr unsigned kSamples = 3000;

Program vector(int count, int bytes, int stride, int extent) {
    return {static_cast<double>(extent),
            Layout::kRun,
            static_cast<double>(bytes),
            Layout::kLoop,
            static_cast<double>(count),
            static_cast<double>(stride),
            0};
}

}  // namespace

TEST("layout: random nested types name the bytes that they should, in order, from anywhere") {
    for (unsigned seed = 1; seed <= kSamples; ++seed) {
        const Sample sample(seed);
        if (sample.tooLarge()) continue;
        std::mt19937 random(seed);
        const std::uint64_t count = random() % 4;
        const Offsets offsets = sample.repeated(count);
        const Field field(offsets, seed);
        const std::vector<std::byte> expected = field.packed(offsets);
        LaidOut items(compile(sample.program()), field.base, count);
        CHECK_EQ(items.bytes(), expected.size());
        std::vector<std::byte> packed(expected.size() + 1, std::byte{0xee});
        for (std::uint64_t at = 0; at < expected.size();) {
            const std::uint64_t piece =
                std::min<std::uint64_t>(1 + random() % 50, expected.size() - at);
            items.copyOut(at, packed.data() + at, piece);
            at += piece;
        }
        CHECK(std::equal(expected.begin(), expected.end(), packed.begin()));
        CHECK(packed.back() == std::byte{0xee});
        if (test::failures() > 0) {
            test::fail("with seed " + std::to_string(seed));
            return;
        }
    }
}

TEST("layout: unpacking, piece by piece, writes what is named and nothing else") {
    for (unsigned seed = 1; seed <= kSamples; ++seed) {
        const Sample sample(seed);
        if (sample.tooLarge()) continue;
        std::mt19937 random(seed);
        const Offsets offsets = sample.repeated(random() % 4);
        if (namesTwice(offsets)) continue;
        const Field from(offsets, seed);
        Field to(offsets, seed + 1);
        Field expected(offsets, seed + 1);
        for (const std::int64_t offset : offsets) expected.base[offset] = from.base[offset];
        const std::vector<std::byte> stream = from.packed(offsets);
        const std::uint64_t count =
            sample.offsets().empty() ? 0 : offsets.size() / sample.offsets().size();
        const LaidOut items(compile(sample.program()), to.base, count);
        for (std::uint64_t at = 0; at < stream.size();) {
            const std::uint64_t piece =
                std::min<std::uint64_t>(1 + random() % 50, stream.size() - at);
            items.copyIn(at, stream.data() + at, piece);
            at += piece;
        }
        CHECK(to.memory == expected.memory);
        if (test::failures() > 0) {
            test::fail("with seed " + std::to_string(seed));
            return;
        }
    }
}

TEST("layout: cut into lists of any length, the bytes are the same") {
    for (unsigned seed = 1; seed <= kSamples; ++seed) {
        const Sample sample(seed);
        if (sample.tooLarge()) continue;
        std::mt19937 random(seed);
        const std::uint64_t count = random() % 4;
        const Offsets offsets = sample.repeated(count);
        const Field field(offsets, seed);
        LaidOut items(compile(sample.program()), field.base, count);
        std::vector<std::byte> found;
        std::vector<iovec> list(1 + random() % 20);
        while (found.size() < items.bytes()) {
            const IoCursor::Cut cut = items.cut(found.size(), items.bytes() - found.size(), list);
            REQUIRE(cut.bytes > 0 && cut.entries <= list.size());
            for (std::size_t i = 0; i < cut.entries; ++i) {
                const auto* at = static_cast<const std::byte*>(list[i].iov_base);
                found.insert(found.end(), at, at + list[i].iov_len);
            }
        }
        CHECK(found == field.packed(offsets));
        const std::span<const iovec> whole = items.list();
        CHECK_EQ(totalBytes(whole), items.bytes());
        if (test::failures() > 0) {
            test::fail("with seed " + std::to_string(seed));
            return;
        }
    }
}

TEST("layout: exactly the types that name a byte twice overlap") {
    for (unsigned seed = 1; seed <= kSamples; ++seed) {
        const Sample sample(seed);
        if (sample.tooLarge()) continue;
        const std::uint64_t count = 1 + seed % 3;
        const LaidOut items(compile(sample.program()), nullptr, count);
        CHECK_EQ(overlaps(items.whole()), namesTwice(sample.repeated(count)));
        if (test::failures() > 0) {
            test::fail("with seed " + std::to_string(seed));
            return;
        }
    }
}

TEST("layout: what is regular stays small, what touches is one run") {
    // A column of a matrix, a million rows high; a whole matrix column by column, which
    // interleaves.
    const LaidOut column(compile(vector(1'000'000, 8, 8'000'000, 8)), nullptr, 1);
    CHECK(column.whole().node != nullptr && column.whole().node->isLoop());
    CHECK_EQ(column.whole().node->child.node == nullptr, true);
    CHECK(!overlaps(column.whole()));
    const LaidOut columns(compile(vector(1'000'000, 8, 8'000'000, 8)), nullptr, 1'000'000);
    CHECK_EQ(columns.bytes(), 8'000'000'000'000u);
    CHECK(!overlaps(columns.whole()));
    const LaidOut tooMany(compile(vector(3, 8, 800, 8)), nullptr, 101);
    CHECK(overlaps(tooMany.whole()));

    // Rows that touch; a loop that goes on where the one inside it ends; a list that is a loop.
    CHECK(LaidOut(compile(vector(10, 8, 8, 80)), nullptr, 7).isDense());
    const LaidOut longer(compile(vector(10, 8, 16, 160)), nullptr, 7);
    CHECK_EQ(longer.whole().node->count, 70u);
    const LaidOut regular(
        compile({24, Layout::kRun, 4, Layout::kList, 3, 0, 1, 0, 0, 8, 1, 0, 0, 16, 1, 0, 0}),
        nullptr, 100);
    CHECK_EQ(regular.whole().node->count, 300u);
    CHECK_EQ(regular.meanRun(), 4u);
}

TEST("layout: numbers that are no layout are refused") {
    CHECK(refuses({}));
    CHECK(refuses({8}));
    CHECK(refuses({8, Layout::kRun}));
    CHECK(refuses({8, Layout::kRun, -1}));
    CHECK(refuses({8, Layout::kRun, 0.5}));
    CHECK(refuses({8, 7, 1}));
    CHECK(refuses({8, Layout::kLoop, 2, 8, 0}));
    CHECK(refuses({8, Layout::kRun, 8, Layout::kLoop, 2, 8, 1}));
    CHECK(refuses({8, Layout::kRun, 8, Layout::kLoop, -2, 8, 0}));
    CHECK(refuses({8, Layout::kRun, 8, Layout::kList, 1e9, 0, 1, 8, 0}));
    CHECK(refuses({8, Layout::kRun, 8, Layout::kList, 2, 0, 1, 8, 0}));
    CHECK(refuses({8, Layout::kRun, 1e15, Layout::kLoop, 1e6, 1e15, 0}));
    CHECK(refuses({8, Layout::kRun, 8, Layout::kLoop, 1e6, 1e15, 0}));
    CHECK(refuses({std::numeric_limits<double>::quiet_NaN(), Layout::kRun, 8}));
    Program deep{8, Layout::kRun, 4};
    for (int i = 0; i < 2000; ++i)
        deep.insert(deep.end(),
                    {Layout::kList, 2, 0, 1, 0, static_cast<double>(i), 5000.0 + 3 * i, 1, 0, 0});
    CHECK(refuses(deep));
}

namespace {

const test::WorldOptions kVariants[] = {
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::probe, .spinNanoseconds = 20'000},
    {.eagerLimit = 16 * 1024, .pull = PullPolicy::denied, .spinNanoseconds = 0},
    {.eagerLimit = 0, .pull = PullPolicy::probe, .spinNanoseconds = 0},
};

// Every `stride` bytes a block.
struct Message {
    int count;
    int bytes;
    int stride;
};

void exchange(Engine& engine, const Message& out, const Message& in) {
    const auto size = [](const Message& message) {
        return static_cast<std::size_t>(message.count) * static_cast<std::size_t>(message.stride);
    };
    std::vector<std::byte> from(size(out));
    for (std::size_t i = 0; i < from.size(); ++i)
        from[i] = static_cast<std::byte>(i * 2654435761u >> 13);
    const auto layoutOf = [](const Message& message) {
        return compile(vector(message.count, message.bytes, message.stride, message.stride));
    };
    if (engine.rank() == 0) {
        Request request;
        request.setBuffer(std::make_unique<LaidOut>(layoutOf(out), from.data(), 1));
        engine.startSend(request, 1, 5, 0, MessageKind::buffer, Datatype::mixed);
        CHECK(engine.wait(request) == ErrorCode::ok);
        CHECK(!request.error);
        return;
    }
    std::vector<std::byte> to(size(in), std::byte{0xee});
    Request request;
    request.setBuffer(std::make_unique<LaidOut>(layoutOf(in), to.data(), 1));
    engine.startRecv(request, {0, 5, 0}, MessageKind::buffer, Datatype::mixed);
    CHECK(engine.wait(request) == ErrorCode::ok);
    const std::uint64_t sent =
        static_cast<std::uint64_t>(out.count) * static_cast<std::uint64_t>(out.bytes);
    CHECK(!request.error);
    CHECK_EQ(request.envelope.bytes, sent);
    std::uint64_t wrong = 0;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < to.size(); ++i) {
        const bool named =
            i % static_cast<std::size_t>(in.stride) < static_cast<std::size_t>(in.bytes);
        std::byte expected{0xee};
        if (named && next < sent) {
            const auto width = static_cast<std::uint64_t>(out.bytes);
            expected = from[next / width * static_cast<std::uint64_t>(out.stride) + next % width];
            ++next;
        }
        wrong += to[i] != expected ? 1 : 0;
    }
    CHECK_EQ(wrong, 0u);
}

}  // namespace

TEST("layout: messages between all kinds of layouts, by each way that bytes go") {
    // Dense, runs that only a list of the kernel's local side pays for, long ones, single elements.
    static constexpr Message kMessages[] = {{1, 600'000, 600'000}, {300, 2000, 3000},
                                            {100, 6000, 7000},     {75'000, 8, 24},
                                            {200'000, 3, 5},       {10, 12, 20}};
    for (test::WorldOptions options : kVariants) {
        options.ranks = 2;
        World(options).run([](Engine& engine) {
            for (const Message& out : kMessages) {
                for (const Message& in : kMessages) {
                    if (out.count * out.bytes <= in.count * in.bytes) exchange(engine, out, in);
                }
            }
        });
    }
}

TEST("layout: a message to oneself goes from one layout to another") {
    Engine engine;
    std::vector<std::byte> from(300'000);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 7);
    std::vector<std::byte> to(300'000, std::byte{0xee});
    Request in;
    in.setBuffer(std::make_unique<LaidOut>(compile(vector(50'000, 4, 6, 6)), to.data(), 1));
    engine.startRecv(in, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
    Request out;
    out.setBuffer(std::make_unique<LaidOut>(compile(vector(25'000, 8, 12, 12)), from.data(), 1));
    engine.startSend(out, 0, 1, 0, MessageKind::buffer, Datatype::byte);
    CHECK(in.complete() && !in.error && out.complete() && !out.error);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 200'000; ++i) {
        wrong += to[i / 4 * 6 + i % 4] != from[i / 8 * 12 + i % 8] ? 1 : 0;
    }
    CHECK_EQ(wrong, 0u);
    CHECK(to[4] == std::byte{0xee} && to[5] == std::byte{0xee});
}
