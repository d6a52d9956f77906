#include "core/link/launcher_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/os/packet_socket.h"

namespace onecopy {

namespace {

constexpr int kAnswerMilliseconds = 30'000;

[[noreturn]] void refuse(const std::string& why) { throw BootstrapError(why); }

// The command line of the process that started this one, shortened.
std::string parentCommand() {
    const std::string path = "/proc/" + std::to_string(::getppid()) + "/cmdline";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char line[100];
    const ssize_t got = file ? ::read(file.get(), line, sizeof line) : 0;
    if (got <= 1) return "unknown";
    std::string command(line, static_cast<std::size_t>(got));
    std::replace(command.begin(), command.end(), '\0', ' ');
    const bool cut = command.size() == sizeof line;
    return command.substr(0, command.find_last_not_of(' ') + 1) + (cut ? "…" : "");
}

// The descriptor may have been closed by a program between the launcher and us, and its number may
// belong to something else by now: nothing is read from it or written to it before its inode has
// agreed.
UniqueFd believe(const ControlAddress& address) {
    struct stat info {};
    const bool open = ::fstat(address.fd, &info) == 0;
    if (!open || !S_ISSOCK(info.st_mode) || info.st_ino != address.inode) {
        refuse("the launcher's control socket (descriptor " + std::to_string(address.fd) +
               ") did not reach this " +
               "process: it was closed on the way, most likely by its parent `" + parentCommand() +
               "` (process " + std::to_string(::getppid()) +
               "). Let the launcher start the program directly, for example " +
               "`onecopy run -n 2 app.ts` instead of `onecopy run -n 2 npx tsx app.ts`");
    }
    ::fcntl(address.fd, F_SETFD, FD_CLOEXEC);
    return UniqueFd(address.fd);
}

bool waitReadable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    for (;;) {
        const int ready = ::poll(&entry, 1, kAnswerMilliseconds);
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

template <typename Message>
bool readAs(std::span<const std::byte> bytes, Message& message,
            std::size_t least = sizeof(Message)) {
    if (bytes.size() < least) return false;
    std::memcpy(&message, bytes.data(), std::min(bytes.size(), sizeof message));
    return true;
}

ControlKind kindOf(std::span<const std::byte> bytes) {
    ControlKind kind{};
    if (bytes.size() >= sizeof kind) std::memcpy(&kind, bytes.data(), sizeof kind);
    return kind;
}

}  // namespace

LauncherLink::LauncherLink(const ControlAddress& address) : socket_(believe(address)) {
    HelloMessage hello;
    hello.jobId = address.jobId;
    hello.pid = ::getpid();
    send(&hello, sizeof hello);

    std::array<std::byte, kMaxControlBytes> buffer;
    ReceivedPacket packet;
    if (!waitReadable(socket_.get()) ||
        receivePacket(socket_.get(), buffer, packet) != PacketResult::done) {
        refuse("the launcher did not answer: it has probably ended");
    }
    const std::span<const std::byte> bytes(buffer.data(), packet.bytes);
    RejectedMessage rejected{};
    if (kindOf(bytes) == ControlKind::rejected &&
        readAs(bytes, rejected, offsetof(RejectedMessage, text))) {
        const std::size_t room = packet.bytes - offsetof(RejectedMessage, text);
        refuse(std::string(rejected.text, std::min<std::size_t>(rejected.textBytes, room)));
    }
    WelcomeMessage welcome;
    if (kindOf(bytes) != ControlKind::welcome || !readAs(bytes, welcome) ||
        welcome.magic != kControlMagic || welcome.version != kProtocolVersion ||
        packet.descriptors.size() != kWelcomeDescriptors) {
        refuse("the launcher is of another version of onecopy (protocol " +
               std::to_string(welcome.version) + ", this one speaks " +
               std::to_string(kProtocolVersion) +
               "): use the same installation for the launcher and the program");
    }
    const std::size_t jobBytes = memoryBytes(packet.descriptors[0].get());
    if (welcome.size == 0 || welcome.size > kMaxRanks || welcome.rank >= welcome.size ||
        jobBytes < JobSegment::bytesFor(welcome.size) ||
        memoryBytes(packet.descriptors[1].get()) < kRankSegmentBytes) {
        refuse("the launcher's welcome makes no sense");
    }
    jobMapping_ = Mapping(packet.descriptors[0].get(), jobBytes, Mapping::Access::read);
    selfMapping_ =
        Mapping(packet.descriptors[1].get(), kRankSegmentBytes, Mapping::Access::readWrite);
    // From here on this mapping is the only one that can write it.
    sealForOthers(packet.descriptors[1].get());
    doorbell_ = std::move(packet.descriptors[2]);
    rank_ = static_cast<int>(welcome.rank);
    size_ = static_cast<int>(welcome.size);
    if (job().header.magic != kJobMagic || job().header.nonce != welcome.nonce) {
        refuse("the launcher's welcome and its job segment disagree");
    }
    // Yama's mode 1 lets only ancestors attach; this admits the launcher and with it all its
    // descendants, the ranks. Without Yama it fails with EINVAL, and is not needed.
    ::prctl(PR_SET_PTRACER, static_cast<unsigned long>(job().header.settings.launcherPid), 0, 0, 0);
    say(ControlKind::ack);
}

bool LauncherLink::poll(LauncherSink& sink) {
    // Read before the packets: one that arrives behind our back makes the word differ again.
    newsSeen_ = news().load(std::memory_order_seq_cst);
    bool any = false;
    std::array<std::byte, kMaxControlBytes> buffer;
    ReceivedPacket packet;
    for (;;) {
        const PacketResult result = receivePacket(socket_.get(), buffer, packet);
        if (result == PacketResult::truncated) {
            // The kernel dropped descriptors because this process may open no more. The connection
            // they belong to is lost for both ends, which nobody could wait out: the job ends, and
            // says why.
            rlimit limit{};
            ::getrlimit(RLIMIT_NOFILE, &limit);
            abort(1, false,
                  "rank " + std::to_string(rank_) +
                      " has no descriptors left for a connection (limit " +
                      std::to_string(limit.rlim_cur) +
                      "): raise `ulimit -n`, each peer needs some");
            say(ControlKind::ack);
            continue;
        }
        if (result != PacketResult::done) break;
        any = true;
        const std::span<const std::byte> bytes(buffer.data(), packet.bytes);
        PeerMessage peer;
        RefusedMessage refused;
        ContextsMessage contexts;
        if (kindOf(bytes) == ControlKind::peer && readAs(bytes, peer) &&
            packet.descriptors.size() == kPeerDescriptors) {
            say(ControlKind::ack);
            PeerParts parts;
            parts.peer = static_cast<std::int32_t>(peer.peer);
            parts.pid = peer.pid;
            parts.mine = peer.mine;
            parts.theirs = peer.theirs;
            parts.socket = std::move(packet.descriptors[0]);
            parts.segment = std::move(packet.descriptors[1]);
            parts.doorbell = std::move(packet.descriptors[2]);
            parts.rankSegment = std::move(packet.descriptors[3]);
            sink.onPeer(std::move(parts));
        } else if (kindOf(bytes) == ControlKind::refused && readAs(bytes, refused)) {
            sink.onRefused(static_cast<std::int32_t>(refused.peer), refused.state);
        } else if (kindOf(bytes) == ControlKind::contexts && readAs(bytes, contexts)) {
            sink.onContexts(contexts.first, contexts.count);
        }
    }
    return any;
}

void LauncherLink::send(const void* message, std::size_t bytes) {
    for (;;) {
        switch (sendPacket(socket_.get(), message, bytes)) {
            case PacketResult::wouldBlock: {
                pollfd entry{socket_.get(), POLLOUT, 0};
                ::poll(&entry, 1, kAnswerMilliseconds);
                continue;
            }
            default:
                // A launcher that is gone takes its ranks with it (PDEATHSIG): nothing is left to
                // report to.
                return;
        }
    }
}

void LauncherLink::askForPeer(std::int32_t peer) {
    ConnectMessage message;
    message.peer = static_cast<std::uint32_t>(peer);
    send(&message, sizeof message);
}

void LauncherLink::askForContexts(std::uint32_t count) {
    ContextsMessage message;
    message.count = count;
    send(&message, sizeof message);
}

void LauncherLink::say(ControlKind kind) {
    const PlainMessage message{kind};
    send(&message, sizeof message);
}

void LauncherLink::abort(int code, bool uncaught, const std::string& text) {
    AbortMessage message{};
    message.code = code;
    message.uncaught = uncaught ? 1 : 0;
    message.textBytes = static_cast<std::uint32_t>(std::min(text.size(), kMaxControlText));
    std::memcpy(message.text, text.data(), message.textBytes);
    send(&message, offsetof(AbortMessage, text) + message.textBytes);
}

}  // namespace onecopy
