#include "test/control_client.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "core/os/packet_socket.h"

namespace onecopy::test {

ControlKind ControlPacket::kind() const {
    ControlKind kind{};
    if (bytes.size() >= sizeof kind) std::memcpy(&kind, bytes.data(), sizeof kind);
    return kind;
}

std::string ControlPacket::text() const {
    constexpr std::size_t kHead = offsetof(RejectedMessage, text);
    if (bytes.size() < kHead) return "";
    return std::string(reinterpret_cast<const char*>(bytes.data()) + kHead, bytes.size() - kHead);
}

ControlClient::ControlClient() {
    const char* control = std::getenv("ONECOPY_CONTROL");
    const char* job = std::getenv("ONECOPY_JOB");
    if (control == nullptr || job == nullptr) throw std::runtime_error("not started as a rank");
    socket_ = UniqueFd(std::atoi(control));
    jobId_ = std::strtoull(job, nullptr, 16);
}

HelloMessage ControlClient::greeting() const {
    HelloMessage hello;
    hello.jobId = jobId_;
    hello.pid = ::getpid();
    return hello;
}

bool ControlClient::send(const void* bytes, std::size_t length) {
    for (;;) {
        const PacketResult result = sendPacket(socket_.get(), bytes, length);
        if (result != PacketResult::wouldBlock) return result == PacketResult::done;
        pollfd entry{socket_.get(), POLLOUT, 0};
        if (::poll(&entry, 1, kPatience) != 1) return false;
    }
}

bool ControlClient::connect(std::size_t peer) {
    ConnectMessage message;
    message.peer = static_cast<std::uint32_t>(peer);
    return send(message);
}

bool ControlClient::abort(int code, bool uncaught, const std::string& text) {
    AbortMessage message{};
    message.code = code;
    message.uncaught = uncaught ? 1 : 0;
    message.textBytes = static_cast<std::uint32_t>(text.size());
    std::memcpy(message.text, text.data(), text.size());
    return send(&message, offsetof(AbortMessage, text) + text.size());
}

ControlPacket ControlClient::receive(int milliseconds) {
    pollfd entry{socket_.get(), POLLIN, 0};
    if (::poll(&entry, 1, milliseconds) != 1) return {};
    std::array<std::byte, kMaxControlBytes> buffer;
    ReceivedPacket received;
    if (receivePacket(socket_.get(), buffer, received) != PacketResult::done) return {};
    ControlPacket packet;
    packet.bytes.assign(buffer.begin(), buffer.begin() + static_cast<long>(received.bytes));
    packet.descriptors = std::move(received.descriptors);
    return packet;
}

bool ControlClient::greet() {
    send(greeting());
    welcome_ = receive();
    if (welcome_.kind() != ControlKind::welcome) return false;
    const auto message = welcome_.as<WelcomeMessage>();
    rank_ = message.rank;
    size_ = message.size;
    jobMapping_ = Mapping(jobSegment(), JobSegment::bytesFor(size_), Mapping::Access::read);
    selfMapping_ = Mapping(rankSegment(), kRankSegmentBytes, Mapping::Access::readWrite);
    sealForOthers(rankSegment());
    return true;
}

template <typename Condition>
bool ControlClient::sleepUntil(Condition condition) {
    for (;;) {
        self().armed.store(1, std::memory_order_seq_cst);
        if (condition()) return true;
        pollfd entry{doorbell(), POLLIN, 0};
        if (::poll(&entry, 1, kPatience) != 1) return false;
        self().armed.store(0, std::memory_order_seq_cst);
        std::uint64_t count;
        [[maybe_unused]] const ssize_t got = ::read(doorbell(), &count, sizeof count);
    }
}

bool ControlClient::sleepUntilRung() {
    bool first = true;
    return sleepUntil([&] { return !std::exchange(first, false); });
}

bool ControlClient::waitForState(std::size_t rank, RankState state) {
    return sleepUntil(
        [&] { return job().rank(rank).state.load(std::memory_order_acquire) == state; });
}

bool ControlClient::waitForEnding() {
    return sleepUntil([&] { return job().header.ending.load(std::memory_order_acquire) != 0; });
}

}  // namespace onecopy::test
