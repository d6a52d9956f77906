// A channel carries envelopes, descriptors and staged bytes between two ranks, in order, without
// loss.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/matching/envelope.h"
#include "core/transfer/transfer.h"

namespace onecopy {

// The largest piece that a payload is staged in, and so the largest payload that can travel with
// its envelope.
inline constexpr std::size_t kMaxPayload = 64 * 1024;

// Sent first in each direction: where the sender's nonce cell is.
struct Greeting {
    std::uint64_t cellAddress = 0;
};

// Told to every member of a communicator once a collective operation has failed on some rank.
struct BrokenNotice {
    std::uint32_t context = 0;
    std::uint32_t sequence = 0;
    std::uint32_t code = 0;     // ErrorCode
    std::int32_t culprit = -1;  // rank in the world
};

// A piece of the sender's heap, told before anything that lies in it: a memfd, by its descriptor in
// the sender's process, and where the sender has it mapped. No bytes: it is gone.
struct HeapNotice {
    std::uint32_t id = 0;
    std::int32_t fd = -1;
    std::uint64_t inode = 0;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

// What comes out of a channel. Nothing in it has been checked but lengths against the packet
// itself.
class ChannelSink {
   public:
    virtual void onGreeting(const Greeting& greeting) = 0;
    // `payload` is valid during the call only.
    virtual void onEager(const Envelope& envelope, std::span<const std::byte> payload) = 0;
    virtual void onDescriptor(const Envelope& envelope, const Descriptor& descriptor) = 0;
    // The receiver cannot pull: send it so many bytes from `offset` on.
    virtual void onStageRequest(TransferName transfer, std::uint64_t offset,
                                std::uint64_t bytes) = 0;
    virtual void onStaged(TransferName transfer, std::uint64_t offset,
                          std::span<const std::byte> bytes) = 0;
    virtual void onBroken(const BrokenNotice& notice, std::span<const std::byte> text) = 0;
    virtual void onHeap(const HeapNotice& notice) = 0;
    // Something that no version of ours sends.
    virtual void onGarbage() = 0;

   protected:
    ~ChannelSink() = default;
};

enum class Put {
    done,
    full,    // nothing was sent; try again once the channel is writable
    closed,  // the peer's end is gone; the launcher will say whether it left or died
    failed   // errno says why
};

class Channel {
   public:
    virtual ~Channel() = default;

    // Largest payload of putEager, putStaged and putBroken.
    virtual std::size_t mostPayload() const = 0;

    virtual Put greet(const Greeting& greeting) = 0;
    virtual Put putEager(const Envelope& envelope, std::span<const iovec> payload) = 0;
    virtual Put putDescriptor(const Envelope& envelope, const Descriptor& descriptor) = 0;
    virtual Put putStageRequest(TransferName transfer, std::uint64_t offset,
                                std::uint64_t bytes) = 0;
    virtual Put putStaged(TransferName transfer, std::uint64_t offset,
                          std::span<const iovec> bytes) = 0;
    virtual Put putBroken(const BrokenNotice& notice, std::span<const iovec> text) = 0;
    virtual Put putHeap(const HeapNotice& notice) = 0;

    // Costs no system call. May miss what has only just arrived; never sleep on its word alone.
    virtual bool seemsReadable() const = 0;
    // Hands over what has arrived, at most `most` items; says how many.
    virtual std::size_t take(ChannelSink& sink, std::size_t most) = 0;
    // Like seemsReadable, but of what its sender rings the doorbell for, and also of room if that
    // is waited for: a sleeper that has armed its own must not miss it.
    virtual bool eventPending(bool waitsForRoom) const = 0;
    // Nothing will come any more, and everything that came was taken.
    virtual bool exhausted() const = 0;

    // What a sleeper watches: the descriptor, or -1 where the doorbell alone tells.
    virtual int descriptor() const = 0;
    // The sleeper found the descriptor readable.
    virtual void markReadable() = 0;
};

}  // namespace onecopy
