// What the launcher sends to the ranks, and how they get to know each other.
//
// Each rank has a queue of packets. Two things hold it up: before the rank was welcomed only the
// answer to its hello is sent; and of the packets that carry descriptors at most one is
// unacknowledged. A rank that does not read therefore costs the launcher a bounded queue and
// nothing else: at most one welcome or rejection, one Contexts, and per peer one Peer and one
// Refused.
//
// The sockets and the memory of a pair are made when the first of its two Peer packets goes out,
// and the launcher's descriptors are closed when the second has gone (or its rank has): a job in
// which all ranks connect at once needs few.
//
// Everything here runs on the watch thread, and nothing blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/job/control.h"
#include "core/launch/roster.h"
#include "core/os/clock.h"
#include "core/os/fd.h"

namespace onecopy {

class Broker {
   public:
    struct Hooks {
        // A line for whoever wants to know more.
        std::function<void(const std::string&)> note;
        // Start or stop telling the broker, through flush(), when this rank's socket has room
        // again.
        std::function<void(std::size_t rank, bool wanted)> watchRoom;
    };

    Broker(Roster& roster, Hooks hooks, std::uint64_t firstContext = kFirstNewContext);

    // The rank's hello was right: sends Welcome, and whatever waited for it.
    void welcome(std::size_t rank);
    // A process that could not take its welcome (no descriptors left, or too late) may ask again, a
    // few times: nothing has been sent to it that the second answer would contradict. Once the
    // welcome is acknowledged an engine reads this socket, and a second one in the same process
    // would steal its packets.
    bool mayWelcome(std::size_t rank) const {
        return lines_[rank].welcomes == 0 ||
               (lines_[rank].isJoining && lines_[rank].welcomes < kMaxWelcomes);
    }
    bool wasWelcomed(std::size_t rank) const { return lines_[rank].welcomes > 0; }
    // Sends the reason why a hello is not believed.
    void reject(std::size_t rank, const std::string& why);
    // The rank asks for a connection with another one.
    void connect(std::size_t rank, std::size_t peer);
    // The rank asks for ids of contexts. False if it has not had the last answer yet.
    bool giveContexts(std::size_t rank, std::uint32_t count);
    // The rank has taken the descriptors of the last packet.
    void acknowledge(std::size_t rank);
    // Nothing can be sent to this rank any more.
    void drop(std::size_t rank);
    // Sends what can be sent to this rank.
    void flush(std::size_t rank);

    // When retry() wants to be called, or kNever.
    Nanoseconds retryAt() const { return retryAt_; }
    void retry();

   private:
    static constexpr int kMaxWelcomes = 3;

    struct Packet {
        ControlKind kind = ControlKind::welcome;
        std::uint32_t peer = 0;   // for peer and refused
        std::uint32_t first = 0;  // for contexts
        std::uint32_t count = 0;
        std::string text = {};  // for rejected
    };

    // What the launcher has for one rank.
    struct Line {
        std::deque<Packet> queue;
        std::unordered_set<std::uint32_t> refusals;  // that are queued
        int welcomes = 0;
        bool isJoining = false;  // welcomed, and has not acknowledged it
        bool awaitsAck = false;
        bool awaitsRoom = false;
        bool awaitsRetry = false;
        bool dropped = false;
    };

    // A pair whose Peer packets have not both gone out. Index 0 is the lower rank's.
    struct Pair {
        bool made = false;
        bool settled[2] = {false, false};  // the packet has gone, or never will
        UniqueFd ends[2];
        UniqueFd segment;
        std::uint64_t nonces[2] = {0, 0};
    };

    enum class Sent { yes, later, never };

    std::uint64_t keyOf(std::size_t a, std::size_t b) const;
    bool isConnected(std::size_t a, std::size_t b) const;
    bool makePair(Pair& pair);
    void settle(std::size_t rank, std::size_t peer);
    static bool mayGo(const Line& line, const Packet& packet);
    static bool isQueued(const Line& line, ControlKind kind);
    bool isMade(std::size_t rank, const Packet& packet) const;
    bool bringForward(std::size_t rank);
    Sent send(std::size_t rank, const Packet& packet);
    Sent sendPeer(std::size_t rank, std::size_t peer);
    Sent put(std::size_t rank, const void* bytes, std::size_t length, const int* descriptors,
             std::size_t count);
    void retryLater(std::size_t rank);

    Roster& roster_;
    Hooks hooks_;
    std::vector<Line> lines_;
    std::vector<bool> connected_;  // by keyOf
    std::unordered_map<std::uint64_t, Pair> pairs_;
    // 64 bits: one beyond the last id is a number too. None is given out twice, since a message of
    // a communicator that is gone may still be on its way.
    std::uint64_t nextContext_;
    Nanoseconds retryAt_ = kNever;
    bool shortageNoted_ = false;
};

}  // namespace onecopy
