#include "core/channels/ring/ring_channel.h"

#include "core/movers/io_cursor.h"

namespace onecopy {

RingChannel::RingChannel(std::int32_t peer, RingEnds out, RingEnds in, const PeerDoorbell& doorbell,
                         Shared<std::uint64_t>& rings)
    : out_(out.memory.data()),
      lines_(out.memory.size() / kLine),
      creditsOfPeer_(out.credits),
      in_(in.memory.data()),
      credits_(in.credits),
      doorbell_(&doorbell),
      rings_(&rings),
      peer_(peer) {}

bool RingChannel::hasRoom(std::uint64_t needed) {
    // Sequentially consistent: a sender that goes to sleep for want of room looks here once more.
    const std::uint64_t seen = creditsOfPeer_->load(std::memory_order_seq_cst);
    // What makes no sense (the peer's memory is damaged) is not believed.
    if (seen - creditsSeen_ <= tail_ - creditsSeen_) creditsSeen_ = seen;
    return needed - creditsSeen_ <= lines_;
}

void RingChannel::skip(std::uint64_t lines) {
    publish(outLine(tail_), lines, RingRecord::flagOf(RingRecord::Kind::skip));
}

// -----------------------------------------------------------------------------------------------
// sending

Put RingChannel::putEager(const Envelope& envelope, std::span<const iovec> payload) {
    if (payload.size() == 1) return send(envelope, payload[0].iov_base) ? Put::done : Put::full;
    const std::uint64_t lines = RingRecord::linesOfEager(envelope.bytes);
    RingRecord* record = reserve(lines);
    if (record == nullptr) return Put::full;
    record->tag = envelope.tag;
    record->context = envelope.context;
    record->payload = static_cast<std::uint32_t>(envelope.bytes);
    IoCursor(payload).copyOut(RingRecord::payloadOf(*record, envelope.bytes), envelope.bytes);
    publish(*record, lines,
            RingRecord::flagOf(RingRecord::Kind::eager, envelope.kind, envelope.type));
    return Put::done;
}

// All other kinds: fields in the first line, payload from the second on.
Put RingChannel::putLarge(const RingRecord& fields, std::uint32_t flag,
                          std::span<const iovec> payload) {
    const std::uint64_t bytes = totalBytes(payload);
    const std::uint64_t lines = RingRecord::linesOfOther(bytes);
    RingRecord* record = reserve(lines);
    if (record == nullptr) return Put::full;
    record->tag = fields.tag;
    record->context = fields.context;
    record->payload = static_cast<std::uint32_t>(bytes);
    record->large = fields.large;
    IoCursor(payload).copyOut(reinterpret_cast<std::byte*>(record) + kLine, bytes);
    publish(*record, lines, flag);
    return Put::done;
}

Put RingChannel::greet(const Greeting& greeting) {
    RingRecord fields{};
    fields.large.address = greeting.cellAddress;
    return putLarge(fields, RingRecord::flagOf(RingRecord::Kind::greeting));
}

Put RingChannel::putDescriptor(const Envelope& envelope, const Descriptor& descriptor) {
    RingRecord fields{};
    fields.tag = envelope.tag;
    fields.context = envelope.context;
    fields.large = {.bytes = envelope.bytes,
                    .address = descriptor.address,
                    .parts = descriptor.parts,
                    .offset = 0,
                    .slot = descriptor.transfer.slot,
                    .generation = descriptor.transfer.generation};
    return putLarge(fields,
                    RingRecord::flagOf(RingRecord::Kind::descriptor, envelope.kind, envelope.type));
}

Put RingChannel::putStageRequest(TransferName transfer, std::uint64_t offset, std::uint64_t bytes) {
    RingRecord fields{};
    fields.large = {.bytes = bytes,
                    .address = 0,
                    .parts = 0,
                    .offset = offset,
                    .slot = transfer.slot,
                    .generation = transfer.generation};
    return putLarge(fields, RingRecord::flagOf(RingRecord::Kind::stageRequest));
}

Put RingChannel::putStaged(TransferName transfer, std::uint64_t offset,
                           std::span<const iovec> bytes) {
    RingRecord fields{};
    fields.large = {.bytes = 0,
                    .address = 0,
                    .parts = 0,
                    .offset = offset,
                    .slot = transfer.slot,
                    .generation = transfer.generation};
    return putLarge(fields, RingRecord::flagOf(RingRecord::Kind::staged), bytes);
}

Put RingChannel::putBroken(const BrokenNotice& notice, std::span<const iovec> text) {
    RingRecord fields{};
    fields.context = notice.context;
    fields.tag = static_cast<std::int32_t>(notice.sequence);
    fields.large.slot = notice.code;
    fields.large.generation = static_cast<std::uint32_t>(notice.culprit);
    return putLarge(fields, RingRecord::flagOf(RingRecord::Kind::broken), text);
}

Put RingChannel::putHeap(const HeapNotice& notice) {
    RingRecord fields{};
    fields.large = {.bytes = notice.bytes,
                    .address = notice.address,
                    .parts = 0,
                    .offset = notice.inode,
                    .slot = notice.id,
                    .generation = static_cast<std::uint32_t>(notice.fd)};
    return putLarge(fields, RingRecord::flagOf(RingRecord::Kind::heap));
}

// --------------------------------------------------------------------------------------------
// receiving

std::size_t RingChannel::take(ChannelSink& sink, std::size_t most) {
    std::size_t taken = 0;
    // What a sink does may bring it here again: an operation that begins looks at what has come.
    // The records behind this one are taken then, but no line is given back under its reader.
    ++depth_;
    while (taken < most) {
        const RingRecord& record = front();
        const std::uint32_t flag = record.flag.load(std::memory_order_acquire);
        if (flag == 0) break;
        if (RingRecord::kindOf(flag) == RingRecord::Kind::skip) {
            const std::uint64_t at = head_ & (lines_ - 1);
            if (at == 0) {
                // Ours never skip a whole ring; and this would go on for ever.
                ++taken;
                sink.onGarbage();
                break;
            }
            consume(lines_ - at);
            continue;
        }
        ++taken;
        dispatch(sink, flag, record);
    }
    if (--depth_ == 0) giveBack();
    return taken;
}

void RingChannel::dispatch(ChannelSink& sink, std::uint32_t flag, const RingRecord& record) {
    // Read once: the peer can write here at any time.
    const std::uint64_t bytes = record.payload;
    const std::int32_t tag = record.tag;
    const std::uint32_t context = record.context;
    const RingRecord::Kind kind = RingRecord::kindOf(flag);
    const bool eager = kind == RingRecord::Kind::eager;
    const std::uint64_t lines =
        eager ? RingRecord::linesOfEager(bytes) : RingRecord::linesOfOther(bytes);
    if (lines > lines_ - (head_ & (lines_ - 1))) {
        // Nobody can tell where the next record begins. The job ends; until then nothing more is
        // read here.
        consume(lines_ - (head_ & (lines_ - 1)));
        return sink.onGarbage();
    }
    consume(lines);
    Envelope envelope;
    envelope.source = peer_;
    envelope.tag = tag;
    envelope.context = context;
    envelope.kind = RingRecord::messageOf(flag);
    envelope.type = RingRecord::typeOf(flag);
    if (eager) {
        if (tag < 0) return sink.onGarbage();
        envelope.bytes = bytes;
        return sink.onEager(envelope, {RingRecord::payloadOf(record, bytes), bytes});
    }
    const std::span<const std::byte> payload(reinterpret_cast<const std::byte*>(&record) + kLine,
                                             bytes);
    const auto large = record.large;
    const TransferName transfer{large.slot, large.generation};
    switch (kind) {
        case RingRecord::Kind::descriptor:
            if (!IncomingTransfers::valid(transfer) || tag < 0) return sink.onGarbage();
            envelope.bytes = large.bytes;
            return sink.onDescriptor(envelope, {transfer, large.address, large.parts});
        case RingRecord::Kind::greeting:
            return sink.onGreeting({large.address});
        case RingRecord::Kind::stageRequest:
            return sink.onStageRequest(transfer, large.offset, large.bytes);
        case RingRecord::Kind::staged:
            return sink.onStaged(transfer, large.offset, payload);
        case RingRecord::Kind::broken:
            if (tag < 0) return sink.onGarbage();
            return sink.onBroken({context, static_cast<std::uint32_t>(tag), large.slot,
                                  static_cast<std::int32_t>(large.generation)},
                                 payload);
        case RingRecord::Kind::heap:
            return sink.onHeap({large.slot, static_cast<std::int32_t>(large.generation),
                                large.offset, large.address, large.bytes});
        default:
            return sink.onGarbage();
    }
}

}  // namespace onecopy
