// What wakes a sleeping rank.
//
// The owner: armed = 1; look at every event word once more; sleep (epoll) until the eventfd is
// written, empty it; armed = 0; look. A ring between those last steps only makes the next sleep end
// at once. A peer: store the event word; look at armed; write the eventfd if it is 1. All four
// accesses are sequentially consistent: either the owner's second look sees the event or the peer
// sees the flag (x86-64: the owner's store of `armed` is an xchg). models/doorbell.pml is this
// protocol.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "core/job/segments.h"
#include "core/os/fd.h"

namespace onecopy {

// Writes an eventfd; its counter cannot overflow in practice, and a full one wakes as well.
inline void writeEvent(int fd) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

inline void drainEvent(int fd) {
    std::uint64_t count;
    [[maybe_unused]] const ssize_t read = ::read(fd, &count, sizeof count);
}

// The owner's side.
class Doorbell {
   public:
    Doorbell() = default;
    Doorbell(UniqueFd event, RankSegment& segment)
        : event_(std::move(event)), armed_(&segment.armed) {}

    int fd() const { return event_.get(); }
    void arm() { armed_->store(1, std::memory_order_seq_cst); }
    void disarm() { armed_->store(0, std::memory_order_seq_cst); }
    // After the sleeper has seen it readable.
    void drain() { drainEvent(event_.get()); }

   private:
    UniqueFd event_;
    Shared<std::uint32_t>* armed_ = nullptr;
};

// A peer's side; ring() comes after the event's sequentially consistent store.
class PeerDoorbell {
   public:
    PeerDoorbell() = default;
    PeerDoorbell(UniqueFd event, const RankSegment& segment)
        : event_(std::move(event)), armed_(&segment.armed) {}

    // True if a system call was paid.
    bool ring() const {
        if (armed_->load(std::memory_order_seq_cst) == 0) return false;
        writeEvent(event_.get());
        return true;
    }

   private:
    UniqueFd event_;
    const Shared<std::uint32_t>* armed_ = nullptr;
};

}  // namespace onecopy
