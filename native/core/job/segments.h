// Everything that processes of a job share through memory, defined once. For each word: who writes
// it, who reads it.
//
// All of it lies in memfds without a name. Words that two processes use are lock-free atomics; a
// line (64 bytes) has a single writer, unless it says otherwise. What is read from here is copied
// once and then checked: another process may change it at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace onecopy {

inline constexpr std::uint32_t kProtocolVersion = 3;
inline constexpr std::size_t kLine = 64;
inline constexpr std::size_t kMaxRanks = 4096;

template <typename T>
using Shared = std::atomic<T>;
static_assert(Shared<std::uint64_t>::is_always_lock_free &&
              Shared<std::uint32_t>::is_always_lock_free);

// ----------------------------------------------------------------------------------------------
// the job segment Written by the launcher alone; every rank maps it for reading.

enum class RankState : std::uint32_t {
    running = 0,
    leaving = 1,  // asked to leave: its outstanding sends are still being completed
    left = 2,     // everything it owed is done
    dead = 3      // ended without leaving
};

enum class ChannelKind : std::uint32_t { socket = 0, ring = 1 };

// May payloads be pulled straight from the sender? `denied` makes every pair use the staged path
// (for tests).
enum class PullPolicy : std::uint32_t { probe = 0, denied = 1 };

// Fixed before the first rank starts.
struct JobSettings {
    std::uint32_t size;   // ranks
    std::uint32_t cores;  // that this job may use: affinity mask and cgroup quota
    std::uint64_t eagerLimit;
    ChannelKind channel;
    PullPolicy pull;
    std::int32_t launcherPid;
    std::uint32_t ringBytes;        // of each direction of a pair; 0 on the socket channel
    std::uint64_t spinNanoseconds;  // how long a waiter spins before it yields
};

struct JobHeader {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t headerBytes;
    std::uint64_t nonce;  // of this job; also in the launcher's welcome
    alignas(kLine) JobSettings settings;
    // Bumped after every change of a rank's state and when the job begins to end. Ranks compare it
    // with what they saw.
    alignas(kLine) Shared<std::uint32_t> changes;
    // Not 0: the job is ending; what blocks must come back.
    Shared<std::uint32_t> ending;
    // The rank whose failure ends the job, or -1 (a signal, a time limit).
    Shared<std::int32_t> culprit;
};

struct RankLine {
    alignas(kLine) Shared<RankState> state;
    Shared<std::int32_t> pid;    // as the launcher spawned it
    Shared<std::uint32_t> news;  // bumped after a packet was put on this rank's control socket
};

inline constexpr std::uint64_t kJobMagic = 0x31626f6a79706331;  // "1cpyjob1"

struct JobSegment {
    JobHeader header;
    RankLine ranks[1];  // header.settings.size of them

    static constexpr std::size_t bytesFor(std::size_t size) {
        return (sizeof(JobHeader) + size * sizeof(RankLine) + 4095) / 4096 * 4096;
    }
    const RankLine& rank(std::size_t index) const { return *(&ranks[0] + index); }
    RankLine& rank(std::size_t index) { return *(&ranks[0] + index); }
};

// --------------------------------------------------------------------------------------------- the
// rank segment Written by its rank alone, mapped for reading by the launcher and by each peer that
// talks to it.

enum class Operation : std::uint32_t {
    none = 0,
    send = 1,
    recv = 2,
    probe = 3,
    wait = 4,   // for requests started earlier
    leave = 5,  // completing what is outstanding before the process exits
    connect = 6,
    contexts = 7,    // for the launcher to give out ids of contexts
    collective = 16  // and the number of the operation, see core/schedule/execution.h
};

// What the rank waits for; a seqlock, written only when a wait leaves its spin, cleared when that
// wait ends. Writer: sequence odd, the fields (release), sequence even (release). Reader: sequence
// (acquire), nothing if it is odd, the fields (acquire), sequence again; once more if it has
// changed.
struct WaitLine {
    alignas(kLine) Shared<std::uint32_t> sequence;
    Shared<Operation> operation;
    Shared<std::int32_t> peer;  // -1: any source; -2: several
    Shared<std::int32_t> tag;   // -1: any tag
    Shared<std::uint32_t> context;
    Shared<std::uint32_t> pending;  // requests this rank has outstanding
    Shared<std::uint64_t> bytes;
    Shared<std::uint64_t> since;  // CLOCK_MONOTONIC, ns
    Shared<std::uint64_t> epoch;  // counts waits that left their spin
};

// Statistics; plain single-writer counts, read at any time by anybody.
struct Counters {
    alignas(kLine) Shared<std::uint64_t> sent;  // messages
    Shared<std::uint64_t> received;
    Shared<std::uint64_t> eagerBytes;   // payload that travelled with its envelope (received)
    Shared<std::uint64_t> cmaBytes;     // payload that this rank pulled or pushed
    Shared<std::uint64_t> cmaCalls;     // process_vm_readv and process_vm_writev calls
    Shared<std::uint64_t> stagedBytes;  // payload that came in pieces through the channel
    Shared<std::uint64_t> localBytes;   // payload sent to oneself
    Shared<std::uint64_t> sleeps;       // waits that gave the core back
    alignas(
        kLine) Shared<std::uint64_t> lateWakeups;  // sleeps that only the periodic full look ended
    Shared<std::uint64_t> rings;                   // doorbells rung at others
    Shared<std::uint64_t> unexpected;              // messages that arrived before their receive
    Shared<std::uint64_t> withdrawn;      // transfers taken back before a receiver claimed them
    Shared<std::uint64_t> hugePages;      // made of large buffers that are used again and again
    Shared<std::uint64_t> heapBytes;      // payload that this rank copied from a peer's heap
    Shared<std::uint64_t> heapHugePages;  // that this rank's own heap got
    Shared<std::uint64_t> pushedBytes;    // payload that this rank wrote into its receivers
};

// Where a rank shows the members of a communicator how far it is in a collective operation, and a
// few bytes. A second page of the rank segment, so that whoever is connected can look.
//
// `word` says in which operation the rank is: its number on the communicator (40 bits), what it is
// (8 bits), and how often the rank has published in it (16 bits). 0: never in any. `bytes` and
// `cell` are written before a publish and read by those who have seen it.
struct CollectiveArea {
    alignas(kLine) Shared<std::uint64_t> word;
    Shared<std::uint64_t> bytes;
    alignas(kLine) std::byte cell[4096 - kLine];
};
static_assert(sizeof(CollectiveArea) == 4096);

struct RankSegment {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t rank;
    // The doorbell's flag: 1 while the owner sleeps or is about to. A peer that has stored an event
    // looks at it (both sequentially consistent) and writes the owner's eventfd only if it is set.
    // See waiting/doorbell.h.
    alignas(kLine) Shared<std::uint32_t> armed;
    WaitLine waiting;
    Counters counters;
    // Of the communicator of all ranks.
    alignas(4096) CollectiveArea area;
};

inline constexpr std::uint64_t kRankMagic = 0x316b6e7279706331;
inline constexpr std::size_t kRankSegmentBytes = 8192;
static_assert(sizeof(RankSegment) <= kRankSegmentBytes);

// --------------------------------------------------------------------------------------------- the
// pair segment One per pair of ranks that have talked, mapped for writing by both.

// A large message's transfer state. See transfer/transfer.h for the protocol, and
// transfer/two_sided.h for what follows the word.
struct TransferSlot {
    alignas(kLine) Shared<std::uint64_t> word;
    Shared<std::uint64_t> cut;      // both: which slices are taken, by compare-and-swap
    Shared<std::uint64_t> pushed;   // written by the sender
    Shared<std::uint64_t> address;  // this and the rest: written by the receiver
    Shared<std::uint64_t> offset;
    Shared<std::uint64_t> bytes;
    Shared<std::uint64_t> slice;
};
static_assert(sizeof(TransferSlot) == kLine);

// Large messages in flight from one rank to another at the same time; more wait at the sender. The
// segment is sparse: pages that no transfer has touched cost nothing, and slots are reused before
// new ones.
inline constexpr std::uint32_t kTransferSlots = 1u << 18;

struct PairDirection {
    // Written by the sender: packets put on the socket so far, counted just before each is sent.
    // Only a hint that saves a spinning receiver the system call; a sleeping one is woken by the
    // socket itself.
    alignas(kLine) Shared<std::uint64_t> announced;
    // Written by the receiver: transfers of this direction that it has finished (bumped after the
    // slot's word).
    alignas(kLine) Shared<std::uint64_t> finished;
    // Written by the receiver, on the ring channel: lines that it has taken out so far and given
    // back. See channels/ring/ring_channel.h.
    alignas(kLine) Shared<std::uint64_t> credits;
    TransferSlot slots[kTransferSlots];
};

struct PairSegment {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t reserved;
    // [0]: from the lower rank to the higher; [1]: back.
    PairDirection directions[2];
};

inline constexpr std::uint64_t kPairMagic = 0x3172696170796331;
inline constexpr std::size_t kPairSegmentBytes = (sizeof(PairSegment) + 4095) / 4096 * 4096;

// The rings of both directions lie behind it, in the order of `directions`.
constexpr std::size_t pairBytes(std::size_t ringBytes) { return kPairSegmentBytes + 2 * ringBytes; }

}  // namespace onecopy
