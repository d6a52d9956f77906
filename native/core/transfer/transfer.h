// The transfer state of a large message: who may touch the sender's buffer, decided by one
// compare-and-swap.
//
//   PUBLISHED --receiver--> CLAIMED --receiver--> DONE
//       \-----sender------> WITHDRAWN
//
// The word lies in the pair segment, in the sender's direction. It carries a generation, so that a
// receiver which still holds the descriptor of a withdrawn message cannot claim the next message
// that uses the slot. Once CLAIMED, the sender leaves the buffer alone until DONE, or until the
// receiver is known to be dead. models/transfer.pml is this protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/job/segments.h"
#include "core/os/cache.h"
#include "core/points/point.h"

namespace onecopy {

enum class TransferState : std::uint32_t {
    unused = 0,
    published = 1,
    claimed = 2,
    withdrawn = 3,
    done = 4,
    // Finished without the bytes: the receiver could not take them (its buffer went away, a system
    // call failed).
    failed = 5
};

constexpr std::uint64_t transferWord(std::uint32_t generation, TransferState state) {
    return static_cast<std::uint64_t>(generation) << 32 | static_cast<std::uint32_t>(state);
}
constexpr TransferState stateOf(std::uint64_t word) {
    return static_cast<TransferState>(static_cast<std::uint32_t>(word));
}

constexpr bool isOver(TransferState state) {
    return state == TransferState::done || state == TransferState::failed;
}

struct TransferName {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
};

// Where a large payload lies in its sender.
struct Descriptor {
    TransferName transfer;
    // Of the payload, or of an array of `parts` iovecs when there are several. With no part at all
    // it lies in too many: the sender gathers it, and sends it in pieces when it is asked to.
    std::uint64_t address = 0;
    std::uint64_t parts = 1;
};

// The sender's side: slots of one direction. Only the sender publishes, withdraws and frees.
class OutgoingTransfers {
   public:
    explicit OutgoingTransfers(PairDirection& direction) : direction_(&direction) {}

    // Takes the slot freed last and publishes it; nothing when all are in flight. The descriptor
    // that names it is sent afterwards, so no receiver can look at the word too early.
    std::optional<TransferName> publish() {
        std::uint32_t slot;
        if (!free_.empty()) {
            slot = free_.back();
            free_.pop_back();
        } else if (generations_.size() < kTransferSlots) {
            slot = static_cast<std::uint32_t>(generations_.size());
            generations_.push_back(0);
        } else {
            return std::nullopt;
        }
        const TransferName name{slot, ++generations_[slot]};
        // Release: pairs with the acquire of claim(); the packet that follows orders it anyway.
        word(name).store(transferWord(name.generation, TransferState::published),
                         std::memory_order_release);
        reach(Point::transferNamed);
        return name;
    }

    // Acquire: what the receiver did before it set DONE has happened.
    TransferState look(TransferName name) const {
        return stateOf(word(name).load(std::memory_order_acquire));
    }

    // True: nobody will touch the buffer, the slot is free. False: a receiver was faster; wait for
    // it.
    bool withdraw(TransferName name) {
        std::uint64_t expected = transferWord(name.generation, TransferState::published);
        if (!word(name).compare_exchange_strong(
                expected, transferWord(name.generation, TransferState::withdrawn),
                std::memory_order_acq_rel, std::memory_order_acquire)) {
            return false;
        }
        release(name);
        return true;
    }

    // After DONE, FAILED, or the receiver's death.
    // The next message will use the slot, and its line is in the receiver's cache: fetched now.
    void release(TransferName name) {
        free_.push_back(name.slot);
        prefetchForWriting(&word(name));
    }

   private:
    Shared<std::uint64_t>& word(TransferName name) const {
        return direction_->slots[name.slot].word;
    }

    PairDirection* direction_;
    std::vector<std::uint32_t>
        generations_;  // the sender's own: what a peer writes into the word cannot confuse it
    std::vector<std::uint32_t> free_;
};

// The receiver's side.
class IncomingTransfers {
   public:
    explicit IncomingTransfers(PairDirection& direction) : direction_(&direction) {}

    static bool valid(TransferName name) { return name.slot < kTransferSlots; }

    bool published(TransferName name) const {
        return word(name).load(std::memory_order_acquire) ==
               transferWord(name.generation, TransferState::published);
    }

    // True: the sender's buffer stays as it is until finish(). False: it was withdrawn.
    bool claim(TransferName name) {
        reach(Point::claimDue);
        std::uint64_t expected = transferWord(name.generation, TransferState::published);
        const bool mine = word(name).compare_exchange_strong(
            expected, transferWord(name.generation, TransferState::claimed),
            std::memory_order_acq_rel, std::memory_order_acquire);
        if (mine) reach(Point::claimed);
        return mine;
    }

    // The sender may have its buffer back. The caller rings the sender's doorbell afterwards: the
    // second store is the event, sequentially consistent as the doorbell's protocol demands, and
    // takes the first one with it.
    void finish(TransferName name, TransferState outcome) {
        word(name).store(transferWord(name.generation, outcome), std::memory_order_release);
        reach(Point::transferOver);
        direction_->finished.store(++finished_, std::memory_order_seq_cst);
        reach(Point::transferCounted);
    }

   private:
    Shared<std::uint64_t>& word(TransferName name) const {
        return direction_->slots[name.slot].word;
    }

    PairDirection* direction_;
    std::uint64_t finished_ = 0;
};

}  // namespace onecopy
