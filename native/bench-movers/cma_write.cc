// One copy, by the sender: process_vm_writev(2). The receiver only says where it has room, so many
// senders can fill the memory of one receiver at the same time.

#include "core/movers/cma.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

class CmaWrite : public Mover {
   public:
    std::string_view name() const override { return "cma-write"; }

    void enter(int, std::span<const pid_t> processes) override { processes_ = processes; }

    Progress send(Message& message) override {
        Lane& lane = *message.lane;
        if (!lane.isPosted(message.sequence)) return Progress::waiting;
        const iovec here{message.data, message.bytes};
        const iovec there{reinterpret_cast<void*>(lane.receiver.target), message.bytes};
        IoCursor local({&here, 1});
        IoCursor remote({&there, 1});
        const auto peer = static_cast<std::size_t>(message.peer);
        const CmaResult result = cmaWrite(processes_[peer], local, remote, message.bytes);
        if (result.errnum != 0) throw Refused("process_vm_writev", result.errnum);
        lane.finish(message.sequence);
        return Progress::done;
    }

    Progress receive(Message& message) override {
        Lane& lane = *message.lane;
        if (message.stage == 0) {
            lane.post(message.sequence, message.data);
            message.stage = 1;
            return Progress::moved;
        }
        return lane.isFinished(message.sequence) ? Progress::done : Progress::waiting;
    }

   private:
    std::span<const pid_t> processes_;
};

}  // namespace

std::unique_ptr<Mover> makeCmaWrite() { return std::make_unique<CmaWrite>(); }

}  // namespace onecopy::bench
