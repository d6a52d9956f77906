// The launcher's side of the shared memory, and its end of every rank's line: what it tells the
// ranks, and how it wakes them. Before the watch thread starts the starting thread uses it,
// afterwards the watch thread alone.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/job/segments.h"
#include "core/os/fd.h"
#include "core/os/memory.h"

namespace onecopy {

class Roster {
   public:
    // Makes the job segment; nobody else can map it for writing. Throws std::system_error.
    explicit Roster(const JobSettings& settings);

    // What a rank is born with. Its own end of the control socket is the caller's to hand over and
    // close. Throws std::system_error.
    UniqueFd addRank();

    std::uint64_t jobId() const { return jobId_; }
    std::uint64_t nonce() const { return header().nonce; }
    std::size_t size() const { return ranks_.size(); }
    const JobHeader& header() const { return segment_.as<const JobSegment>()->header; }

    int jobSegment() const { return segmentFd_.get(); }
    int control(std::size_t rank) const { return ranks_[rank].control.get(); }
    int doorbell(std::size_t rank) const { return ranks_[rank].doorbell.get(); }
    int rankSegment(std::size_t rank) const { return ranks_[rank].segmentFd.get(); }
    // Nothing is heard from this rank any more, and nothing can be told to it.
    void closeControl(std::size_t rank) { ranks_[rank].control.reset(); }

    pid_t pid(std::size_t rank) const;
    void setPid(std::size_t rank, pid_t pid);

    RankState state(std::size_t rank) const;
    static bool isGone(RankState state) {
        return state == RankState::left || state == RankState::dead;
    }
    // Tells everybody.
    void setState(std::size_t rank, RankState state);
    // Tells everybody that the job is ending, and who is to blame (-1: nobody).
    void setEnding(int culprit);

    // A packet lies on this rank's control socket.
    void announceNews(std::size_t rank);

   private:
    struct Entry {
        UniqueFd control;
        UniqueFd doorbell;
        UniqueFd segmentFd;
        Mapping segment;  // for reading; what stands there is the rank's word and may be anything
    };

    JobSegment& segment() { return *segment_.as<JobSegment>(); }
    void announceChange();
    void ring(std::size_t rank);

    std::uint64_t jobId_;
    UniqueFd segmentFd_;
    Mapping segment_;
    std::vector<Entry> ranks_;
};

}  // namespace onecopy
