// The reference channel: every envelope and descriptor is one packet on the pair's Unix socket
// (SEQPACKET).
#pragma once

#include <memory>
#include <vector>

#include "core/channels/channel.h"
#include "core/job/segments.h"
#include "core/os/fd.h"

namespace onecopy {

// What every packet begins with; eager and staged bytes follow it.
struct PacketHeader {
    enum class Kind : std::uint8_t {
        greeting = 1,
        eager,
        descriptor,
        stageRequest,
        staged,
        broken,
        heap
    };

    Kind kind;
    MessageKind messageKind;
    Datatype type;
    std::uint8_t reserved;
    std::int32_t tag;
    std::uint32_t context;
    std::uint32_t slot;
    std::uint32_t generation;
    std::uint32_t reserved2;
    std::uint64_t bytes;    // length of the message; stage request: how many
    std::uint64_t address;  // greeting: of the nonce cell; descriptor: of the payload or its iovecs
    std::uint64_t parts;    // descriptor
    std::uint64_t offset;   // stage request, staged
                            // broken: context, tag (sequence), slot (code), generation (culprit)
                            // heap: slot (id), generation (fd), address, bytes, offset (inode)
};

class SocketChannel final : public Channel {
   public:
    // `out` and `in` lie in the pair segment; `buffer` (kPacketBytes) is shared by the channels of
    // one engine.
    SocketChannel(UniqueFd socket, std::int32_t peer, PairDirection& out, const PairDirection& in,
                  std::span<std::byte> buffer);

    static constexpr std::size_t kPacketBytes = sizeof(PacketHeader) + kMaxPayload;

    std::size_t mostPayload() const override { return kMaxPayload; }
    Put greet(const Greeting& greeting) override;
    Put putEager(const Envelope& envelope, std::span<const iovec> payload) override;
    Put putDescriptor(const Envelope& envelope, const Descriptor& descriptor) override;
    Put putStageRequest(TransferName transfer, std::uint64_t offset, std::uint64_t bytes) override;
    Put putStaged(TransferName transfer, std::uint64_t offset,
                  std::span<const iovec> bytes) override;
    Put putBroken(const BrokenNotice& notice, std::span<const iovec> text) override;
    Put putHeap(const HeapNotice& notice) override;

    bool seemsReadable() const override;
    // The kernel wakes a sleeper, not the doorbell.
    bool eventPending(bool) const override { return false; }
    std::size_t take(ChannelSink& sink, std::size_t most) override;
    bool exhausted() const override { return exhausted_; }
    int descriptor() const override { return socket_.get(); }
    void markReadable() override { readable_ = true; }

   private:
    Put put(const PacketHeader& header, std::span<const iovec> payload = {});
    void dispatch(ChannelSink& sink, std::size_t bytes);

    UniqueFd socket_;
    std::int32_t peer_;
    PairDirection* out_;
    const PairDirection* in_;
    std::span<std::byte> buffer_;
    std::vector<iovec> parts_;  // scratch of put(): the header and the caller's parts in one list
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    bool readable_ = false;
    bool exhausted_ = false;
};

}  // namespace onecopy
