#include "core/engine/closed_contexts.h"

#include <iterator>

namespace onecopy {

void ClosedContexts::add(ContextRange range) {
    if (range.count == 0) return;
    std::uint64_t first = range.first;
    std::uint64_t end = first + range.count;
    auto next = ranges_.upper_bound(first);
    if (next != ranges_.begin()) {
        const auto before = std::prev(next);
        if (before->second >= first) {
            first = before->first;
            end = before->second > end ? before->second : end;
            ranges_.erase(before);
        }
    }
    while (next != ranges_.end() && next->first <= end) {
        if (next->second > end) end = next->second;
        next = ranges_.erase(next);
    }
    ranges_.emplace(first, end);
    if (ranges_.size() > kMostRanges) ranges_.erase(ranges_.begin());
}

bool ClosedContexts::contains(std::uint32_t context) const {
    const auto next = ranges_.upper_bound(context);
    return next != ranges_.begin() && std::prev(next)->second > context;
}

}  // namespace onecopy
