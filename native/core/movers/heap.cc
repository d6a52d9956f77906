#include "core/movers/heap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "core/heap/heap_segment.h"

namespace onecopy {

namespace {

// No peer has so many: 256 TiB of addresses.
constexpr std::size_t kMostSegments = 1u << 22;

// With these nobody can make it shorter, which would kill its readers, nor write to it.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

bool isWhatWasTold(int fd, const HeapNotice& notice) {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_ino != notice.inode ||
        static_cast<std::uint64_t>(info.st_size) != notice.bytes)
        return false;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & kSeals) == kSeals;
}

}  // namespace

bool PeerHeap::learn(pid_t pid, const HeapNotice& notice) {
    if (notice.bytes == 0 || notice.fd < 0 || notice.bytes % kHugePage != 0 ||
        notice.address % kHugePage != 0 || notice.address > ~notice.bytes ||
        segments_.size() >= kMostSegments)
        return false;
    const auto next = std::ranges::upper_bound(segments_, notice.address, {}, &Segment::address);
    const bool overlaps =
        (next != segments_.end() && next->address - notice.address < notice.bytes) ||
        (next != segments_.begin() &&
         notice.address - std::prev(next)->address < std::prev(next)->mapping.bytes());
    if (overlaps || std::ranges::find(segments_, notice.id, &Segment::id) != segments_.end())
        return false;
    // The pid stays with its process while the launcher lives, and the inode tells whether the
    // descriptor is still what it was. Whatever else it may be, opening it must not block.
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/fd/%d", static_cast<int>(pid),
                  static_cast<int>(notice.fd));
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd || !isWhatWasTold(fd.get(), notice)) return false;
    try {
        segments_.insert(
            next, Segment{notice.id, notice.address,
                          Mapping(fd.get(), notice.bytes, Mapping::Access::read, kHugePage)});
    } catch (const std::system_error&) {
        return false;  // no addresses, or too many mappings
    } catch (const std::bad_alloc&) {
        return false;
    }
    return true;
}

void PeerHeap::forget(std::uint32_t id) {
    std::erase_if(segments_, [&](const Segment& segment) { return segment.id == id; });
}

const std::byte* PeerHeap::find(std::uint64_t address, std::uint64_t bytes) const {
    const auto after = std::ranges::upper_bound(segments_, address, {}, &Segment::address);
    if (after == segments_.begin()) return nullptr;
    const Segment& segment = *std::prev(after);
    const std::uint64_t offset = address - segment.address;
    const std::uint64_t length = segment.mapping.bytes();
    if (offset > length || bytes > length - offset) return nullptr;
    return segment.mapping.as<const std::byte>() + offset;
}

}  // namespace onecopy
