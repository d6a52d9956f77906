#include "core/datatypes/overlap.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "core/datatypes/walk.h"

namespace onecopy {

namespace {

struct Interval {
    std::int64_t low;
    std::int64_t high;
};

bool apart(std::vector<Interval>& intervals) {
    std::ranges::sort(intervals, {}, &Interval::low);
    for (std::size_t i = 1; i < intervals.size(); ++i) {
        if (intervals[i].low < intervals[i - 1].high) return false;
    }
    return true;
}

// True only if no byte is named twice; false says nothing.
bool clearlyDisjoint(const LayoutPiece& piece) {
    // The order in which nested loops go round does not matter: in the order of their strides, each
    // must step over all that the shorter ones reach.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> loops;
    const LayoutPiece* leaf = &piece;
    while (leaf->node != nullptr && leaf->node->isLoop()) {
        loops.emplace_back(std::abs(leaf->node->stride), leaf->node->count);
        leaf = &leaf->node->child;
    }
    if (leaf->node != nullptr) {
        std::vector<Interval> intervals;
        const LayoutNode* before = nullptr;
        for (const auto& [entry, start] : leaf->node->entries) {
            intervals.push_back({entry.low(), entry.high()});
            if (entry.node != nullptr && entry.node != before && !clearlyDisjoint(entry))
                return false;
            before = entry.node;
        }
        if (!apart(intervals)) return false;
    }
    std::ranges::sort(loops);
    std::uint64_t reach = static_cast<std::uint64_t>(leaf->high() - leaf->low());
    for (const auto& [stride, count] : loops) {
        if (stride < reach) return false;
        reach += stride * (count - 1);
    }
    return true;
}

struct Collector {
    std::vector<Interval> intervals;

    bool run(std::int64_t place, std::uint64_t bytes) {
        intervals.push_back({place, place + static_cast<std::int64_t>(bytes)});
        return true;
    }
    bool runs(std::int64_t place, std::int64_t stride, std::uint64_t bytes, std::uint64_t count) {
        for (; count > 0; --count, place += stride) run(place, bytes);
        return true;
    }
};

}  // namespace

bool overlaps(const LayoutPiece& piece) {
    if (piece.node == nullptr || clearlyDisjoint(piece)) return false;
    if (piece.runs() > kMostComparedRuns) return false;
    Collector found;
    walk(piece, 0, 0, piece.bytes, found);
    return !apart(found.intervals);
}

}  // namespace onecopy
