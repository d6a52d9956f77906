#include "core/launch/roster.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

#include "core/launch/random.h"
#include "core/os/packet_socket.h"

namespace onecopy {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// Wakes the owner of a doorbell, if the owner left room. The file description is shared with the
// rank, which may have made it blocking and filled it: a plain write would then stop the launcher.
void wake(int doorbell) {
    pollfd entry{doorbell, POLLOUT, 0};
    if (::poll(&entry, 1, 0) != 1) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(doorbell, &one, sizeof one);
}

}  // namespace

Roster::Roster(const JobSettings& settings) : jobId_(randomNumber()) {
    const std::size_t bytes = JobSegment::bytesFor(settings.size);
    segmentFd_ = makeMemory("onecopy-job", bytes);
    segment_ = Mapping(segmentFd_.get(), bytes, Mapping::Access::readWrite);
    sealForOthers(segmentFd_.get());
    JobHeader& header = *new (segment_.as<void>()) JobHeader{};
    header.magic = kJobMagic;
    header.version = kProtocolVersion;
    header.headerBytes = sizeof(JobHeader);
    header.nonce = randomNumber();
    header.settings = settings;
    header.culprit.store(-1, std::memory_order_relaxed);
    for (std::size_t rank = 0; rank < settings.size; ++rank) new (&segment().rank(rank)) RankLine{};
    ranks_.reserve(settings.size);
}

UniqueFd Roster::addRank() {
    Entry entry;
    auto [ours, theirs] = makePacketSocketPair();
    askForCredentials(ours.get());
    entry.control = std::move(ours);
    entry.doorbell = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!entry.doorbell) fail("eventfd");
    entry.segmentFd = makeMemory("onecopy-rank", kRankSegmentBytes);
    // So that a peer can check what it was given before this rank has run for the first time.
    RankSegment start{};
    start.magic = kRankMagic;
    start.version = kProtocolVersion;
    start.rank = static_cast<std::uint32_t>(ranks_.size());
    constexpr std::size_t kNamed = offsetof(RankSegment, rank) + sizeof start.rank;
    if (::pwrite(entry.segmentFd.get(), &start, kNamed, 0) != static_cast<ssize_t>(kNamed)) {
        fail("pwrite");
    }
    sealSize(entry.segmentFd.get());
    entry.segment = Mapping(entry.segmentFd.get(), kRankSegmentBytes, Mapping::Access::read);
    ranks_.push_back(std::move(entry));
    return std::move(theirs);
}

pid_t Roster::pid(std::size_t rank) const {
    return segment_.as<const JobSegment>()->rank(rank).pid.load(std::memory_order_relaxed);
}

void Roster::setPid(std::size_t rank, pid_t pid) {
    // Relaxed: ranks come to the segment through the welcome, which is sent later.
    segment().rank(rank).pid.store(pid, std::memory_order_relaxed);
}

RankState Roster::state(std::size_t rank) const {
    // Relaxed: the launcher is the only writer.
    return segment_.as<const JobSegment>()->rank(rank).state.load(std::memory_order_relaxed);
}

void Roster::setState(std::size_t rank, RankState state) {
    // Release, with the acquire of whoever reads a state after it saw `changes` move.
    segment().rank(rank).state.store(state, std::memory_order_release);
    announceChange();
}

void Roster::setEnding(int culprit) {
    JobHeader& header = segment().header;
    header.culprit.store(culprit, std::memory_order_relaxed);
    // Release: whoever sees that the job is ending also sees the culprit.
    header.ending.store(1, std::memory_order_release);
    announceChange();
}

void Roster::announceNews(std::size_t rank) {
    // Sequentially consistent, as is the load of `armed` in ring(): see RankSegment::armed.
    segment().rank(rank).news.fetch_add(1, std::memory_order_seq_cst);
    ring(rank);
}

void Roster::announceChange() {
    segment().header.changes.fetch_add(1, std::memory_order_seq_cst);
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        // A rank that has left may still sleep in its exit; only the dead need no bell.
        if (state(rank) != RankState::dead) ring(rank);
    }
}

void Roster::ring(std::size_t rank) {
    const auto& armed = ranks_[rank].segment.as<const RankSegment>()->armed;
    if (armed.load(std::memory_order_seq_cst) != 0) wake(ranks_[rank].doorbell.get());
}

}  // namespace onecopy
