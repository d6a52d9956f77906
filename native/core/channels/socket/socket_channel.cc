#include "core/channels/socket/socket_channel.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "core/movers/io_cursor.h"
#include "core/os/packet_socket.h"

namespace onecopy {

namespace {

// Payloads up to this are copied behind their header first: one plain send is cheaper than a list
// of two buffers.
constexpr std::size_t kGatherBytes = 1024;

PacketHeader headerOf(PacketHeader::Kind kind) {
    PacketHeader header{};
    header.kind = kind;
    return header;
}

PacketHeader headerOf(PacketHeader::Kind kind, const Envelope& envelope) {
    PacketHeader header = headerOf(kind);
    header.messageKind = envelope.kind;
    header.type = envelope.type;
    header.tag = envelope.tag;
    header.context = envelope.context;
    header.bytes = envelope.bytes;
    return header;
}

PacketHeader headerOf(PacketHeader::Kind kind, TransferName transfer, std::uint64_t offset) {
    PacketHeader header = headerOf(kind);
    header.slot = transfer.slot;
    header.generation = transfer.generation;
    header.offset = offset;
    return header;
}

}  // namespace

SocketChannel::SocketChannel(UniqueFd socket, std::int32_t peer, PairDirection& out,
                             const PairDirection& in, std::span<std::byte> buffer)
    : socket_(std::move(socket)), peer_(peer), out_(&out), in_(&in), buffer_(buffer) {}

Put SocketChannel::put(const PacketHeader& header, std::span<const iovec> payload) {
    const std::uint64_t bytes = totalBytes(payload);
    // Counted before it is there, and taken back if there is no room: a spinning receiver then
    // enters the kernel while this rank is still on its way out.
    out_->announced.store(sent_ + 1, std::memory_order_release);
    PacketResult result;
    if (bytes <= kGatherBytes) {
        std::array<std::byte, sizeof header + kGatherBytes> whole;
        std::memcpy(whole.data(), &header, sizeof header);
        IoCursor(payload).copyOut(whole.data() + sizeof header, bytes);
        result = sendBytes(socket_.get(), std::span(whole).first(sizeof header + bytes));
    } else {
        parts_.clear();
        parts_.push_back({const_cast<PacketHeader*>(&header), sizeof header});
        parts_.insert(parts_.end(), payload.begin(), payload.end());
        result = sendPacket(socket_.get(), parts_);
    }
    if (result == PacketResult::done) {
        ++sent_;
        return Put::done;
    }
    out_->announced.store(sent_, std::memory_order_release);
    switch (result) {
        case PacketResult::wouldBlock:
            return Put::full;
        case PacketResult::closed:
            return Put::closed;
        default:
            return Put::failed;
    }
}

Put SocketChannel::greet(const Greeting& greeting) {
    PacketHeader header = headerOf(PacketHeader::Kind::greeting);
    header.address = greeting.cellAddress;
    return put(header);
}

Put SocketChannel::putEager(const Envelope& envelope, std::span<const iovec> payload) {
    return put(headerOf(PacketHeader::Kind::eager, envelope), payload);
}

Put SocketChannel::putDescriptor(const Envelope& envelope, const Descriptor& descriptor) {
    PacketHeader header = headerOf(PacketHeader::Kind::descriptor, envelope);
    header.slot = descriptor.transfer.slot;
    header.generation = descriptor.transfer.generation;
    header.address = descriptor.address;
    header.parts = descriptor.parts;
    return put(header);
}

Put SocketChannel::putStageRequest(TransferName transfer, std::uint64_t offset,
                                   std::uint64_t bytes) {
    PacketHeader header = headerOf(PacketHeader::Kind::stageRequest, transfer, offset);
    header.bytes = bytes;
    return put(header);
}

Put SocketChannel::putStaged(TransferName transfer, std::uint64_t offset,
                             std::span<const iovec> bytes) {
    return put(headerOf(PacketHeader::Kind::staged, transfer, offset), bytes);
}

Put SocketChannel::putBroken(const BrokenNotice& notice, std::span<const iovec> text) {
    PacketHeader header = headerOf(PacketHeader::Kind::broken);
    header.context = notice.context;
    header.tag = static_cast<std::int32_t>(notice.sequence);
    header.slot = notice.code;
    header.generation = static_cast<std::uint32_t>(notice.culprit);
    return put(header, text);
}

Put SocketChannel::putHeap(const HeapNotice& notice) {
    PacketHeader header = headerOf(PacketHeader::Kind::heap);
    header.slot = notice.id;
    header.generation = static_cast<std::uint32_t>(notice.fd);
    header.address = notice.address;
    header.bytes = notice.bytes;
    header.offset = notice.inode;
    return put(header);
}

bool SocketChannel::seemsReadable() const {
    return !exhausted_ && (readable_ || in_->announced.load(std::memory_order_acquire) > received_);
}

std::size_t SocketChannel::take(ChannelSink& sink, std::size_t most) {
    std::size_t taken = 0;
    // Not until EAGAIN, unless a sleeper was woken by the socket: the count of announced packets
    // saves that last call.
    while (taken < most && seemsReadable()) {
        std::size_t bytes = 0;
        switch (receiveBytes(socket_.get(), buffer_, bytes)) {
            case PacketResult::done:
                ++received_;
                ++taken;
                dispatch(sink, bytes);
                break;
            case PacketResult::wouldBlock:
                readable_ = false;
                return taken;
            case PacketResult::truncated:
                ++received_;
                ++taken;
                sink.onGarbage();
                break;
            case PacketResult::closed:
            case PacketResult::failed:
                exhausted_ = true;
                return taken;
        }
    }
    return taken;
}

void SocketChannel::dispatch(ChannelSink& sink, std::size_t bytes) {
    PacketHeader header;
    if (bytes < sizeof header) return sink.onGarbage();
    std::memcpy(&header, buffer_.data(), sizeof header);
    const std::span<const std::byte> payload(buffer_.data() + sizeof header, bytes - sizeof header);
    const TransferName transfer{header.slot, header.generation};
    Envelope envelope;
    envelope.bytes = header.bytes;
    envelope.source = peer_;
    envelope.tag = header.tag;
    envelope.context = header.context;
    envelope.kind = header.messageKind;
    envelope.type = header.type;
    switch (header.kind) {
        case PacketHeader::Kind::greeting:
            return sink.onGreeting({header.address});
        case PacketHeader::Kind::eager:
            if (payload.size() != header.bytes || header.tag < 0) return sink.onGarbage();
            return sink.onEager(envelope, payload);
        case PacketHeader::Kind::descriptor:
            if (!IncomingTransfers::valid(transfer) || header.tag < 0) return sink.onGarbage();
            return sink.onDescriptor(envelope, {transfer, header.address, header.parts});
        case PacketHeader::Kind::stageRequest:
            return sink.onStageRequest(transfer, header.offset, header.bytes);
        case PacketHeader::Kind::staged:
            return sink.onStaged(transfer, header.offset, payload);
        case PacketHeader::Kind::broken:
            if (header.tag < 0) return sink.onGarbage();
            return sink.onBroken({header.context, static_cast<std::uint32_t>(header.tag),
                                  header.slot, static_cast<std::int32_t>(header.generation)},
                                 payload);
        case PacketHeader::Kind::heap:
            return sink.onHeap({header.slot, static_cast<std::int32_t>(header.generation),
                                header.offset, header.address, header.bytes});
    }
    sink.onGarbage();
}

}  // namespace onecopy
