// Goes through the runs of a layout, in the order in which their bytes travel.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/datatypes/layout.h"

namespace onecopy {

// Shows the visitor bytes [from, to) of the piece's data, as
//   bool run(std::int64_t place, std::uint64_t bytes)
//   bool runs(std::int64_t place, std::int64_t stride, std::uint64_t bytes, std::uint64_t count)
// and stops where one of them returns false.
template <typename Visitor>
bool walk(const LayoutPiece& piece, std::int64_t at, std::uint64_t from, std::uint64_t to,
          Visitor& visit) {
    const std::int64_t place = at + piece.offset;
    if (piece.node == nullptr) return visit.run(place + static_cast<std::int64_t>(from), to - from);
    const LayoutNode& node = *piece.node;
    if (node.isLoop()) {
        const LayoutPiece& child = node.child;
        const auto placeOf = [&](std::uint64_t index) {
            return place + static_cast<std::int64_t>(index) * node.stride;
        };
        std::uint64_t index = from / child.bytes;
        const std::uint64_t skipped = from % child.bytes;
        if (skipped > 0) {
            const std::uint64_t end = std::min(child.bytes, skipped + (to - from));
            if (!walk(child, placeOf(index), skipped, end, visit)) return false;
            from += end - skipped;
            ++index;
        }
        const std::uint64_t whole = (to - from) / child.bytes;
        if (whole > 0 && child.node == nullptr) {
            if (!visit.runs(placeOf(index), node.stride, child.bytes, whole)) return false;
        } else {
            for (std::uint64_t i = 0; i < whole; ++i) {
                if (!walk(child, placeOf(index + i), 0, child.bytes, visit)) return false;
            }
        }
        from += whole * child.bytes;
        return from == to || walk(child, placeOf(index + whole), 0, to - from, visit);
    }
    auto entry = std::upper_bound(
        node.entries.begin(), node.entries.end(), from,
        [](std::uint64_t value, const LayoutEntry& each) { return value < each.start; });
    for (--entry; from < to; ++entry) {
        const std::uint64_t skipped = from - entry->start;
        const std::uint64_t end = std::min(entry->piece.bytes, skipped + (to - from));
        const bool goesOn =
            entry->piece.node == nullptr
                ? visit.run(place + entry->piece.offset + static_cast<std::int64_t>(skipped),
                            end - skipped)
                : walk(entry->piece, place, skipped, end, visit);
        if (!goesOn) return false;
        from += end - skipped;
    }
    return true;
}

}  // namespace onecopy
