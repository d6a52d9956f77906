// The packets between a rank and its launcher, on the rank's control socket (SEQPACKET: one
// message, one packet).
//
// A rank starts with Hello; the launcher answers Welcome or Rejected. Later the rank asks (Connect,
// Leaving, Left, Abort, Contexts) and acknowledges; the launcher brokers (Peer, Refused, Contexts).
// A packet that carries descriptors (Welcome, Peer) must be acknowledged (Ack) before the launcher
// sends this rank the next one: the kernel bounds descriptors in flight per user, and one per rank
// can never reach that bound because of a rank that does not read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/job/segments.h"

namespace onecopy {

enum class ControlKind : std::uint32_t {
    hello = 1,
    welcome = 2,
    rejected = 3,
    connect = 4,
    peer = 5,
    refused = 6,
    ack = 7,
    leaving = 8,
    left = 9,
    abort = 10,
    contexts = 11
};

inline constexpr std::uint64_t kControlMagic = 0x316c727479706331;
inline constexpr std::size_t kMaxControlText = 4096;

// rank -> launcher. The pid is the kernel's (SCM_CREDENTIALS) as well as the rank's own word; they
// must agree with the process that the launcher spawned.
struct HelloMessage {
    ControlKind kind = ControlKind::hello;
    std::uint32_t version = kProtocolVersion;
    std::uint64_t magic = kControlMagic;
    std::uint64_t jobId = 0;
    std::int32_t pid = 0;
    std::uint32_t reserved = 0;
};

// launcher -> rank; with [job segment, rank segment, doorbell eventfd].
struct WelcomeMessage {
    ControlKind kind = ControlKind::welcome;
    std::uint32_t version = kProtocolVersion;
    std::uint64_t magic = kControlMagic;
    std::uint64_t nonce = 0;  // equals JobHeader::nonce
    std::uint32_t rank = 0;
    std::uint32_t size = 0;
};
inline constexpr std::size_t kWelcomeDescriptors = 3;

// launcher -> rank: not a process of this job, or another version; the text is for a person.
struct RejectedMessage {
    ControlKind kind = ControlKind::rejected;
    std::uint32_t version = kProtocolVersion;
    std::uint32_t textBytes = 0;
    char text[kMaxControlText];  // only textBytes of it are sent
};

// rank -> launcher: make me a pair with this rank, or tell me that none can be.
struct ConnectMessage {
    ControlKind kind = ControlKind::connect;
    std::uint32_t peer = 0;
};

// launcher -> rank, to both of a pair, once per unordered pair; with [pair socket, pair segment,
// the peer's doorbell eventfd, the peer's rank segment].
struct PeerMessage {
    ControlKind kind = ControlKind::peer;
    std::uint32_t peer = 0;
    std::int32_t pid = 0;  // the peer's
    std::uint32_t reserved = 0;
    std::uint64_t mine = 0;    // the nonce that the peer must find in my private memory
    std::uint64_t theirs = 0;  // the nonce that I must find in the peer's
};
inline constexpr std::size_t kPeerDescriptors = 4;

// launcher -> rank: the peer has left or died, and no pair with it was ever made.
struct RefusedMessage {
    ControlKind kind = ControlKind::refused;
    std::uint32_t peer = 0;
    RankState state = RankState::left;
};

// Both ways. rank -> launcher: so many ids of contexts that no communicator of this job has had. A
// rank asks for no more before it has the answer, in which `first` is the first of them, or 0 when
// there are not so many left.
struct ContextsMessage {
    ControlKind kind = ControlKind::contexts;
    std::uint32_t count = 0;
    std::uint32_t first = 0;
    std::uint32_t reserved = 0;
};
// Of the communicators that exist from the start: three of each, see CONTEXTS in
// packages/runtime/src/membership.ts.
inline constexpr std::uint32_t kFirstNewContext = 6;
// At once: no call makes more communicators than there are ranks.
inline constexpr std::uint32_t kMostNewContexts = 3 * kMaxRanks;

// rank -> launcher: kinds ack, leaving and left.
struct PlainMessage {
    ControlKind kind;
};

// rank -> launcher: end the job with this code (abort() or an uncaught error, which the text
// describes).
struct AbortMessage {
    ControlKind kind = ControlKind::abort;
    std::int32_t code = 1;
    std::uint32_t uncaught = 0;  // 1: an error that nobody caught
    std::uint32_t textBytes = 0;
    char text[kMaxControlText];  // only textBytes of it are sent
};

inline constexpr std::size_t kMaxControlBytes = sizeof(AbortMessage);

}  // namespace onecopy
