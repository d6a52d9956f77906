// One copy, by the receiver: process_vm_readv(2).

#include "core/movers/cma.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

class CmaRead : public Mover {
   public:
    std::string_view name() const override { return "cma-read"; }

    void enter(int, std::span<const pid_t> processes) override { processes_ = processes; }

    Progress send(Message& message) override { return offer(message); }

    Progress receive(Message& message) override {
        Lane& lane = *message.lane;
        if (!lane.isSent(message.sequence)) return Progress::waiting;
        const iovec here{message.data, message.bytes};
        const iovec there{reinterpret_cast<void*>(lane.sender.source), message.bytes};
        IoCursor local({&here, 1});
        IoCursor remote({&there, 1});
        const auto peer = static_cast<std::size_t>(message.peer);
        const CmaResult result = cmaRead(processes_[peer], local, remote, message.bytes);
        if (result.errnum != 0) throw Refused("process_vm_readv", result.errnum);
        lane.receive(message.sequence);
        return Progress::done;
    }

   private:
    std::span<const pid_t> processes_;
};

}  // namespace

std::unique_ptr<Mover> makeCmaRead() { return std::make_unique<CmaRead>(); }

}  // namespace onecopy::bench
