#include "core/os/packet_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace onecopy {

namespace {

// The most descriptors that any packet of ours carries.
constexpr std::size_t kMaxDescriptors = 8;

}  // namespace

std::pair<UniqueFd, UniqueFd> makePacketSocketPair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void askForCredentials(int socket) {
    const int on = 1;
    if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
        throw std::system_error(errno, std::generic_category(), "SO_PASSCRED");
    }
}

namespace {

// Makes the call until it is not interrupted, and says what its result means.
template <typename Call>
PacketResult sendWith(Call call) {
    for (;;) {
        if (call() >= 0) return PacketResult::done;
        switch (errno) {
            case EINTR:
                continue;
            case EAGAIN:
            case ENOBUFS:
            case ETOOMANYREFS:
                return PacketResult::wouldBlock;
            case EPIPE:
            case ECONNRESET:
            case ENOTCONN:
                return PacketResult::closed;
            default:
                return PacketResult::failed;
        }
    }
}

template <typename Call>
PacketResult receiveWith(Call call, std::size_t& bytes) {
    for (;;) {
        const ssize_t got = call();
        if (got > 0) {
            bytes = static_cast<std::size_t>(got);
            return PacketResult::done;
        }
        if (got == 0) return PacketResult::closed;
        switch (errno) {
            case EINTR:
            case ECONNRESET:
                // ECONNRESET comes once, ahead of the packets still queued, when the other end was
                // closed with unread packets of ours: the next call returns what is left.
                continue;
            case EAGAIN:
                return PacketResult::wouldBlock;
            case ENOTCONN:
                return PacketResult::closed;
            default:
                return PacketResult::failed;
        }
    }
}

}  // namespace

PacketResult sendPacket(int socket, std::span<const iovec> parts,
                        std::span<const int> descriptors) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
    if (!descriptors.empty()) {
        if (descriptors.size() > kMaxDescriptors) {
            errno = EINVAL;
            return PacketResult::failed;
        }
        std::memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    return sendWith([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

PacketResult sendPacket(int socket, const void* bytes, std::size_t length,
                        std::span<const int> descriptors) {
    const iovec part{const_cast<void*>(bytes), length};
    return sendPacket(socket, std::span(&part, 1), descriptors);
}

PacketResult sendBytes(int socket, std::span<const std::byte> bytes) {
    return sendWith(
        [&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
}

PacketResult receivePacket(int socket, std::span<std::byte> buffer, ReceivedPacket& packet) {
    packet = {};
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) char
        control[CMSG_SPACE(sizeof(int) * kMaxDescriptors) + CMSG_SPACE(sizeof(ucred))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const std::size_t room = message.msg_controllen;
    const auto receive = [&] {
        message.msg_controllen = room;
        return ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    };
    const PacketResult result = receiveWith(receive, packet.bytes);
    if (result != PacketResult::done) return result;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_CREDENTIALS) {
            ucred who{};
            std::memcpy(&who, CMSG_DATA(header), sizeof who);
            packet.sender = who.pid;
        } else if (header->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd;
                std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
                packet.descriptors.emplace_back(fd);
            }
        }
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        packet.descriptors.clear();
        return PacketResult::truncated;
    }
    return PacketResult::done;
}

PacketResult receiveBytes(int socket, std::span<std::byte> buffer, std::size_t& bytes) {
    // MSG_TRUNC: the packet's own length, however much of it fits.
    const auto receive = [&] {
        return ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    };
    const PacketResult result = receiveWith(receive, bytes);
    return result == PacketResult::done && bytes > buffer.size() ? PacketResult::truncated : result;
}

}  // namespace onecopy
