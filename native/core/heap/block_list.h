// Which parts of an address range are free: first fit, neighbours joined again.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace onecopy {

class BlockList {
   public:
    explicit BlockList(std::uint64_t bytes) : bytes_(bytes) { free_.emplace(0, bytes); }

    bool allFree() const { return free_.size() == 1 && free_.begin()->second == bytes_; }

    // The lowest place with room; `alignment` is a power of two.
    std::optional<std::uint64_t> take(std::uint64_t bytes, std::uint64_t alignment) {
        for (auto extent = free_.begin(); extent != free_.end(); ++extent) {
            const std::uint64_t start = extent->first;
            const std::uint64_t end = start + extent->second;
            const std::uint64_t place = (start + alignment - 1) & ~(alignment - 1);
            if (place > end || end - place < bytes) continue;
            // The new entry first: it may fail for want of memory.
            if (place + bytes < end) free_.emplace(place + bytes, end - place - bytes);
            if (place > start) {
                extent->second = place - start;
            } else {
                free_.erase(extent);
            }
            return place;
        }
        return std::nullopt;
    }

    void give(std::uint64_t place, std::uint64_t bytes) {
        auto next = free_.lower_bound(place);
        if (next != free_.begin()) {
            const auto before = std::prev(next);
            if (before->first + before->second == place) {
                before->second += bytes;
                if (next != free_.end() && place + bytes == next->first) {
                    before->second += next->second;
                    free_.erase(next);
                }
                return;
            }
        }
        if (next != free_.end() && place + bytes == next->first) {
            // The same entry under its new beginning: nothing is allocated.
            auto node = free_.extract(next);
            node.key() = place;
            node.mapped() += bytes;
            free_.insert(std::move(node));
            return;
        }
        free_.emplace(place, bytes);
    }

   private:
    std::uint64_t bytes_;
    std::map<std::uint64_t, std::uint64_t> free_;  // beginning -> length
};

}  // namespace onecopy
