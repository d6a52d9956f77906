// Which contexts this rank has closed. Their ids come mostly in a row, so a few ranges say it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace onecopy {

struct ContextRange {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

class ClosedContexts {
   public:
    // Where communicators of other ranks lie between, ranges do not grow together. Beyond so many
    // the oldest are forgotten: what a wrong program still sends there is kept like any message.
    static constexpr std::size_t kMostRanges = 1024;

    void add(ContextRange range);
    bool contains(std::uint32_t context) const;
    std::size_t ranges() const { return ranges_.size(); }

   private:
    std::map<std::uint64_t, std::uint64_t> ranges_;  // the first, and the one behind the last
};

}  // namespace onecopy
