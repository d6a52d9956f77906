// The ring channel: both ends over the same memory, as two threads, so that TSan sees what is
// shared.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "core/channels/ring/ring_channel.h"
#include "test/harness.h"

using namespace onecopy;

namespace {

using Bytes = std::vector<std::byte>;

struct Arrived {
    Envelope envelope;
    Bytes payload;
};

// Keeps what comes, or looks at it at once.
class Inbox final : public ChannelSink {
   public:
    void onGreeting(const Greeting& greeting) override { greetings.push_back(greeting); }
    void onEager(const Envelope& envelope, std::span<const std::byte> payload) override {
        arrived.push_back({envelope, Bytes(payload.begin(), payload.end())});
    }
    void onDescriptor(const Envelope& envelope, const Descriptor& descriptor) override {
        envelopes.push_back(envelope);
        descriptors.push_back(descriptor);
    }
    void onStageRequest(TransferName name, std::uint64_t offset, std::uint64_t bytes) override {
        stageRequests.push_back({name.slot, name.generation, offset, bytes});
    }
    void onStaged(TransferName name, std::uint64_t offset,
                  std::span<const std::byte> bytes) override {
        stageRequests.push_back({name.slot, name.generation, offset, bytes.size()});
        arrived.push_back({{}, Bytes(bytes.begin(), bytes.end())});
    }
    void onBroken(const BrokenNotice& notice, std::span<const std::byte> text) override {
        notices.push_back(notice);
        arrived.push_back({{}, Bytes(text.begin(), text.end())});
    }
    void onHeap(const HeapNotice& notice) override { heaps.push_back(notice); }
    void onGarbage() override { ++garbage; }

    std::vector<Greeting> greetings;
    std::vector<Arrived> arrived;
    std::vector<Envelope> envelopes;
    std::vector<Descriptor> descriptors;
    std::vector<std::array<std::uint64_t, 4>> stageRequests;
    std::vector<BrokenNotice> notices;
    std::vector<HeapNotice> heaps;
    int garbage = 0;
};

// Two ranks' ends of a pair.
struct Pair {
    explicit Pair(std::size_t bytes)
        : memory(2 * bytes / sizeof(Line)),
          lower(1, ends(0, bytes), ends(1, bytes), bell, rings[0]),
          higher(0, ends(1, bytes), ends(0, bytes), bell, rings[1]) {}

    RingEnds ends(std::size_t direction, std::size_t bytes) {
        return {{reinterpret_cast<std::byte*>(memory.data()) + direction * bytes, bytes},
                &credits[direction]};
    }

    struct alignas(kLine) Line {
        std::byte bytes[kLine] = {};
    };
    std::vector<Line> memory;
    std::array<Shared<std::uint64_t>, 2> credits = {};
    std::array<Shared<std::uint64_t>, 2> rings = {};
    RankSegment segment = {};
    PeerDoorbell bell{UniqueFd(), segment};
    RingChannel lower;
    RingChannel higher;
};

iovec piece(const Bytes& bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

// Bytes that look like the flags of records wherever they lie.
Bytes imitation(std::size_t bytes, std::uint32_t seed) {
    Bytes data(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        data[i] = static_cast<std::byte>(1 + (seed + i / 4 * 4) % 7);
    return data;
}

Envelope envelopeOf(std::size_t bytes, int tag) {
    return {bytes, 0, tag, 5, MessageKind::object, Datatype::float64};
}

}  // namespace

TEST("ring: every kind of record comes out as it went in") {
    Pair pair(4096);
    Inbox inbox;
    const TransferName name{7, 9};
    const Bytes bytes = imitation(100, 3);
    const iovec whole = piece(bytes);
    CHECK(pair.lower.greet({0x1234567890}) == Put::done);
    CHECK(pair.lower.putEager(envelopeOf(100, 6), {&whole, 1}) == Put::done);
    CHECK(pair.lower.putDescriptor({1ull << 40, 0, 3, 5, MessageKind::buffer, Datatype::int16},
                                   {name, 0xabcdef, 2}) == Put::done);
    CHECK(pair.lower.putStageRequest(name, 1ull << 33, 1ull << 34) == Put::done);
    CHECK(pair.lower.putStaged(name, 11, {&whole, 1}) == Put::done);
    CHECK(pair.lower.putBroken({5, 8, 4, -1}, {&whole, 1}) == Put::done);
    CHECK(pair.lower.putHeap({3, 21, 1ull << 41, 1ull << 42, 1ull << 43}) == Put::done);
    CHECK(pair.higher.seemsReadable());
    CHECK(pair.higher.eventPending(false));
    CHECK_EQ(pair.higher.take(inbox, 100), 7u);
    CHECK(!pair.higher.seemsReadable());
    CHECK(!pair.lower.seemsReadable());

    REQUIRE(inbox.greetings.size() == 1 && inbox.arrived.size() == 3 &&
            inbox.descriptors.size() == 1 && inbox.stageRequests.size() == 2 &&
            inbox.notices.size() == 1 && inbox.heaps.size() == 1);
    CHECK_EQ(inbox.greetings[0].cellAddress, 0x1234567890u);
    const Envelope& eager = inbox.arrived[0].envelope;
    CHECK_EQ(eager.bytes, 100u);
    CHECK_EQ(eager.source, 0);
    CHECK_EQ(eager.tag, 6);
    CHECK_EQ(eager.context, 5u);
    CHECK(eager.kind == MessageKind::object && eager.type == Datatype::float64);
    for (const Arrived& each : inbox.arrived) CHECK(each.payload == bytes);
    CHECK_EQ(inbox.envelopes[0].bytes, 1ull << 40);
    CHECK(inbox.envelopes[0].type == Datatype::int16);
    CHECK_EQ(inbox.descriptors[0].transfer.slot, 7u);
    CHECK_EQ(inbox.descriptors[0].transfer.generation, 9u);
    CHECK_EQ(inbox.descriptors[0].address, 0xabcdefu);
    CHECK_EQ(inbox.descriptors[0].parts, 2u);
    CHECK((inbox.stageRequests[0] == std::array<std::uint64_t, 4>{7, 9, 1ull << 33, 1ull << 34}));
    CHECK((inbox.stageRequests[1] == std::array<std::uint64_t, 4>{7, 9, 11, 100}));
    CHECK_EQ(inbox.notices[0].sequence, 8u);
    CHECK_EQ(inbox.notices[0].culprit, -1);
    const HeapNotice& heap = inbox.heaps[0];
    CHECK(heap.id == 3 && heap.fd == 21 && heap.inode == 1ull << 41 && heap.address == 1ull << 42 &&
          heap.bytes == 1ull << 43);
    CHECK_EQ(inbox.garbage, 0);
}

TEST("ring: payloads of every length, at every place of the ring") {
    Pair pair(4096);
    std::uint32_t count = 0;
    for (std::size_t bytes = 0; bytes <= pair.lower.mostPayload(); ++bytes) {
        const Bytes data = imitation(bytes, ++count);
        const iovec whole = piece(data);
        Inbox inbox;
        REQUIRE(pair.lower.putEager(envelopeOf(bytes, 1), {&whole, 1}) == Put::done);
        REQUIRE(pair.higher.take(inbox, 100) == 1 && inbox.arrived.size() == 1);
        CHECK(inbox.arrived[0].payload == data);
        CHECK(!pair.higher.seemsReadable());
    }
}

TEST("ring: a list of pieces arrives as one payload") {
    Pair pair(4096);
    const Bytes data = imitation(333, 2);
    std::byte* at = const_cast<std::byte*>(data.data());
    const std::array<iovec, 4> pieces{{{at, 1}, {at + 1, 0}, {at + 1, 300}, {at + 301, 32}}};
    Inbox inbox;
    CHECK(pair.lower.putEager(envelopeOf(333, 1), pieces) == Put::done);
    CHECK_EQ(pair.higher.take(inbox, 100), 1u);
    CHECK(inbox.arrived[0].payload == data);
}

TEST("ring: full is full, and what was taken out makes room") {
    Pair pair(4096);
    const Bytes data = imitation(pair.lower.mostPayload(), 1);
    const iovec whole = piece(data);
    std::size_t sent = 0;
    std::size_t taken = 0;
    Inbox inbox;
    for (int round = 0; round < 500; ++round) {
        while (pair.lower.putEager(envelopeOf(data.size(), static_cast<int>(sent)), {&whole, 1}) ==
               Put::done)
            ++sent;
        CHECK(sent > taken);
        // One at a time: the quarter that the receiver keeps must never be what the sender waits
        // for.
        taken += pair.higher.take(inbox, 1);
        if (sent == taken) {
            CHECK(pair.lower.putEager(envelopeOf(data.size(), static_cast<int>(sent)),
                                      {&whole, 1}) == Put::done);
            ++sent;
        }
    }
    for (std::size_t i = 0; i < inbox.arrived.size(); ++i) {
        CHECK_EQ(inbox.arrived[i].envelope.tag, static_cast<int>(i));
        CHECK(inbox.arrived[i].payload == data);
    }
}

TEST("ring: once everything was taken out the longest record fits, wherever the ring is") {
    for (std::size_t bytes = 4096; bytes <= 65536; bytes *= 2) {
        Pair pair(bytes);
        const Bytes longest(pair.lower.mostPayload());
        const iovec whole = piece(longest);
        const iovec nothing{nullptr, 0};
        Inbox inbox;
        for (std::size_t at = 0; at < 2 * bytes / kLine; ++at) {
            REQUIRE(pair.lower.putEager(envelopeOf(0, 0), {&nothing, 1}) == Put::done);
            pair.higher.take(inbox, 1);
            REQUIRE(pair.lower.putEager(envelopeOf(longest.size(), 0), {&whole, 1}) == Put::done);
            pair.higher.take(inbox, 1);
            inbox.arrived.clear();
        }
    }
}

TEST("ring: two threads, records of all sizes that imitate headers, in order and whole") {
    constexpr int kRecords = 60'000;
    Pair pair(4096);
    std::thread sender([&] {
        std::mt19937 random(1);
        for (int i = 0; i < kRecords; ++i) {
            const std::size_t most = i % 16 == 0 ? pair.lower.mostPayload() : 64;
            const Bytes data = imitation(random() % (most + 1), static_cast<std::uint32_t>(i));
            const iovec whole = piece(data);
            while (pair.lower.putEager(envelopeOf(data.size(), i), {&whole, 1}) != Put::done)
                std::this_thread::yield();
        }
    });
    int next = 0;
    while (next < kRecords) {
        Inbox inbox;
        if (pair.higher.take(inbox, 5) == 0) std::this_thread::yield();
        if (inbox.garbage > 0) break;
        for (const Arrived& each : inbox.arrived) {
            if (each.envelope.tag != next ||
                each.payload != imitation(each.envelope.bytes, static_cast<std::uint32_t>(next))) {
                test::fail("record " + std::to_string(next) + " is not what was sent");
            }
            ++next;
        }
    }
    CHECK_EQ(next, kRecords);
    sender.join();
}

TEST("ring: the short way and the long way are the same ring") {
    constexpr int kRecords = 50'000;
    Pair pair(8192);
    std::thread sender([&] {
        for (int i = 0; i < kRecords; ++i) {
            const double value = i;
            const iovec whole{const_cast<double*>(&value), sizeof value};
            const Envelope envelope = envelopeOf(sizeof value, i);
            while (!(i % 3 == 0 ? pair.lower.putEager(envelope, {&whole, 1}) == Put::done
                                : pair.lower.send(envelope, &value)))
                std::this_thread::yield();
        }
    });
    for (int i = 0; i < kRecords;) {
        if (i % 5 == 0) {
            Inbox inbox;
            if (pair.higher.take(inbox, 1) == 0) {
                std::this_thread::yield();
                continue;
            }
            double value = 0;
            std::memcpy(&value, inbox.arrived[0].payload.data(), sizeof value);
            CHECK_EQ(value, i);
            ++i;
        } else if (pair.higher.nextFlag() != 0) {
            if (RingRecord::kindOf(pair.higher.nextFlag()) == RingRecord::Kind::skip) continue;
            double value = 0;
            const RingRecord& record = pair.higher.next();
            CHECK_EQ(record.tag, i);
            RingChannel::copyBytes(&value, RingRecord::payloadOf(record, sizeof value),
                                   sizeof value);
            pair.higher.consumeEager(sizeof value);
            CHECK_EQ(value, i);
            ++i;
        } else {
            std::this_thread::yield();
        }
    }
    sender.join();
}

TEST("ring: what no version of ours writes is garbage, and never leaves the ring") {
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        Pair pair(4096);
        std::uint32_t words[kLine / 4];
        for (auto& word : words) word = random() >> random() % 32;
        words[0] = 1 + random() % 9;  // the flag's kind
        for (std::size_t line = 0; line < 8; ++line)
            std::memcpy(pair.memory[line].bytes, words, kLine);
        Inbox inbox;
        pair.higher.take(inbox, 16);
        std::size_t bytes = 0;
        for (const Arrived& each : inbox.arrived) bytes += each.payload.size();
        CHECK(bytes <= 16 * 4096);
    }
}

TEST("ring: credits that make no sense are not believed") {
    Pair pair(4096);
    const iovec nothing{nullptr, 0};
    int sent = 0;
    pair.credits[0] = 1'000'000;
    while (sent < 1000 && pair.lower.putEager(envelopeOf(0, 0), {&nothing, 1}) == Put::done) ++sent;
    CHECK_EQ(sent, 4096 / static_cast<int>(kLine) - static_cast<int>(RingChannel::kWindow));
    CHECK(!pair.higher.exhausted());
    pair.credits[0] = static_cast<std::uint64_t>(-5);
    CHECK(pair.lower.putEager(envelopeOf(0, 0), {&nothing, 1}) == Put::full);
}
