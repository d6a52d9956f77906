// The receiver reads the sender's memory as a file: pread(2) on /proc/PID/mem. The kernel asks the
// same permission as for process_vm_readv, and copies each page through one of its own.

#include <fcntl.h>
#include <unistd.h>

#include "core/os/fd.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

class ProcMem : public Mover {
   public:
    std::string_view name() const override { return "proc-mem"; }

    void enter(int, std::span<const pid_t> processes) override {
        processes_ = processes;
        files_.resize(processes.size());
    }

    Progress send(Message& message) override { return offer(message); }

    Progress receive(Message& message) override {
        Lane& lane = *message.lane;
        if (!lane.isSent(message.sequence)) return Progress::waiting;
        const int file = fileOf(static_cast<std::size_t>(message.peer));
        while (message.position < message.bytes) {
            const ssize_t got =
                ::pread(file, message.data + message.position, message.bytes - message.position,
                        static_cast<off_t>(lane.sender.source + message.position));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) throw Refused("pread of /proc/PID/mem", got < 0 ? errno : EFAULT);
            message.position += static_cast<std::uint64_t>(got);
        }
        lane.receive(message.sequence);
        return Progress::done;
    }

   private:
    int fileOf(std::size_t peer) {
        UniqueFd& file = files_[peer];
        if (!file) {
            const std::string path = "/proc/" + std::to_string(processes_[peer]) + "/mem";
            file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
            if (!file) throw Refused("open of /proc/PID/mem", errno);
        }
        return file.get();
    }

    std::span<const pid_t> processes_;
    std::vector<UniqueFd> files_;
};

}  // namespace

std::unique_ptr<Mover> makeProcMem() { return std::make_unique<ProcMem>(); }

}  // namespace onecopy::bench
