// A rank's side of the control socket, spelled out by hand so that a test can do it wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/job/control.h"
#include "core/os/fd.h"
#include "core/os/memory.h"

namespace onecopy::test {

// How long a test waits for what must happen; far beyond what it takes.
inline constexpr int kPatience = 10'000;  // milliseconds

// How long a test looks whether something happens that must not.
inline constexpr int kMoment = 50;  // milliseconds

struct ControlPacket {
    std::vector<std::byte> bytes;
    std::vector<UniqueFd> descriptors;

    // ControlKind{0}: nothing came.
    ControlKind kind() const;
    template <typename Message>
    Message as() const {
        Message message{};
        std::memcpy(&message, bytes.data(), std::min(bytes.size(), sizeof message));
        return message;
    }
    // Of a rejection.
    std::string text() const;
};

class ControlClient {
   public:
    // As a rank: the socket that the environment names.
    ControlClient();
    ControlClient(UniqueFd socket, std::uint64_t jobId)
        : socket_(std::move(socket)), jobId_(jobId) {}

    int socket() const { return socket_.get(); }
    HelloMessage greeting() const;
    bool send(const void* bytes, std::size_t length);
    template <typename Message>
    bool send(const Message& message) {
        return send(&message, sizeof message);
    }
    bool say(ControlKind kind) { return send(PlainMessage{kind}); }
    bool connect(std::size_t peer);
    bool abort(int code, bool uncaught, const std::string& text);

    ControlPacket receive(int milliseconds = kPatience);

    // Hello, Welcome and everything that comes with it, but no acknowledgement. False: rejected.
    bool greet();
    // The same with it.
    bool join() { return greet() && say(ControlKind::ack); }

    std::size_t rank() const { return rank_; }
    std::size_t size() const { return size_; }
    const JobSegment& job() const { return *jobMapping_.as<const JobSegment>(); }
    RankSegment& self() const { return *selfMapping_.as<RankSegment>(); }
    int jobSegment() const { return welcome_.descriptors[0].get(); }
    int rankSegment() const { return welcome_.descriptors[1].get(); }
    int doorbell() const { return welcome_.descriptors[2].get(); }
    const ControlPacket& welcome() const { return welcome_; }

    // Sleeps as a rank does until the doorbell rings; false after kPatience.
    bool sleepUntilRung();
    // Sleeps until the job segment says that this rank has this state; false after kPatience.
    bool waitForState(std::size_t rank, RankState state);
    bool waitForEnding();

   private:
    template <typename Condition>
    bool sleepUntil(Condition condition);

    UniqueFd socket_;
    std::uint64_t jobId_ = 0;
    ControlPacket welcome_;
    Mapping jobMapping_;
    Mapping selfMapping_;
    std::size_t rank_ = 0;
    std::size_t size_ = 0;
};

}  // namespace onecopy::test
