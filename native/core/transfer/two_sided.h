// Both sides of a large message copy at the same time: the receiver pulls slices from the front,
// the sender, which would only wait, pushes slices from the back.
//
// The receiver offers a part of its buffer, once it has claimed the message and only while its
// owner is inside a blocking call on it. `cut` says how many slices are taken from either end;
// whoever changes it by compare-and-swap has the slice. The sender counts in `pushed` what it has
// written; after a failed write it says so and takes no more, and the receiver pulls that slice
// itself. The receiver's call returns only when every slice that the sender has taken was counted,
// or the sender is known to be dead, for until then the sender may still be writing. All three
// words carry the transfer's generation, so that what stands there from an earlier message of the
// slot means nothing. models/push.pml is this protocol.
#pragma once

#include <cstdint>
#include <optional>

#include "core/job/segments.h"
#include "core/points/point.h"
#include "core/transfer/transfer.h"

namespace onecopy {

// The part of a message that both sides may copy.
struct Offer {
    std::uint64_t address = 0;  // of this part, in the receiver
    std::uint64_t offset = 0;   // of this part, in the message
    std::uint64_t bytes = 0;
    std::uint64_t slice = 0;  // bytes; the last slice may be shorter

    static constexpr std::uint64_t kMostSlices = 0xffff;

    std::uint64_t slices() const { return bytes / slice + (bytes % slice != 0 ? 1 : 0); }
    // Of a slice, or of several that follow each other, in the part.
    std::uint64_t begin(std::uint64_t index) const { return index * slice; }
    std::uint64_t end(std::uint64_t index) const {
        return index + 1 >= slices() ? bytes : (index + 1) * slice;
    }
};

// The state of `cut`: slices taken from the front by the receiver, from the back by the sender.
struct Cut {
    std::uint32_t generation = 0;
    std::uint16_t front = 0;
    std::uint16_t back = 0;

    static Cut of(std::uint64_t word) {
        return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint16_t>(word >> 16),
                static_cast<std::uint16_t>(word)};
    }
    std::uint64_t word() const {
        return static_cast<std::uint64_t>(generation) << 32 |
               static_cast<std::uint64_t>(front) << 16 | back;
    }
};

// What `pushed` says.
struct Pushed {
    std::uint16_t count = 0;
    bool failed = false;
};

// The receiver's side of one transfer that it has claimed.
class OfferedTransfer {
   public:
    OfferedTransfer(PairDirection& direction, TransferName name)
        : slot_(&direction.slots[name.slot]), generation_(name.generation) {}

    void open(const Offer& offer) const {
        slot_->address.store(offer.address, std::memory_order_relaxed);
        slot_->offset.store(offer.offset, std::memory_order_relaxed);
        slot_->bytes.store(offer.bytes, std::memory_order_relaxed);
        slot_->slice.store(offer.slice, std::memory_order_relaxed);
        reach(Point::offerWritten);
        // Pairs with the sender's acquire in take().
        slot_->cut.store(Cut{generation_, 0, 0}.word(), std::memory_order_release);
        reach(Point::offerOpen);
    }

    // The next slice from the front, or nothing when all are taken.
    std::optional<std::uint64_t> take(std::uint64_t slices) const {
        std::uint64_t word = slot_->cut.load(std::memory_order_relaxed);
        for (;;) {
            const Cut cut = Cut::of(word);
            if (cut.front + cut.back >= static_cast<int>(slices)) return std::nullopt;
            Cut next = cut;
            ++next.front;
            if (slot_->cut.compare_exchange_weak(word, next.word(), std::memory_order_acq_rel,
                                                 std::memory_order_relaxed)) {
                reach(Point::frontTaken);
                return cut.front;
            }
        }
    }

    // Takes all that is left, so that the sender gets no more.
    void close(std::uint64_t slices) const {
        std::uint64_t word = slot_->cut.load(std::memory_order_relaxed);
        Cut next;
        do {
            next = Cut::of(word);
            next.front = static_cast<std::uint16_t>(slices - next.back);
        } while (!slot_->cut.compare_exchange_weak(word, next.word(), std::memory_order_acq_rel,
                                                   std::memory_order_relaxed));
    }

    // Slices that the sender has taken; final once none are left.
    std::uint64_t taken() const { return Cut::of(slot_->cut.load(std::memory_order_relaxed)).back; }

    // Acquire, pairs with report(): what was counted has been written. Sequentially consistent for
    // a sleeper's second look.
    Pushed pushed() const {
        const std::uint64_t word = slot_->pushed.load(std::memory_order_seq_cst);
        if (static_cast<std::uint32_t>(word >> 32) != generation_) return {};
        return {static_cast<std::uint16_t>(word), (word >> 16 & 1) != 0};
    }

   private:
    TransferSlot* slot_;
    std::uint32_t generation_;
};

// The sender's side of one transfer that it has published.
class PushableTransfer {
   public:
    PushableTransfer(PairDirection& direction, TransferName name)
        : slot_(&direction.slots[name.slot]), generation_(name.generation) {}

    // The last slice that is left, and where it goes; nothing when none is, or none were offered.
    // `most`: the length of the message, beyond which no part of it can lie.
    std::optional<std::uint64_t> take(Offer& offer, std::uint64_t most) const {
        std::uint64_t word = slot_->cut.load(std::memory_order_acquire);
        if (Cut::of(word).generation != generation_) return std::nullopt;
        offer = {slot_->address.load(std::memory_order_relaxed),
                 slot_->offset.load(std::memory_order_relaxed),
                 slot_->bytes.load(std::memory_order_relaxed),
                 slot_->slice.load(std::memory_order_relaxed)};
        if (offer.slice == 0 || offer.offset > most || offer.bytes > most - offer.offset ||
            offer.slices() > Offer::kMostSlices)
            return std::nullopt;
        const std::uint64_t slices = offer.slices();
        for (;;) {
            const Cut cut = Cut::of(word);
            if (cut.generation != generation_ || cut.front + cut.back >= static_cast<int>(slices))
                return std::nullopt;
            Cut next = cut;
            ++next.back;
            if (slot_->cut.compare_exchange_weak(word, next.word(), std::memory_order_acq_rel,
                                                 std::memory_order_acquire)) {
                reach(Point::backTaken);
                return slices - 1 - cut.back;
            }
        }
    }

    // So many slices are written; `failed`: the one after them is not, and no more will be taken.
    // The caller rings the receiver's doorbell afterwards.
    void report(std::uint16_t count, bool failed) const {
        reach(Point::pushed);
        slot_->pushed.store(static_cast<std::uint64_t>(generation_) << 32 |
                                static_cast<std::uint64_t>(failed) << 16 | count,
                            std::memory_order_seq_cst);
        reach(Point::pushReported);
    }

   private:
    TransferSlot* slot_;
    std::uint32_t generation_;
};

}  // namespace onecopy
