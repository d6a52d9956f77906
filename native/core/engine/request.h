// One send or receive, from its start to its end. On the stack for a blocking call, which is start
// + wait.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/datatypes/laid_out.h"
#include "core/engine/error.h"
#include "core/engine/list.h"
#include "core/matching/envelope.h"
#include "core/matching/message.h"
#include "core/movers/io_cursor.h"
#include "core/reduction/combiner.h"
#include "core/transfer/transfer.h"
#include "core/transfer/two_sided.h"

namespace onecopy {

// Stands behind a buffer that outlives the call which named it. Asked before each copy made by this
// process: a script may have taken the memory away in between.
class BufferOwner {
   public:
    virtual bool stillThere() = 0;

   protected:
    ~BufferOwner() = default;
};

// Makes the memory of a receive that learns from the message how long it is.
class BufferMaker {
   public:
    // Null: there is none. Called once, when the receive is matched.
    virtual void* make(std::uint64_t bytes) = 0;

   protected:
    ~BufferMaker() = default;
};

class Execution;

// A part of a message.
struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

struct QueueTag : Link {};  // the one queue a request waits in
struct ServeTag : Link {};  // sends whose receiver asked for staged bytes

struct Request : QueueTag, ServeTag {
    // A collective request stands for a whole schedule that is being executed (core/schedule). A
    // probe is posted like a receive, and complete once it has `matched` a message.
    enum class Kind : std::uint8_t { send, recv, collective, probe };
    enum class State : std::uint8_t {
        idle,
        outgoing,    // send: waits for the connection, room on the channel or a transfer slot
        published,   // send: its descriptor is on the way or claimed
        selfQueued,  // send to oneself: waits for its receive
        posted,      // recv: nothing has matched yet
        pulling,     // recv: matched, its bytes are being pulled
        staging,     // recv: matched, its bytes come through the channel
        running,     // collective
        complete
    };

    Request() = default;
    ~Request() {
        QueueTag::unlink();
        ServeTag::unlink();
    }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    // The buffer: one piece, or a list that must stay as it is until the request is complete.
    void setBuffer(void* address, std::uint64_t bytes) {
        single = {address, bytes};
        parts = std::span<const iovec>(&single, 1);
        capacity = bytes;
    }
    void setBuffer(std::span<const iovec> list) {
        parts = list;
        capacity = totalBytes(list);
    }
    // Items of a datatype; both sides need not have the same.
    void setBuffer(std::unique_ptr<LaidOut> items) {
        if (items->isDense()) return setBuffer(items->data(), items->bytes());
        laidOut = std::move(items);
        parts = {};
        capacity = laidOut->bytes();
    }

    // Where bytes of the message lie, from `offset` on, as far as `list` has entries.
    IoCursor::Cut cut(std::uint64_t offset, std::uint64_t bytes, std::span<iovec> list) const {
        if (laidOut != nullptr) return laidOut->cut(offset, bytes, list);
        IoCursor from(parts);
        from.advance(offset);
        return from.peek(bytes, list);
    }
    void copyOut(std::uint64_t offset, std::byte* to, std::uint64_t bytes) const {
        if (laidOut != nullptr) return laidOut->copyOut(offset, to, bytes);
        IoCursor from(parts);
        from.advance(offset);
        from.copyOut(to, bytes);
    }
    // Recv: puts the next bytes of the message, those from `offset` on, into the buffer.
    void store(std::uint64_t offset, const std::byte* bytes, std::uint64_t length) {
        if (laidOut != nullptr) return laidOut->copyIn(offset, bytes, length);
        cursor.copyIn(bytes, length);
    }

    // Combines bytes of the message, from `offset` on. False: a user's operator failed.
    bool combine(const std::byte* bytes, std::uint64_t offset, std::uint64_t length) const {
        return combinePieces(*combiner, parts, own, incoming, bytes, offset, length);
    }

    bool complete() const { return state == State::complete; }

    Kind kind = Kind::send;
    State state = State::idle;
    bool cancelled = false;
    bool claimed = false;      // send to oneself: a matched probe has taken the message
    bool exposed = false;      // send: goes as a descriptor, whatever its length
    bool synchronous = false;  // send: the same, complete once it is matched and copied
    bool exact = false;        // recv: a shorter message is an error too
    // Recv: complete once the message is claimed; it is pulled in parts (startPull) and released
    // (endExposure) by whoever asked for it.
    bool accepting = false;
    bool part = false;  // recv: pulls a part of what another request has accepted
    // Send: the message. Recv: what is asked for (selector) and, once matched, what came.
    Envelope envelope;
    Selector selector;
    std::int32_t peer = kAnySource;  // send: destination; recv: source once matched
    std::uint64_t order = 0;         // recv: posting order
    MatchedMessage matched;          // probe
    iovec single{};
    // Without `laidOut`, the buffer. With it, empty, or in a send the list of its runs where these
    // are long enough for the receiver to pull them one by one.
    std::span<const iovec> parts;
    std::unique_ptr<LaidOut> laidOut;
    std::uint64_t capacity = 0;
    BufferOwner* owner = nullptr;
    BufferMaker* maker = nullptr;  // recv: where the buffer comes from once it is matched
    // Recv: what arrives is combined with what lies in `own`, which is as long as the buffer,
    // instead of being stored as it is.
    const Combiner* combiner = nullptr;
    std::span<const iovec> own;
    Side incoming = Side::left;

    // While bytes move.
    TransferName transfer;
    Descriptor descriptor;
    IoCursor cursor;                 // recv: where the next bytes go
    IoCursor remote;                 // recv: where the next bytes are, in the sender
    std::vector<iovec> remoteParts;  // recv: the sender's list of buffers, when it has several
    std::uint64_t base = 0;          // recv of a part: where it begins in the message
    std::uint64_t moved = 0;         // recv: bytes that have arrived
    std::vector<ByteRange> toServe;  // send: what is still to be staged, in this order
    // Its owner is inside a call that returns only when it is complete: both sides may copy.
    bool waited = false;
    // Recv: `offer` stands in the pair segment; the sender may write into the buffer.
    bool offered = false;
    Offer offer;
    int pullErrno = 0;         // recv: what ended an offer early
    std::uint16_t pushed = 0;  // send: slices written into the receiver's buffer
    bool pushFailed = false;   // send: no more
    Error error;

    Execution* execution = nullptr;  // whose step this is
    std::uint32_t step = 0;

    // Counts the ends of several requests, while somebody waits for any of them.
    std::uint64_t* ended = nullptr;

    bool watched = false;    // the event loop is told when it is complete
    void* cookie = nullptr;  // the watcher's
};

}  // namespace onecopy
