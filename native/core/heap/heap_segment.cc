#include "core/heap/heap_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/os/clock.h"
#include "core/os/memory_left.h"

namespace onecopy {

namespace {

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

// From here on a block is put on huge pages: copying 512 KiB from them was 11 % faster than from
// small ones, and 1 MiB 29 % (58 and 46 GB/s against 52 and 36, both buffers in the cache, Xeon
// 2.6 GHz, Linux 6.18); and a peer's first look costs one fault instead of 512 (1.1 ms).
constexpr std::uint64_t kLeastHuge = 512 * 1024;

// Making one takes 0.3 ms, less than 512 small ones; but 5 to 25 ms where every core is taken. What
// is still on small pages then gets its turn when it is used again and again (movers/huge_pages.h).
constexpr Nanoseconds kHugePagesTime = 20'000'000;

// The kernel undoes the whole of an allocation that a signal interrupts: pieces of this size get
// through (5 ms each).
constexpr std::uint64_t kAtOnce = 16u << 20;

// Where so much is wanted, it is first asked whether there is as much. Below it the answer (0.1 ms)
// costs more than it saves.
constexpr std::uint64_t kAskFirst = 4u << 20;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

HeapSegment::HeapSegment(std::uint32_t id, std::uint64_t bytes)
    : id_(id), fd_(makeMemory("onecopy-heap", bytes)), has_(bytes / kPage) {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) fail("fstat");
    inode_ = info.st_ino;
    mapping_ = Mapping(fd_.get(), bytes, Mapping::Access::readWrite, kHugePage);
    sealForOthers(fd_.get());
}

Error HeapSegment::provide(std::uint64_t offset, std::uint64_t bytes, bool zeroed) {
    const std::uint64_t end = offset + bytes;
    const std::uint64_t firstPage = offset / kPage;
    const std::uint64_t endPage = (end + kPage - 1) / kPage;
    const std::vector<bool> before(has_.begin() + static_cast<std::ptrdiff_t>(firstPage),
                                   has_.begin() + static_cast<std::ptrdiff_t>(endPage));
    const auto missing = static_cast<std::uint64_t>(std::ranges::count(before, false)) * kPage;
    if (missing >= kAskFirst && missing > memoryLeft()) return {.code = ErrorCode::noMem};
    if (bytes >= kLeastHuge) makeHuge(offset, bytes);
    for (std::uint64_t page = firstPage; page < endPage;) {
        std::uint64_t run = page;
        while (run < endPage && !has_[run]) ++run;
        if (run == page) {
            ++page;
            continue;
        }
        if (const int errnum = allocate(page * kPage, (run - page) * kPage); errnum != 0) {
            if (errnum == ENOMEM || errnum == ENOSPC) return {.code = ErrorCode::noMem};
            return {.code = ErrorCode::system, .syscall = Syscall::fallocate, .errnum = errnum};
        }
        mark(page, run - page);
        page = run;
    }
    // What has been somebody else's before.
    for (std::uint64_t page = zeroed ? firstPage : endPage; page < endPage;) {
        std::uint64_t run = page;
        while (run < endPage && before[run - firstPage]) ++run;
        if (run == page) {
            ++page;
            continue;
        }
        const std::uint64_t from = std::max(offset, page * kPage);
        std::memset(data() + from, 0, std::min(end, run * kPage) - from);
        page = run;
    }
    return {};
}

// Each huge page that the part reaches into, if some of it has no memory yet. One small page makes
// the kernel look (it refuses an empty range, EINVAL); what is missing it takes huge and zeroed.
void HeapSegment::makeHuge(std::uint64_t offset, std::uint64_t bytes) {
    constexpr std::uint64_t kPagesOfHuge = kHugePage / kPage;
    const Nanoseconds latest = now() + kHugePagesTime;
    for (std::uint64_t start = offset & ~(kHugePage - 1); start < offset + bytes;
         start += kHugePage) {
        if (refusesHuge_) return;
        const std::uint64_t first = start / kPage;
        const auto from = has_.begin() + static_cast<std::ptrdiff_t>(first);
        const auto has = std::count(from, from + kPagesOfHuge, true);
        if (has == static_cast<std::ptrdiff_t>(kPagesOfHuge)) continue;
        if (has == 0) {
            if (allocate(start, kPage) != 0) return;
            mark(first, 1);
        }
        if (::madvise(data() + start, kHugePage, MADV_COLLAPSE) != 0) {
            // EINVAL: a kernel before 6.1. Others mean that no huge page is to be had at the
            // moment.
            refusesHuge_ = errno == EINVAL;
            return;
        }
        mark(first, kPagesOfHuge);
        ++hugePages_;
        if (now() > latest) return;
    }
}

// Result: 0 or errno.
int HeapSegment::allocate(std::uint64_t offset, std::uint64_t bytes) {
    for (std::uint64_t done = 0; done < bytes;) {
        const std::uint64_t piece = std::min(kAtOnce, bytes - done);
        if (::fallocate(fd_.get(), 0, static_cast<off_t>(offset + done),
                        static_cast<off_t>(piece)) == 0) {
            done += piece;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void HeapSegment::mark(std::uint64_t firstPage, std::uint64_t pages) {
    for (std::uint64_t page = firstPage; page < firstPage + pages; ++page) {
        providedPages_ += has_[page] ? 0 : 1;
        has_[page] = true;
    }
}

}  // namespace onecopy
