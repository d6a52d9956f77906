// One copy, by both ends at the same time: the receiver pulls slices from the front, the sender
// pushes slices from the back, until they meet. Nobody decides beforehand who does how much, so
// whoever is held up does less.

#include <algorithm>
#include <limits>

#include "core/movers/cma.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

// The slices that nobody has claimed yet: from `front` on, up to `back`, in one word.
//
// Written by both ends, by compare-and-swap, after the sender has set it to {0, all}. Relaxed,
// since it only divides the work: the first value is published by Lane::send, the buffers by send
// and post, and what was moved by finish and receive. If either end dies after a claim, its slice
// is never moved and the other end never hears that it was; here the parent then ends everybody.
struct Slices {
    std::uint32_t front = 0;
    std::uint32_t back = 0;

    explicit Slices(std::uint32_t all) : back(all) {}
    static Slices of(std::uint64_t word) {
        Slices slices(static_cast<std::uint32_t>(word >> 32));
        slices.front = static_cast<std::uint32_t>(word);
        return slices;
    }
    std::uint64_t word() const { return static_cast<std::uint64_t>(back) << 32 | front; }
    bool none() const { return front >= back; }
};

class BothSides : public Mover {
   public:
    explicit BothSides(std::uint64_t slice) : slice_(slice) {}

    std::string_view name() const override { return "both-sides"; }

    void enter(int, std::span<const pid_t> processes) override { processes_ = processes; }

    Progress send(Message& message) override {
        Lane& lane = *message.lane;
        switch (message.stage) {
            case 0: {
                if (!lane.isPosted(message.sequence)) return Progress::waiting;
                const auto all = static_cast<std::uint32_t>((message.bytes + slice_ - 1) / slice_);
                lane.shared.split.store(Slices(all).word(), std::memory_order_relaxed);
                lane.send(message.sequence, message.data);
                message.stage = 1;
                return Progress::moved;
            }
            case 1: {
                std::uint32_t slice = 0;
                if (claim(lane, slice, End::back)) {
                    push(message, slice);
                    return Progress::moved;
                }
                lane.finish(message.sequence);
                message.stage = 2;
                return Progress::moved;
            }
            default:
                return lane.isReceived(message.sequence) ? Progress::done : Progress::waiting;
        }
    }

    Progress receive(Message& message) override {
        Lane& lane = *message.lane;
        switch (message.stage) {
            case 0:
                lane.post(message.sequence, message.data);
                message.stage = 1;
                return Progress::moved;
            case 1: {
                if (!lane.isSent(message.sequence)) return Progress::waiting;
                std::uint32_t slice = 0;
                if (claim(lane, slice, End::front)) {
                    pull(message, slice);
                } else {
                    message.stage = 2;
                }
                return Progress::moved;
            }
            default:
                // The sender may still be pushing its last slice.
                if (!lane.isFinished(message.sequence)) return Progress::waiting;
                lane.receive(message.sequence);
                return Progress::done;
        }
    }

    std::string details() const override { return ",\"slice\":" + std::to_string(slice_); }

   private:
    enum class End { front, back };

    static bool claim(Lane& lane, std::uint32_t& slice, End end) {
        std::uint64_t word = lane.shared.split.load(std::memory_order_relaxed);
        for (;;) {
            Slices slices = Slices::of(word);
            if (slices.none()) return false;
            slice = end == End::front ? slices.front++ : --slices.back;
            if (lane.shared.split.compare_exchange_weak(word, slices.word(),
                                                        std::memory_order_relaxed)) {
                return true;
            }
        }
    }

    void pull(const Message& message, std::uint32_t slice) {
        const Ends ends = cut(message, message.lane->sender.source, slice);
        IoCursor local({&ends.here, 1});
        IoCursor remote({&ends.there, 1});
        const CmaResult result = cmaRead(processOf(message), local, remote, ends.here.iov_len);
        if (result.errnum != 0) throw Refused("process_vm_readv", result.errnum);
    }

    void push(const Message& message, std::uint32_t slice) {
        const Ends ends = cut(message, message.lane->receiver.target, slice);
        IoCursor local({&ends.here, 1});
        IoCursor remote({&ends.there, 1});
        const CmaResult result = cmaWrite(processOf(message), local, remote, ends.here.iov_len);
        if (result.errnum != 0) throw Refused("process_vm_writev", result.errnum);
    }

    struct Ends {
        iovec here;
        iovec there;
    };
    Ends cut(const Message& message, std::uint64_t remote, std::uint32_t slice) const {
        const std::uint64_t offset = slice * slice_;
        const std::uint64_t bytes = std::min(slice_, message.bytes - offset);
        return {{message.data + offset, bytes}, {reinterpret_cast<void*>(remote + offset), bytes}};
    }

    pid_t processOf(const Message& message) const {
        return processes_[static_cast<std::size_t>(message.peer)];
    }

    std::uint64_t slice_;
    std::span<const pid_t> processes_;
};

}  // namespace

std::unique_ptr<Mover> makeBothSides(std::uint64_t slice) {
    return std::make_unique<BothSides>(slice);
}

}  // namespace onecopy::bench
