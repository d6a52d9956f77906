// Two copies through shared memory: the sender fills cells of a ring, the receiver empties them.
// The two overlap, since one cell is filled while another is emptied. This is what message passing
// on one machine did before there was a way into another process.

#include <algorithm>
#include <cstring>
#include <map>

#include "memory.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

// Cells are used in turn; the counts never go back.
struct RingHead {
    // Written by the sender, released after a cell was filled; acquired by the receiver.
    alignas(kCacheLine) std::atomic<std::uint64_t> filled{0};
    // Written by the receiver, released after a cell was emptied; acquired by the sender before it
    // fills that cell again.
    alignas(kCacheLine) std::atomic<std::uint64_t> emptied{0};
};

class DoubleCopy : public Mover {
   public:
    DoubleCopy(std::uint32_t cells, std::uint64_t cellBytes)
        : cells_(cells), cellBytes_(cellBytes) {}

    std::string_view name() const override { return "double-copy"; }

    void open(std::span<const Pair> pairs) override {
        const std::uint64_t cells = roundUp(cells_ * cellBytes_, kPage);
        const std::uint64_t each = kPage + cells;
        memory_ = SharedMemory(pairs.size() * each);
        std::byte* next = memory_.data();
        for (const Pair& pair : pairs) {
            rings_[pair] = {new (next) RingHead, next + kPage};
            next += each;
        }
    }

    void enter(int self, std::span<const pid_t>) override { self_ = self; }

    Progress send(Message& message) override {
        const Ring& ring = rings_.at({self_, message.peer});
        // Only this process writes it.
        const std::uint64_t filled = ring.head->filled.load(std::memory_order_relaxed);
        if (filled - ring.head->emptied.load(std::memory_order_acquire) == cells_) {
            return Progress::waiting;
        }
        const std::uint64_t bytes = std::min(cellBytes_, message.bytes - message.position);
        std::memcpy(cell(ring, filled), message.data + message.position, bytes);
        ring.head->filled.store(filled + 1, std::memory_order_release);
        return after(message, bytes);
    }

    Progress receive(Message& message) override {
        const Ring& ring = rings_.at({message.peer, self_});
        // Only this process writes it.
        const std::uint64_t emptied = ring.head->emptied.load(std::memory_order_relaxed);
        if (ring.head->filled.load(std::memory_order_acquire) == emptied) return Progress::waiting;
        const std::uint64_t bytes = std::min(cellBytes_, message.bytes - message.position);
        std::memcpy(message.data + message.position, cell(ring, emptied), bytes);
        ring.head->emptied.store(emptied + 1, std::memory_order_release);
        return after(message, bytes);
    }

    std::string details() const override {
        return ",\"cells\":" + std::to_string(cells_) +
               ",\"cellBytes\":" + std::to_string(cellBytes_);
    }

   private:
    struct Ring {
        RingHead* head = nullptr;
        std::byte* cells = nullptr;
    };

    std::byte* cell(const Ring& ring, std::uint64_t index) const {
        return ring.cells + index % cells_ * cellBytes_;
    }

    static Progress after(Message& message, std::uint64_t bytes) {
        message.position += bytes;
        return message.position == message.bytes ? Progress::done : Progress::moved;
    }

    std::uint32_t cells_;
    std::uint64_t cellBytes_;
    int self_ = 0;
    SharedMemory memory_;
    std::map<Pair, Ring> rings_;
};

}  // namespace

std::unique_ptr<Mover> makeDoubleCopy(std::uint32_t cells, std::uint64_t cellBytes) {
    return std::make_unique<DoubleCopy>(cells, cellBytes);
}

}  // namespace onecopy::bench
