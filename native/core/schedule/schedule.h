// A collective operation as data: what one rank does, step by step, without counts, addresses or
// types. Made by packages/algorithms (src/schedule.ts says what each step means), compiled to a
// list of numbers by native/src/compile.ts, and read here. Immutable; any number of executions
// share one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/reduction/combiner.h"

namespace onecopy {

// The same order as in native/src/compile.ts.
enum class StepKind : std::uint8_t {
    send = 0,
    recv,
    recvReduce,
    expose,
    accept,
    pull,
    pullReduce,
    copy,
    pack,
    unpack,
    reduce,
    measure,
    publish,
    await,
    copyIn,
    copyOut,
    join
};
inline constexpr std::int32_t kStepKinds = static_cast<std::int32_t>(StepKind::join) + 1;

enum class LayoutKind : std::uint8_t { even = 0, split, listed, counted };

struct BufferShape {
    LayoutKind layout = LayoutKind::even;
    std::uint32_t blocks = 0;
    std::uint32_t counts = 0;  // counted: the buffer of lengths
    // Whose count and element type hold: kIn or kOut; kLengths: 64-bit numbers.
    std::uint32_t like = 0;
};

inline constexpr std::uint32_t kIn = 0;
inline constexpr std::uint32_t kOut = 1;
inline constexpr std::uint32_t kLengths = 2;

struct BlockRange {
    std::uint32_t first = 0;
    std::uint32_t blocks = 0;
};

struct Region {
    std::uint32_t buffer = 0;
    std::uint32_t firstRange = 0;  // in Schedule::ranges
    std::uint32_t ranges = 0;
};

struct Step {
    StepKind kind = StepKind::join;
    Side incoming = Side::left;
    std::int32_t peer = -1;      // rank in the communicator
    std::uint32_t exposure = 0;  // pulls: the accept step. await: how often
    Region from;  // send, expose, copy, reduce, measure...; accept: the shape; pulls: the part
    Region own;   // reductions
    Region into;
    // Steps that must be complete first, and the message of the same peer and direction that must
    // have started.
    std::uint32_t waits = 0;
    std::uint32_t firstSuccessor = 0;  // in Schedule::successors
    std::uint32_t successors = 0;
    std::int32_t follower = -1;  // the next message of the same peer and direction
    std::uint32_t pulls = 0;     // accept: how many steps pull from it
    std::int32_t request = -1;   // which of an execution's requests it uses
};

class Schedule {
   public:
    // Throws std::invalid_argument for numbers that are no schedule: whoever compiled them is
    // wrong.
    static std::shared_ptr<const Schedule> parse(std::span<const std::int32_t> program);

    std::int32_t size = 1;
    std::int32_t rank = 0;
    std::uint32_t publishes = 0;
    bool usesArea = false;
    std::uint32_t requests = 0;  // that an execution needs
    std::vector<BufferShape> buffers;
    std::vector<Step> steps;
    std::vector<BlockRange> ranges;
    std::vector<std::uint32_t> successors;
    std::vector<std::uint32_t> first;  // steps that wait for nothing

    std::span<const BlockRange> rangesOf(const Region& region) const {
        return std::span(ranges).subspan(region.firstRange, region.ranges);
    }
};

}  // namespace onecopy
