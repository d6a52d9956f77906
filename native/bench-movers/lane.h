// What two processes tell each other about the message that is under way from one to the other: the
// flags of the handshake, in shared memory. A message has a sequence number that both ends count
// for themselves, so a flag is up when it holds that number, and none has to be taken down.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace onecopy::bench {

inline constexpr std::size_t kCacheLine = 64;

struct Lane {
    // Written by the sender, read by the receiver.
    struct alignas(kCacheLine) {
        std::atomic<std::uint64_t> sent{0};
        std::atomic<std::uint64_t> finished{0};
        std::uint64_t source = 0;  // address; published by `sent`
    } sender;

    // Written by the receiver, read by the sender.
    struct alignas(kCacheLine) {
        std::atomic<std::uint64_t> posted{0};
        std::atomic<std::uint64_t> received{0};
        std::uint64_t target = 0;  // address; published by `posted`
    } receiver;

    // Both sides only: which slices are still to be had, {front, back}, written by both.
    struct alignas(kCacheLine) {
        std::atomic<std::uint64_t> split{0};
    } shared;

    // "My bytes lie there": all that was written to them before is seen by who has seen isSent().
    void send(std::uint64_t sequence, const std::byte* source) {
        sender.source = reinterpret_cast<std::uint64_t>(source);
        sender.sent.store(sequence, std::memory_order_release);  // with isSent()
    }
    bool isSent(std::uint64_t sequence) const {
        return sender.sent.load(std::memory_order_acquire) == sequence;  // with send()
    }

    // "There is room for them here."
    void post(std::uint64_t sequence, std::byte* target) {
        receiver.target = reinterpret_cast<std::uint64_t>(target);
        receiver.posted.store(sequence, std::memory_order_release);  // with isPosted()
    }
    bool isPosted(std::uint64_t sequence) const {
        return receiver.posted.load(std::memory_order_acquire) == sequence;  // with post()
    }

    // "I have written all that I was to write": the bytes are seen by who has seen isFinished().
    void finish(std::uint64_t sequence) {
        sender.finished.store(sequence, std::memory_order_release);  // with isFinished()
    }
    bool isFinished(std::uint64_t sequence) const {
        return sender.finished.load(std::memory_order_acquire) == sequence;  // with finish()
    }

    // "I have them all": from now on the sender may change its buffer.
    void receive(std::uint64_t sequence) {
        receiver.received.store(sequence, std::memory_order_release);  // with isReceived()
    }
    bool isReceived(std::uint64_t sequence) const {
        return receiver.received.load(std::memory_order_acquire) == sequence;  // with receive()
    }
};

}  // namespace onecopy::bench
