// The express lane: every envelope and descriptor is a record in memory that the two ranks share.
// No system call, no read-modify-write, no buffer to give back.
//
// One direction is a ring of 64-byte lines with one sender and one receiver. A record is a line
// with the envelope, up to 48 bytes of payload and a flag, and as many lines behind it as the
// payload needs. The flag is written last; the receiver spins on the flag of the line where the
// next record will begin, and takes what is there once it is not zero. It never clears a flag: the
// sender has zeroed that of each line behind a record before it publishes the record, so that what
// lies there from an earlier lap (payload may look like anything) is never taken for a record.
// Usually it has done so some records earlier, off the way of the message that is being sent:
// kWindow lines beyond the last record have zero flags.
//
// The receiver gives lines back a quarter of the ring at a time, so that the word which says so
// rarely moves between the cores. No record may be longer than `mostLines`, or a sender could wait
// for lines that the receiver has consumed and keeps for later.
//
// Both flag and credits are events in the sense of waiting/doorbell.h: stored sequentially
// consistent, then the other side's doorbell is looked at. models/ring.pml is this protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/channels/channel.h"
#include "core/job/segments.h"
#include "core/os/cache.h"
#include "core/points/point.h"
#include "core/waiting/doorbell.h"

namespace onecopy {

// The first line of a record.
struct RingRecord {
    enum class Kind : std::uint8_t {
        none = 0,
        eager = 1,
        descriptor,
        greeting,
        stageRequest,
        staged,
        broken,
        heap,
        skip  // nothing more up to the end of the ring
    };
    static constexpr std::size_t kInlineBytes = 48;

    alignas(kLine) Shared<std::uint32_t> flag;  // kind, message kind, element type
    std::int32_t tag;
    std::uint32_t context;
    std::uint32_t payload;  // bytes: behind these fields if eager and short, else in the next lines
    union {
        std::byte bytes[kInlineBytes];  // eager
        struct {
            std::uint64_t bytes;  // descriptor, stage request
            std::uint64_t address;
            std::uint64_t parts;
            std::uint64_t offset;
            std::uint32_t slot;
            std::uint32_t generation;
        } large;
    };

    static constexpr std::uint32_t flagOf(Kind kind, MessageKind message = MessageKind::buffer,
                                          Datatype type = Datatype::byte) {
        return static_cast<std::uint32_t>(kind) | static_cast<std::uint32_t>(message) << 8 |
               static_cast<std::uint32_t>(type) << 16;
    }
    static constexpr Kind kindOf(std::uint32_t flag) { return static_cast<Kind>(flag & 0xff); }
    static constexpr MessageKind messageOf(std::uint32_t flag) {
        return static_cast<MessageKind>(flag >> 8 & 0xff);
    }
    static constexpr Datatype typeOf(std::uint32_t flag) {
        return static_cast<Datatype>(flag >> 16 & 0xff);
    }
    // A payload that is too long for the first line begins with the second: copies between aligned
    // lines are faster, and it seldom takes a line more.
    static std::byte* payloadOf(RingRecord& record, std::uint64_t payload) {
        return reinterpret_cast<std::byte*>(&record) +
               (payload <= kInlineBytes ? kLine - kInlineBytes : kLine);
    }
    static const std::byte* payloadOf(const RingRecord& record, std::uint64_t payload) {
        return payloadOf(const_cast<RingRecord&>(record), payload);
    }
    static constexpr std::uint64_t linesOfEager(std::uint64_t payload) {
        return payload <= kInlineBytes ? 1 : linesOfOther(payload);
    }
    static constexpr std::uint64_t linesOfOther(std::uint64_t payload) {
        return 1 + (payload + kLine - 1) / kLine;
    }
};
static_assert(sizeof(RingRecord) == kLine);

// What both directions need.
struct RingEnds {
    std::span<std::byte> memory;     // a power of two of bytes
    Shared<std::uint64_t>* credits;  // of this direction
};

class RingChannel final : public Channel {
   public:
    // Lines beyond the last record whose flags are zero. More would only keep the ring from being
    // filled; fewer, and zeroing is on the way of messages that are sent one after the other.
    static constexpr std::uint64_t kWindow = 8;
    // Lines beyond these that the sender begins to fetch.
    static constexpr std::uint64_t kFetchAhead = 4;

    // Of the longest record: with the most that can be skipped at the end of the ring before it,
    // and the window behind it, it must fit beside the quarter that the receiver may keep.
    static constexpr std::uint64_t mostLines(std::uint64_t lines) {
        return (lines - lines / 4 - kWindow + 1) / 2;
    }

    RingChannel(std::int32_t peer, RingEnds out, RingEnds in, const PeerDoorbell& doorbell,
                Shared<std::uint64_t>& rings);

    // Of a ring of so many bytes.
    static constexpr std::size_t mostPayloadOf(std::size_t ringBytes) {
        return (mostLines(ringBytes / kLine) - 1) * kLine;
    }

    std::size_t mostPayload() const override { return mostPayloadOf(lines_ * kLine); }
    Put greet(const Greeting& greeting) override;
    Put putEager(const Envelope& envelope, std::span<const iovec> payload) override;
    Put putDescriptor(const Envelope& envelope, const Descriptor& descriptor) override;
    Put putStageRequest(TransferName transfer, std::uint64_t offset, std::uint64_t bytes) override;
    Put putStaged(TransferName transfer, std::uint64_t offset,
                  std::span<const iovec> bytes) override;
    Put putBroken(const BrokenNotice& notice, std::span<const iovec> text) override;
    Put putHeap(const HeapNotice& notice) override;

    bool seemsReadable() const override {
        return front().flag.load(std::memory_order_acquire) != 0;
    }
    bool eventPending(bool waitsForRoom) const override {
        return front().flag.load(std::memory_order_seq_cst) != 0 ||
               (waitsForRoom && creditsOfPeer_->load(std::memory_order_seq_cst) != creditsSeen_);
    }
    std::size_t take(ChannelSink& sink, std::size_t most) override;
    bool exhausted() const override { return false; }
    int descriptor() const override { return -1; }
    void markReadable() override {}

    // ------------------------------------------------------------------------------------------------
    // the short way, for calls that block

    // putEager for one piece of at most mostPayload() bytes; false: full.
    bool send(const Envelope& envelope, const void* payload) {
        const std::uint64_t lines = RingRecord::linesOfEager(envelope.bytes);
        RingRecord* record = reserve(lines);
        if (record == nullptr) return false;
        record->tag = envelope.tag;
        record->context = envelope.context;
        record->payload = static_cast<std::uint32_t>(envelope.bytes);
        copyBytes(RingRecord::payloadOf(*record, envelope.bytes), payload, envelope.bytes);
        publish(*record, lines,
                RingRecord::flagOf(RingRecord::Kind::eager, envelope.kind, envelope.type));
        return true;
    }
    // Begins to fetch the line that the next record will be written to, or read from.
    void fetchRoom() const { prefetchForWriting(&outLine(tail_)); }
    void fetchNext() const { __builtin_prefetch(&front()); }
    // The flag of the record that comes next; 0: it is not there yet.
    std::uint32_t nextFlag() const { return front().flag.load(std::memory_order_acquire); }
    // That record, once its flag was seen; what it says has not been checked.
    const RingRecord& next() const { return front(); }
    // Takes it out: an eager one, of so many bytes.
    void consumeEager(std::uint64_t payload) {
        consume(RingRecord::linesOfEager(payload));
        giveBack();
    }
    // Most programs send a number or a few, and a call of memcpy costs as much as the rest.
    static void copyBytes(void* to, const void* from, std::uint64_t bytes) {
        if (bytes == 8) {
            std::memcpy(to, from, 8);
        } else if (bytes > 0) {
            // An empty message may have no address, which memcpy does not take.
            std::memcpy(to, from, bytes);
        }
    }

   private:
    RingRecord& outLine(std::uint64_t position) const {
        return *reinterpret_cast<RingRecord*>(out_ + (position & (lines_ - 1)) * kLine);
    }
    const RingRecord& front() const {
        return *reinterpret_cast<const RingRecord*>(in_ + (head_ & (lines_ - 1)) * kLine);
    }

    // The line where a record of so many lines begins, or null where there is no room for it.
    RingRecord* reserve(std::uint64_t lines) {
        const std::uint64_t rest = lines_ - (tail_ & (lines_ - 1));
        const std::uint64_t skipped = lines > rest ? rest : 0;
        const std::uint64_t needed = tail_ + skipped + lines + kWindow;
        if (needed - creditsSeen_ > lines_ && !hasRoom(needed)) return nullptr;
        if (skipped > 0) skip(skipped);
        return &outLine(tail_);
    }
    bool hasRoom(std::uint64_t needed);
    void skip(std::uint64_t lines);
    // Hands over the record at the tail; everything but its flag is written.
    void publish(RingRecord& record, std::uint64_t lines, std::uint32_t flag) {
        if (zeroed_ <= tail_ + lines) {
            outLine(tail_ + lines).flag.store(0, std::memory_order_relaxed);
            zeroed_ = tail_ + lines + 1;
        }
        reach(Point::recordWritten);
        // Pairs with the acquire in nextFlag(), and, being sequentially consistent, with the
        // sleeper's second look.
        record.flag.store(flag, std::memory_order_seq_cst);
        reach(Point::recordFlagged);
        ring();
        tail_ += lines;
        for (; zeroed_ < tail_ + kWindow; ++zeroed_)
            outLine(zeroed_).flag.store(0, std::memory_order_relaxed);
        // These are in the receiver's cache since a lap ago, and the next publish would wait until
        // it has given them up. Further ahead, they would be taken back by its own prefetching. A
        // stream of 8 bytes took 50 ns a message with this and 80 ns without (2 cores, Xeon with
        // AVX-512).
        prefetchForWriting(&outLine(zeroed_ + kFetchAhead));
        if (lines > 1) fetchLines(lines + 1);
    }
    // The next record is likely to be as long as the last one: its lines, and the flag behind it,
    // are in the receiver's cache since it read them a lap ago, and are fetched now instead of one
    // by one while the record is being written. Half a round trip of 1 KiB took 0.36 us with this
    // and 0.58 us without, of 8 KiB 1.2 and 1.8 us (2 cores, Xeon with AVX-512).
    void fetchLines(std::uint64_t lines) {
        const std::uint64_t free = lines_ - (tail_ - creditsSeen_);
        const std::uint64_t end = tail_ + (lines < free ? lines : free);
        for (std::uint64_t at = tail_; at < end; ++at) prefetchForWriting(&outLine(at));
    }
    void ring() {
        if (doorbell_->ring())
            rings_->store(rings_->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void consume(std::uint64_t lines) { head_ += lines; }
    void giveBack() {
        if (head_ - returned_ < lines_ / 4) return;
        returned_ = head_;
        reach(Point::creditsDue);
        credits_->store(head_, std::memory_order_seq_cst);
        reach(Point::creditsGiven);
        ring();
    }
    Put putLarge(const RingRecord& fields, std::uint32_t flag, std::span<const iovec> payload = {});
    void dispatch(ChannelSink& sink, std::uint32_t flag, const RingRecord& record);

    // The sender's.
    std::byte* out_;
    std::uint64_t lines_;  // of either ring
    std::uint64_t tail_ = 0;
    std::uint64_t creditsSeen_ = 0;
    std::uint64_t zeroed_ = kWindow;  // flags of all lines from the tail to here are zero
    const Shared<std::uint64_t>* creditsOfPeer_;
    // The receiver's.
    const std::byte* in_;
    std::uint64_t head_ = 0;
    std::uint64_t returned_ = 0;
    Shared<std::uint64_t>* credits_;
    int depth_ = 0;  // of take() inside itself

    const PeerDoorbell* doorbell_;
    Shared<std::uint64_t>* rings_;
    std::int32_t peer_;
};

}  // namespace onecopy
