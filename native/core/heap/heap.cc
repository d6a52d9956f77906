#include "core/heap/heap.h"

#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "core/os/memory_left.h"

namespace onecopy {

namespace {

// Addresses of one segment; a block of more than half of it gets a segment of its own. Each costs
// the owner a descriptor, and each peer a mapping.
constexpr std::uint64_t kSegmentBytes = 64u << 20;

constexpr std::uint64_t kLeastAlignment = 64;

// Free segments are kept for the next block up to this much memory: to get 64 MiB from the kernel,
// zeroed, takes 10 to 20 ms, and each peer maps it anew.
constexpr std::uint64_t kKeptBytes = 256u << 20;

// The kernel sends a signal, which kills, to a process that makes a file beyond this limit.
bool mayMakeFile(std::uint64_t bytes) {
    rlimit limit{};
    return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           bytes <= limit.rlim_cur;
}

}  // namespace

Heap::Heap() = default;
Heap::~Heap() = default;

Error Heap::allocate(std::uint64_t bytes, void*& block, bool zeroed) {
    // Beyond 2^46 there are no addresses.
    if (bytes > std::uint64_t{1} << 46) return {.code = ErrorCode::noMem};
    bytes = std::max((bytes + kLeastAlignment - 1) & ~(kLeastAlignment - 1), kLeastAlignment);
    const std::uint64_t alignment = std::min(std::bit_floor(bytes), kHugePage);
    for (const auto& [address, part] : segments_) {
        if (const auto place = part->blocks.take(bytes, alignment))
            return provide(*part, *place, bytes, zeroed, block);
    }
    if (const Error error = grow(bytes)) return error;
    // The new one has room; which it is among the others, its address says.
    for (const auto& [address, part] : segments_) {
        if (const auto place = part->blocks.take(bytes, alignment))
            return provide(*part, *place, bytes, zeroed, block);
    }
    return {.code = ErrorCode::noMem};
}

Error Heap::grow(std::uint64_t bytes) {
    const std::uint64_t size =
        bytes > kSegmentBytes / 2 ? (bytes + kHugePage - 1) & ~(kHugePage - 1) : kSegmentBytes;
    if (!mayMakeFile(size) || (size > kSegmentBytes && size > memoryLeft()))
        return {.code = ErrorCode::noMem};
    try {
        auto part = std::make_unique<Part>(nextId_, size);
        const std::uint64_t address = part->segment.address();
        segments_.emplace(address, std::move(part));
        ++nextId_;
    } catch (const std::system_error& error) {
        const int errnum = error.code().value();
        if (errnum == ENOMEM || errnum == ENOSPC) return {.code = ErrorCode::noMem};
        return {.code = ErrorCode::system, .syscall = Syscall::memfdCreate, .errnum = errnum};
    } catch (const std::bad_alloc&) {
        return {.code = ErrorCode::noMem};
    }
    return {};
}

Error Heap::provide(Part& part, std::uint64_t place, std::uint64_t bytes, bool zeroed,
                    void*& block) {
    const std::uint64_t before = part.segment.hugePages();
    Error error = part.segment.provide(place, bytes, zeroed);
    hugePages_ += part.segment.hugePages() - before;
    block = part.segment.data() + place;
    try {
        if (!error) blocks_.emplace(block, bytes);
    } catch (const std::bad_alloc&) {
        error = {.code = ErrorCode::noMem};
    }
    if (!error) return {};
    block = nullptr;
    part.blocks.give(place, bytes);
    // What it got before memory ran out is worth more to others.
    if (part.blocks.allFree()) retire(segments_.find(part.segment.address()));
    return error;
}

void Heap::release(void* block) {
    const auto found = blocks_.find(block);
    Part* part = partOf(block);
    if (found == blocks_.end() || part == nullptr) return;
    const std::uint64_t place = reinterpret_cast<std::uint64_t>(block) - part->segment.address();
    part->blocks.give(place, found->second);
    blocks_.erase(found);
    retireEmpty();
}

// Free segments beyond what is kept go back to the system, the largest first.
void Heap::retireEmpty() {
    for (;;) {
        std::uint64_t kept = 0;
        auto largest = segments_.end();
        for (auto each = segments_.begin(); each != segments_.end(); ++each) {
            if (!each->second->blocks.allFree()) continue;
            const std::uint64_t provided = each->second->segment.provided();
            kept += provided;
            if (largest == segments_.end() || provided > largest->second->segment.provided())
                largest = each;
        }
        if (kept <= kKeptBytes) return;
        retire(largest);
    }
}

void Heap::retire(Segments::iterator which) {
    retired_.push_back(which->second->segment.id());
    segments_.erase(which);
}

Heap::Part* Heap::partOf(const void* address) const {
    const auto wanted = reinterpret_cast<std::uint64_t>(address);
    auto after = segments_.upper_bound(wanted);
    if (after == segments_.begin()) return nullptr;
    Part& part = *std::prev(after)->second;
    return wanted - part.segment.address() < part.segment.bytes() ? &part : nullptr;
}

const HeapSegment* Heap::find(const void* address, std::uint64_t bytes) const {
    const Part* part = partOf(address);
    if (part == nullptr) return nullptr;
    const HeapSegment& segment = part->segment;
    const std::uint64_t offset = reinterpret_cast<std::uint64_t>(address) - segment.address();
    return bytes <= segment.bytes() - offset ? &segment : nullptr;
}

std::vector<std::uint32_t> Heap::takeRetired() { return std::exchange(retired_, {}); }

std::uint64_t Heap::provided() const {
    std::uint64_t sum = 0;
    for (const auto& [address, part] : segments_) sum += part->segment.provided();
    return sum;
}

}  // namespace onecopy
