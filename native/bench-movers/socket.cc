// Two copies by the kernel: a Unix stream socket.

#include <sys/socket.h>

#include <map>

#include "core/os/fd.h"
#include "mover.h"

namespace onecopy::bench {

namespace {

// The kernel gives what net.core.wmem_max allows.
constexpr int kBufferBytes = 1 << 20;

class Socket : public Mover {
   public:
    std::string_view name() const override { return "socket"; }

    void open(std::span<const Pair> pairs) override {
        for (const Pair& pair : pairs) {
            int ends[2];
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
                throw Refused("socketpair", errno);
            }
            Sockets& sockets = sockets_[pair];
            sockets.out.reset(ends[0]);
            sockets.in.reset(ends[1]);
            ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &kBufferBytes, sizeof kBufferBytes);
            socklen_t length = sizeof bufferBytes_;
            ::getsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bufferBytes_, &length);
        }
    }

    void enter(int self, std::span<const pid_t>) override { self_ = self; }

    Progress send(Message& message) override {
        const int socket = sockets_.at({self_, message.peer}).in.get();
        return after(message,
                     ::send(socket, message.data + message.position,
                            message.bytes - message.position, MSG_NOSIGNAL | MSG_DONTWAIT),
                     "send on a Unix socket");
    }

    Progress receive(Message& message) override {
        const int socket = sockets_.at({message.peer, self_}).out.get();
        return after(message,
                     ::recv(socket, message.data + message.position,
                            message.bytes - message.position, MSG_DONTWAIT),
                     "recv on a Unix socket");
    }

    std::string details() const override {
        return ",\"bufferBytes\":" + std::to_string(bufferBytes_);
    }

   private:
    struct Sockets {
        UniqueFd out;
        UniqueFd in;
    };

    static Progress after(Message& message, ssize_t moved, const char* call) {
        if (moved > 0) {
            message.position += static_cast<std::uint64_t>(moved);
            return message.position == message.bytes ? Progress::done : Progress::moved;
        }
        if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return Progress::waiting;
        throw Refused(call, moved < 0 ? errno : EPIPE);
    }

    int self_ = 0;
    int bufferBytes_ = 0;
    std::map<Pair, Sockets> sockets_;
};

}  // namespace

std::unique_ptr<Mover> makeSocket() { return std::make_unique<Socket>(); }

}  // namespace onecopy::bench
