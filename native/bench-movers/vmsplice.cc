// One copy through a pipe: the sender puts its pages into it with vmsplice(2), the receiver reads
// them out. The pages are lent, so the sender's buffer is its own again only when all was read.

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/os/fd.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

// What a process without privileges may ask for where nobody changed /proc/sys/fs/pipe-max-size.
constexpr int kPipeBytes = 1 << 20;

class Vmsplice : public Mover {
   public:
    std::string_view name() const override { return "vmsplice"; }

    void open(std::span<const Pair> pairs) override {
        for (const Pair& pair : pairs) {
            int ends[2];
            if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw Refused("pipe2", errno);
            Pipe& pipe = pipes_[pair];
            pipe.out.reset(ends[0]);
            pipe.in.reset(ends[1]);
            // All pipes of a user share a limit: then this one stays smaller.
            ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
            const int bytes = ::fcntl(ends[1], F_GETPIPE_SZ);
            smallest_ = smallest_ == 0 ? bytes : std::min(smallest_, bytes);
        }
    }

    void enter(int self, std::span<const pid_t>) override { self_ = self; }

    Progress send(Message& message) override {
        if (message.position == message.bytes) {
            return message.lane->isReceived(message.sequence) ? Progress::done : Progress::waiting;
        }
        const int pipe = pipes_.at({self_, message.peer}).in.get();
        const iovec rest{message.data + message.position, message.bytes - message.position};
        return after(message, ::vmsplice(pipe, &rest, 1, SPLICE_F_NONBLOCK), "vmsplice");
    }

    Progress receive(Message& message) override {
        const int pipe = pipes_.at({message.peer, self_}).out.get();
        const Progress progress =
            after(message,
                  ::read(pipe, message.data + message.position, message.bytes - message.position),
                  "read of a pipe");
        if (message.position < message.bytes) return progress;
        message.lane->receive(message.sequence);
        return Progress::done;
    }

    std::string details() const override { return ",\"pipeBytes\":" + std::to_string(smallest_); }

   private:
    struct Pipe {
        UniqueFd out;
        UniqueFd in;
    };

    static Progress after(Message& message, ssize_t moved, const char* call) {
        if (moved > 0) {
            message.position += static_cast<std::uint64_t>(moved);
            return Progress::moved;
        }
        if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return Progress::waiting;
        throw Refused(call, moved < 0 ? errno : EPIPE);
    }

    int self_ = 0;
    int smallest_ = 0;
    std::map<Pair, Pipe> pipes_;
};

}  // namespace

std::unique_ptr<Mover> makeVmsplice() { return std::make_unique<Vmsplice>(); }

}  // namespace onecopy::bench
