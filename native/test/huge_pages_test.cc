// Large buffers that are used again and again move to huge pages, and nothing in or around them
// changes.
#include "core/movers/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "test/harness.h"

using namespace onecopy;

namespace {

constexpr std::size_t kHuge = 2u << 20;

// Anonymous memory, given back at the end.
class Region {
   public:
    explicit Region(std::size_t bytes) : bytes_(bytes) {
        void* address =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(address != MAP_FAILED);
        data_ = static_cast<unsigned char*>(address);
        for (std::size_t i = 0; i < bytes; ++i) data_[i] = static_cast<unsigned char>(i * 31 >> 7);
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    ~Region() { ::munmap(data_, bytes_); }

    unsigned char* at(std::size_t offset) const { return data_ + offset; }
    bool unchanged() const {
        for (std::size_t i = 0; i < bytes_; ++i) {
            if (data_[i] != static_cast<unsigned char>(i * 31 >> 7)) return false;
        }
        return true;
    }

   private:
    std::size_t bytes_;
    unsigned char* data_;
};

// Uses it so many times; how many huge pages were made.
std::size_t use(HugePages& pages, const void* address, std::size_t bytes, int times) {
    std::size_t made = 0;
    for (int i = 0; i < times; ++i) made += pages.used(address, bytes);
    return made;
}

bool kernelCollapses() {
    const Region probe(2 * kHuge);
    const auto page = (reinterpret_cast<std::uintptr_t>(probe.at(0)) + kHuge - 1) & ~(kHuge - 1);
    return ::madvise(reinterpret_cast<void*>(page), kHuge, 25 /* MADV_COLLAPSE */) == 0;
}

}  // namespace

TEST("huge pages: made once, after repeated use, with the same bytes in and around the buffer") {
    if (!kernelCollapses())
        SKIP("this kernel makes no huge pages on demand (MADV_COLLAPSE, Linux 6.1)");
    const Region region(8 * kHuge);
    HugePages pages;
    CHECK_EQ(use(pages, region.at(3 * kHuge + 64), kHuge, 7), 0u);
    const std::size_t made = use(pages, region.at(3 * kHuge + 64), kHuge, 1);
    CHECK(made >= 1 && made <= 2);
    CHECK_EQ(use(pages, region.at(3 * kHuge + 64), kHuge, 50), 0u);
    CHECK(region.unchanged());
}

TEST("huge pages: small buffers and memory that cannot have them are left alone") {
    const Region region(kHuge / 2);
    HugePages pages;
    CHECK_EQ(use(pages, region.at(0), 4096, 20), 0u);
    // Too short to hold a whole huge page: what lies beside it is not ours.
    use(pages, region.at(0), kHuge / 2, 20);
    CHECK(region.unchanged());
}

TEST("huge pages: two buffers a round distance apart both get their turn") {
    if (!kernelCollapses())
        SKIP("this kernel makes no huge pages on demand (MADV_COLLAPSE, Linux 6.1)");
    const Region region(16 * kHuge);
    HugePages pages;
    std::size_t made = 0;
    for (int i = 0; i < 8; ++i) {
        made += pages.used(region.at(4 * kHuge), kHuge);
        made += pages.used(region.at(8 * kHuge), kHuge);
    }
    CHECK(made >= 2);
    CHECK(region.unchanged());
}

TEST("huge pages: what a window of many buffers has no time for comes with later uses") {
    if (!kernelCollapses())
        SKIP("this kernel makes no huge pages on demand (MADV_COLLAPSE, Linux 6.1)");
    constexpr std::size_t kBuffers = 24;
    const Region region(2 * (kBuffers + 1) * kHuge);
    HugePages pages;
    const auto useAll = [&] {
        std::size_t made = 0;
        for (std::size_t i = 0; i < kBuffers; ++i)
            made += pages.used(region.at(2 * i * kHuge), kHuge);
        return made;
    };
    for (int i = 0; i < 7; ++i) CHECK_EQ(useAll(), 0u);
    std::size_t made = 0;
    int rounds = 0;
    for (std::size_t more = useAll(); more > 0; more = useAll()) {
        made += more;
        ++rounds;
        // The next span of time.
        ::usleep(25'000);
    }
    CHECK(made >= kBuffers);
    CHECK_EQ(use(pages, region.at(0), kHuge, 20), 0u);
    CHECK(region.unchanged());
    std::fprintf(stderr, "  %zu pages in %d rounds\n", made, rounds);
}
