// Receives that make their memory once they know how long the message is, as objects are received.
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

class Maker final : public BufferMaker {
   public:
    void* make(std::uint64_t bytes) override {
        ++calls;
        if (refuses) return nullptr;
        memory = std::vector<unsigned char>(bytes);
        return memory.data();
    }
    std::vector<unsigned char> memory;
    int calls = 0;
    bool refuses = false;
};

// Pieces of odd lengths, an empty one among them.
struct Pieces {
    explicit Pieces(std::size_t bytes) : first(bytes / 3 + 1), second(bytes) {
        for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<unsigned char>(i);
        for (std::size_t i = 0; i < second.size(); ++i)
            second[i] = static_cast<unsigned char>(7 * i + 1);
        list = {iovec{first.data(), first.size()}, iovec{nullptr, 0},
                iovec{second.data(), second.size()}};
    }
    bool equals(const std::vector<unsigned char>& got) const {
        return got.size() == first.size() + second.size() &&
               std::equal(first.begin(), first.end(), got.begin()) &&
               std::equal(second.begin(), second.end(),
                          got.begin() + static_cast<std::ptrdiff_t>(first.size()));
    }
    std::vector<unsigned char> first;
    std::vector<unsigned char> second;
    std::array<iovec, 3> list{};
};

Error sendObject(Engine& engine, const Pieces& pieces, int dest, int tag) {
    Request request;
    request.setBuffer(pieces.list);
    engine.startSend(request, dest, tag, 0, MessageKind::object, Datatype::byte);
    CHECK_EQ(engine.wait(request), ErrorCode::ok);
    return request.error;
}

Error recvObject(Engine& engine, Maker& maker, int source, int tag) {
    Request request;
    request.maker = &maker;
    engine.startRecv(request, {source, tag, 0}, MessageKind::object, Datatype::byte);
    CHECK_EQ(engine.wait(request), ErrorCode::ok);
    return request.error;
}

void inEachVariant(const std::function<void(Engine&)>& body) {
    for (const std::uint64_t eagerLimit : {std::uint64_t{16 * 1024}, std::uint64_t{0}}) {
        for (const PullPolicy pull : {PullPolicy::probe, PullPolicy::denied}) {
            World({.eagerLimit = eagerLimit, .pull = pull, .spinNanoseconds = 20'000}).run(body);
        }
    }
}

constexpr std::size_t kSizes[] = {0, 1, 100, 12'000, 40'000, 3'000'001};

}  // namespace

TEST("made buffers: messages of several pieces arrive in memory of their length") {
    inEachVariant([](Engine& engine) {
        for (const std::size_t bytes : kSizes) {
            const Pieces pieces(bytes);
            if (engine.rank() == 0) {
                CHECK(!sendObject(engine, pieces, 1, 3));
            } else {
                Maker maker;
                CHECK(!recvObject(engine, maker, kAnySource, 3));
                CHECK_EQ(maker.calls, 1);
                CHECK(pieces.equals(maker.memory));
            }
        }
    });
}

TEST("made buffers: to oneself, and through a matched probe") {
    inEachVariant([](Engine& engine) {
        const Pieces pieces(40'000);
        const int self = engine.rank();
        Maker maker;
        Request in;
        in.maker = &maker;
        engine.startRecv(in, {self, 1, 0}, MessageKind::object, Datatype::byte);
        CHECK(!sendObject(engine, pieces, self, 1));
        CHECK(in.complete() && !in.error);
        CHECK(pieces.equals(maker.memory));
        if (self == 0) {
            CHECK(!sendObject(engine, pieces, 1, 2));
            return;
        }
        MatchedMessage message;
        CHECK(!engine.matchedProbe({0, 2, 0}, message));
        Maker other;
        Request matched;
        matched.maker = &other;
        engine.startMatchedRecv(matched, std::move(message), MessageKind::object, Datatype::byte);
        CHECK_EQ(engine.wait(matched), ErrorCode::ok);
        CHECK(!matched.error);
        CHECK(pieces.equals(other.memory));
    });
}

TEST("made buffers: where there is no memory the message is lost, and nobody waits for it") {
    inEachVariant([](Engine& engine) {
        for (const std::size_t bytes : {std::size_t{100}, std::size_t{40'000}}) {
            const Pieces pieces(bytes);
            const bool eager = engine.settings().eagerLimit > 0 && bytes == 100;
            if (engine.rank() == 0) {
                CHECK_EQ(sendObject(engine, pieces, 1, 3).code,
                         eager ? ErrorCode::ok : ErrorCode::transfer);
                CHECK(!sendObject(engine, pieces, 1, 3));
            } else {
                Maker maker;
                maker.refuses = true;
                CHECK_EQ(recvObject(engine, maker, 0, 3).code, ErrorCode::noMem);
                maker.refuses = false;
                CHECK(!recvObject(engine, maker, 0, 3));
                CHECK(pieces.equals(maker.memory));
            }
        }
    });
}

TEST("made buffers: objects and buffers do not meet, and no memory is made for them") {
    inEachVariant([](Engine& engine) {
        for (const std::size_t bytes : {std::size_t{100}, std::size_t{40'000}}) {
            Pieces pieces(bytes);
            if (engine.rank() == 0) {
                CHECK(!sendObject(engine, pieces, 1, 1));
                Request buffer;
                buffer.setBuffer(pieces.list);
                engine.startSend(buffer, 1, 2, 0, MessageKind::buffer, Datatype::float64);
                CHECK_EQ(engine.wait(buffer), ErrorCode::ok);
                CHECK(!buffer.error);
            } else {
                Request buffer;
                buffer.setBuffer(pieces.list);
                engine.startRecv(buffer, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
                CHECK_EQ(engine.wait(buffer), ErrorCode::ok);
                CHECK_EQ(buffer.error.code, ErrorCode::type);
                CHECK_EQ(buffer.error.expected, kObjectInErrors);
                Maker maker;
                const Error error = recvObject(engine, maker, 0, 2);
                CHECK_EQ(error.code, ErrorCode::type);
                CHECK_EQ(error.expected, static_cast<std::uint64_t>(Datatype::float64));
                CHECK_EQ(error.actual, kObjectInErrors);
                CHECK_EQ(maker.calls, 0);
            }
        }
    });
}
