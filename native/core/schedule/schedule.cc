#include "core/schedule/schedule.h"

#include <map>
#include <stdexcept>

namespace onecopy {

namespace {

// A schedule for so many ranks and steps has no use; larger numbers are a mistake.
constexpr std::int32_t kMost = 1 << 24;

class Reader {
   public:
    explicit Reader(std::span<const std::int32_t> program) : program_(program) {}

    // The next number, which is from 0 up to `limit`, exclusively.
    std::int32_t next(std::int64_t limit, const char* what) {
        const std::int32_t value = raw();
        if (value < 0 || value >= limit) {
            throw std::invalid_argument(std::string("schedule: ") + what + " " +
                                        std::to_string(value) + " is not below " +
                                        std::to_string(limit));
        }
        return value;
    }
    std::uint32_t index(std::int64_t limit, const char* what) {
        return static_cast<std::uint32_t>(next(limit, what));
    }
    bool atEnd() const { return at_ == program_.size(); }

   private:
    std::int32_t raw() {
        if (at_ >= program_.size()) throw std::invalid_argument("schedule: it is too short");
        return program_[at_++];
    }

    std::span<const std::int32_t> program_;
    std::size_t at_ = 0;
};

bool isIncoming(StepKind kind) {
    return kind == StepKind::recv || kind == StepKind::recvReduce || kind == StepKind::accept;
}
bool isOutgoing(StepKind kind) { return kind == StepKind::send || kind == StepKind::expose; }
bool pulls(StepKind kind) { return kind == StepKind::pull || kind == StepKind::pullReduce; }
bool reduces(StepKind kind) {
    return kind == StepKind::recvReduce || kind == StepKind::pullReduce || kind == StepKind::reduce;
}
bool namesPeer(StepKind kind) {
    return isIncoming(kind) || isOutgoing(kind) || kind == StepKind::await ||
           kind == StepKind::copyOut;
}
bool hasFrom(StepKind kind) {
    switch (kind) {
        case StepKind::recv:
        case StepKind::recvReduce:
        case StepKind::publish:
        case StepKind::await:
        case StepKind::copyOut:
        case StepKind::join:
            return false;
        default:
            return true;
    }
}
bool hasInto(StepKind kind) {
    switch (kind) {
        case StepKind::send:
        case StepKind::expose:
        case StepKind::accept:
        case StepKind::publish:
        case StepKind::await:
        case StepKind::copyIn:
        case StepKind::join:
            return false;
        default:
            return true;
    }
}

Region readRegion(Reader& in, Schedule& schedule) {
    Region region;
    region.buffer = in.index(static_cast<std::int64_t>(schedule.buffers.size()), "buffer");
    const std::int64_t blocks = schedule.buffers[region.buffer].blocks;
    region.firstRange = static_cast<std::uint32_t>(schedule.ranges.size());
    region.ranges = in.index(kMost, "number of ranges");
    for (std::uint32_t i = 0; i < region.ranges; ++i) {
        BlockRange range;
        range.first = in.index(blocks + 1, "block");
        range.blocks = in.index(blocks - range.first + 1, "number of blocks");
        schedule.ranges.push_back(range);
    }
    return region;
}

}  // namespace

std::shared_ptr<const Schedule> Schedule::parse(std::span<const std::int32_t> program) {
    Reader in(program);
    auto schedule = std::make_shared<Schedule>();
    schedule->size = in.next(kMost, "size");
    schedule->rank = in.next(schedule->size, "rank");
    // A word of the collective area has 16 bits for it.
    schedule->publishes = in.index(1 << 16, "number of publishes");

    const std::uint32_t buffers = in.index(kMost, "number of buffers");
    if (buffers < 2) throw std::invalid_argument("schedule: it lacks its two buffers");
    for (std::uint32_t i = 0; i < buffers; ++i) {
        BufferShape shape;
        shape.layout = static_cast<LayoutKind>(in.next(4, "layout"));
        shape.blocks = in.index(kMost, "number of blocks");
        shape.counts = in.index(buffers, "buffer of lengths");
        shape.like = in.index(3, "kind of element");
        const bool scratch = i > kOut;
        const bool own = scratch || shape.like == i;
        const bool counted = shape.layout == LayoutKind::counted;
        if (!own || (counted && !scratch) || (scratch && shape.layout == LayoutKind::listed))
            throw std::invalid_argument("schedule: a buffer has no possible layout");
        schedule->buffers.push_back(shape);
    }
    for (const BufferShape& shape : schedule->buffers) {
        if (shape.layout != LayoutKind::counted) continue;
        const BufferShape& lengths = schedule->buffers[shape.counts];
        if (shape.counts <= kOut || lengths.like != kLengths ||
            lengths.layout != LayoutKind::even || lengths.blocks < shape.blocks)
            throw std::invalid_argument("schedule: a buffer's lengths are not there");
    }

    const std::uint32_t steps = in.index(kMost, "number of steps");
    std::vector<std::vector<std::uint32_t>> successors(steps);
    // The last message so far, by peer and direction.
    std::map<std::pair<std::int32_t, bool>, std::uint32_t> lastMessage;
    for (std::uint32_t id = 0; id < steps; ++id) {
        Step step;
        step.kind = static_cast<StepKind>(in.next(kStepKinds, "kind of step"));
        if (namesPeer(step.kind)) {
            step.peer = in.next(schedule->size, "peer");
            if (step.peer == schedule->rank)
                throw std::invalid_argument("schedule: a step names its own rank");
        }
        schedule->usesArea |= step.kind == StepKind::publish || step.kind == StepKind::await ||
                              step.kind == StepKind::copyIn || step.kind == StepKind::copyOut;
        if (step.kind == StepKind::await) step.exposure = in.index(kMost, "count");
        if (pulls(step.kind)) {
            step.exposure = in.index(id, "exposure");
            Step& accept = schedule->steps[step.exposure];
            if (accept.kind != StepKind::accept)
                throw std::invalid_argument("schedule: a pull names no accept step");
            ++accept.pulls;
            step.peer = accept.peer;
        }
        if (hasFrom(step.kind)) step.from = readRegion(in, *schedule);
        if (reduces(step.kind)) {
            step.incoming = static_cast<Side>(in.next(2, "side"));
            step.own = readRegion(in, *schedule);
        }
        if (hasInto(step.kind)) step.into = readRegion(in, *schedule);
        if (step.kind == StepKind::measure && schedule->buffers[step.into.buffer].like != kLengths)
            throw std::invalid_argument("schedule: lengths are written where none belong");

        const std::uint32_t after = in.index(id + 1, "number of predecessors");
        for (std::uint32_t i = 0; i < after; ++i)
            successors[in.index(id, "predecessor")].push_back(id);
        step.waits = after;
        if (isIncoming(step.kind) || isOutgoing(step.kind)) {
            const auto key = std::pair(step.peer, isOutgoing(step.kind));
            if (const auto last = lastMessage.find(key); last != lastMessage.end()) {
                schedule->steps[last->second].follower = static_cast<std::int32_t>(id);
                ++step.waits;
            }
            lastMessage[key] = id;
        }
        if (isIncoming(step.kind) || isOutgoing(step.kind) || pulls(step.kind))
            step.request = static_cast<std::int32_t>(schedule->requests++);
        if (step.waits == 0) schedule->first.push_back(id);
        schedule->steps.push_back(step);
    }
    if (!in.atEnd()) throw std::invalid_argument("schedule: it is too long");

    for (std::uint32_t id = 0; id < steps; ++id) {
        Step& step = schedule->steps[id];
        step.firstSuccessor = static_cast<std::uint32_t>(schedule->successors.size());
        step.successors = static_cast<std::uint32_t>(successors[id].size());
        schedule->successors.insert(schedule->successors.end(), successors[id].begin(),
                                    successors[id].end());
    }
    return schedule;
}

}  // namespace onecopy
