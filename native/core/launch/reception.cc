#include "core/launch/reception.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace onecopy {

namespace {

// A rank that misbehaves all the time is not worth a line each time.
constexpr int kMaxNotes = 32;

ControlKind kindOf(std::span<const std::byte> packet) {
    ControlKind kind{};
    if (packet.size() >= sizeof kind) std::memcpy(&kind, packet.data(), sizeof kind);
    return kind;
}

template <typename Message>
bool isExactly(std::span<const std::byte> packet, Message& message) {
    if (packet.size() != sizeof message) return false;
    std::memcpy(&message, packet.data(), sizeof message);
    return true;
}

// "process 123 (`node`)". The name is from comm: reading the command line could wait for that
// process.
std::string describe(pid_t pid) {
    std::string text = "process " + std::to_string(pid);
    const std::string path = "/proc/" + std::to_string(pid) + "/comm";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char name[64];
    const ssize_t got = file ? ::read(file.get(), name, sizeof name) : 0;
    if (got > 1) text += " (`" + std::string(name, static_cast<std::size_t>(got) - 1) + "`)";
    return text;
}

}  // namespace

Reception::Reception(Roster& roster, Broker& broker, Hooks hooks)
    : roster_(roster), broker_(broker), hooks_(std::move(hooks)), lines_(roster.size()) {}

bool Reception::read(std::size_t rank, std::size_t limit) {
    std::array<std::byte, kMaxControlBytes> buffer;
    ReceivedPacket packet;
    for (std::size_t i = 0; i < limit; ++i) {
        const int socket = roster_.control(rank);
        if (socket < 0) return false;
        switch (receivePacket(socket, buffer, packet)) {
            case PacketResult::done:
                break;
            case PacketResult::wouldBlock:
                return true;
            case PacketResult::truncated:
                breach(rank, "is larger than any that there is");
                return false;
            default:
                return false;
        }
        const Bytes bytes(buffer.data(), packet.bytes);
        if (packet.sender != roster_.pid(rank)) {
            turnAway(rank, bytes, packet.sender);
        } else if (!packet.descriptors.empty()) {
            breach(rank, "carries descriptors");
            return false;
        } else if (!accept(rank, bytes, packet.sender)) {
            breach(rank, "makes no sense");
            return false;
        }
    }
    return true;
}

bool Reception::accept(std::size_t rank, Bytes packet, pid_t sender) {
    const ControlKind kind = kindOf(packet);
    if (kind == ControlKind::hello) return acceptHello(rank, packet, sender);
    if (!broker_.wasWelcomed(rank)) return false;
    if (kind == ControlKind::connect) return acceptConnect(rank, packet);
    if (kind == ControlKind::contexts) return acceptContexts(rank, packet);
    if (kind == ControlKind::abort) return acceptAbort(rank, packet);
    PlainMessage plain{};
    if (!isExactly(packet, plain)) return false;
    switch (kind) {
        case ControlKind::ack:
            broker_.acknowledge(rank);
            return true;
        case ControlKind::leaving:
            acceptState(rank, RankState::leaving);
            return true;
        case ControlKind::left:
            acceptState(rank, RankState::left);
            return true;
        default:
            return false;
    }
}

bool Reception::acceptHello(std::size_t rank, Bytes packet, pid_t sender) {
    // The first words are the same in every version of the protocol.
    struct {
        ControlKind kind;
        std::uint32_t version;
        std::uint64_t magic;
    } start{};
    if (packet.size() < sizeof start) return false;
    std::memcpy(&start, packet.data(), sizeof start);
    if (start.magic != kControlMagic) return false;
    if (start.version != kProtocolVersion) {
        broker_.reject(rank, "the launcher speaks version " + std::to_string(kProtocolVersion) +
                                 " of onecopy's protocol and rank " + std::to_string(rank) +
                                 " version " + std::to_string(start.version) +
                                 ": use the same installation for both");
        return true;
    }
    HelloMessage hello;
    if (!isExactly(packet, hello)) return false;
    if (hello.jobId != roster_.jobId()) {
        broker_.reject(rank,
                       "ONECOPY_JOB names another job than the one that the launcher of rank " +
                           std::to_string(rank) + " runs: leave that variable as it is");
    } else if (hello.pid != sender) {
        broker_.reject(rank, "rank " + std::to_string(rank) + " calls itself process " +
                                 std::to_string(hello.pid) + " and is process " +
                                 std::to_string(sender) +
                                 " for the launcher: both must live in the same pid namespace");
    } else if (!broker_.mayWelcome(rank)) {
        broker_.reject(rank,
                       "rank " + std::to_string(rank) + " (process " + std::to_string(sender) +
                           ") has joined the job already: two copies of onecopy are loaded in it");
    } else {
        broker_.welcome(rank);
    }
    return true;
}

bool Reception::acceptConnect(std::size_t rank, Bytes packet) {
    ConnectMessage message;
    if (!isExactly(packet, message)) return false;
    if (message.peer >= roster_.size() || message.peer == rank) return false;
    broker_.connect(rank, message.peer);
    return true;
}

bool Reception::acceptContexts(std::size_t rank, Bytes packet) {
    ContextsMessage message;
    if (!isExactly(packet, message)) return false;
    if (message.count == 0 || message.count > kMostNewContexts) return false;
    return broker_.giveContexts(rank, message.count);
}

bool Reception::acceptAbort(std::size_t rank, Bytes packet) {
    constexpr std::size_t kHead = offsetof(AbortMessage, text);
    AbortMessage message;
    if (packet.size() < kHead) return false;
    std::memcpy(&message, packet.data(), packet.size());
    if (message.textBytes != packet.size() - kHead) return false;
    if (std::exchange(lines_[rank].aborted, true)) return true;
    hooks_.abort(rank, message.code, message.uncaught != 0,
                 std::string(message.text, message.textBytes));
    return true;
}

void Reception::acceptState(std::size_t rank, RankState state) {
    // Only forwards.
    if (roster_.state(rank) < state) roster_.setState(rank, state);
}

// Another process than the rank holds its end of the socket.
void Reception::turnAway(std::size_t rank, Bytes packet, pid_t sender) {
    const std::string who = sender == 0 ? "a process of another pid namespace" : describe(sender);
    const std::string what = "rank " + std::to_string(rank) + " is " + describe(roster_.pid(rank)) +
                             ", but " + who +
                             " uses onecopy in its name: start the program directly, or with exec";
    note(rank, what);
    // Once the rank itself has joined, an answer would reach the rank instead.
    if (kindOf(packet) == ControlKind::hello && !broker_.wasWelcomed(rank))
        broker_.reject(rank, what);
}

void Reception::breach(std::size_t rank, const std::string& what) {
    const std::string text =
        "rank " + std::to_string(rank) + " sent the launcher a packet that " + what;
    note(rank, text);
    if (!std::exchange(lines_[rank].aborted, true)) hooks_.abort(rank, 1, false, text);
}

void Reception::note(std::size_t rank, const std::string& text) {
    if (++lines_[rank].notes <= kMaxNotes) hooks_.note(text);
}

}  // namespace onecopy
