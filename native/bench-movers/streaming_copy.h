// Copying with non-temporal stores: what is written does not push other lines out of the cache, and
// a line that is written whole is not read first. Pays where the copy is larger than the cache; the
// reader then finds it in memory instead of in the cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onecopy::bench {

struct StreamingCopy {
    const char* stores = "none";
    // Returns after a fence: a flag that is set next comes after the bytes. Null where there are no
    // such stores.
    void (*copy)(std::byte* to, const std::byte* from, std::uint64_t bytes) = nullptr;
};

// The widest stores of this processor.
StreamingCopy chooseStreamingCopy();

}  // namespace onecopy::bench
