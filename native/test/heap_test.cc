// Buffers born shared: the owner's allocator, what peers believe of it, and messages between them.
#include "core/heap/heap.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "core/heap/block_list.h"
#include "core/movers/heap.h"
#include "core/os/memory_left.h"
#include "core/reduction/kernels.h"
#include "test/harness.h"
#include "test/world.h"

using namespace onecopy;
using test::World;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;

unsigned char valueAt(unsigned seed, std::size_t i) {
    return static_cast<unsigned char>((i * 2654435761u + seed * 40503u) >> 13);
}

void fill(void* data, std::size_t bytes, unsigned seed) {
    for (std::size_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(data)[i] = valueAt(seed, i);
}

bool holds(const void* data, std::size_t bytes, unsigned seed) {
    for (std::size_t i = 0; i < bytes; ++i) {
        if (static_cast<const unsigned char*>(data)[i] != valueAt(seed, i)) return false;
    }
    return true;
}

bool allZero(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    return std::all_of(from, from + bytes, [](unsigned char byte) { return byte == 0; });
}

// Fails the test if there is no memory.
unsigned char* take(Heap& heap, std::uint64_t bytes) {
    void* block = nullptr;
    REQUIRE(!heap.allocate(bytes, block));
    return static_cast<unsigned char*>(block);
}

unsigned char* take(Engine& engine, std::uint64_t bytes) {
    void* block = nullptr;
    REQUIRE(!engine.allocate(bytes, block));
    return static_cast<unsigned char*>(block);
}

Error send(Engine& engine, std::span<const iovec> parts, int dest, int tag) {
    Request request;
    request.setBuffer(parts);
    engine.startSend(request, dest, tag, 0, MessageKind::buffer, Datatype::byte);
    CHECK(engine.wait(request) == ErrorCode::ok);
    return request.error;
}

Error send(Engine& engine, void* data, std::size_t bytes, int dest, int tag) {
    const iovec part{data, bytes};
    return send(engine, {&part, 1}, dest, tag);
}

Error recv(Engine& engine, void* data, std::size_t bytes, int source, int tag) {
    Request request;
    request.setBuffer(data, bytes);
    engine.startRecv(request, {source, tag, 0}, MessageKind::buffer, Datatype::byte);
    CHECK(engine.wait(request) == ErrorCode::ok);
    return request.error;
}

// A seccomp filter binds the calling thread alone.
void forbidCrossMemory() {
    const sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {sizeof code / sizeof code[0], const_cast<sock_filter*>(code)};
    REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

// A memfd as a peer might have it, and what it would tell of it.
struct Told {
    UniqueFd fd;
    HeapNotice notice;
};

Told tell(std::uint64_t bytes, int seals, std::uint64_t address = 64 * kMebibyte,
          std::uint32_t id = 1) {
    Told told{makeMemory("test", bytes), {}};
    if (seals != 0) REQUIRE(::fcntl(told.fd.get(), F_ADD_SEALS, seals) == 0);
    struct stat info {};
    REQUIRE(::fstat(told.fd.get(), &info) == 0);
    told.notice = {id, told.fd.get(), info.st_ino, address, bytes};
    return told;
}

constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

void writeFile(const std::string& path, const std::string& text) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
        ::mkdir(path.substr(0, at).c_str(), 0755);
    std::ofstream(path) << text;
}

}  // namespace

TEST("heap: blocks never overlap, and all that is given back is one piece again") {
    constexpr std::uint64_t kBytes = 1 << 16;
    std::mt19937 random(7);
    BlockList list(kBytes);
    std::map<std::uint64_t, std::uint64_t> taken;
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 2 == 0) {
            const std::uint64_t bytes = 64 * (1 + random() % 40);
            const std::uint64_t alignment = std::uint64_t{64} << random() % 5;
            const auto place = list.take(bytes, alignment);
            if (!place) continue;
            CHECK_EQ(*place % alignment, 0u);
            REQUIRE(*place + bytes <= kBytes);
            const auto next = taken.lower_bound(*place);
            REQUIRE(next == taken.end() || *place + bytes <= next->first);
            REQUIRE(next == taken.begin() ||
                    std::prev(next)->first + std::prev(next)->second <= *place);
            taken.emplace(*place, bytes);
        } else if (!taken.empty()) {
            auto which = taken.begin();
            std::advance(which, random() % taken.size());
            list.give(which->first, which->second);
            taken.erase(which);
        }
        CHECK_EQ(list.allFree(), taken.empty());
    }
    for (const auto& [place, bytes] : taken) list.give(place, bytes);
    CHECK(list.allFree());
    CHECK_EQ(list.take(kBytes, 64).value_or(1), 0u);
    CHECK(!list.take(1, 1));
}

TEST("heap: blocks are zeroed and aligned, also when they are used again") {
    Heap heap;
    std::mt19937 random(3);
    std::map<unsigned char*, std::pair<std::uint64_t, unsigned>> blocks;
    for (unsigned i = 0; i < 400; ++i) {
        const std::uint64_t bytes =
            random() % 8 == 0 ? random() % (3 * kMebibyte) : random() % 20'000;
        unsigned char* block = take(heap, bytes);
        const std::uint64_t rounded = std::max<std::uint64_t>(64, bytes);
        const std::uint64_t alignment = std::min(std::bit_floor(rounded), kHugePage);
        CHECK_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0u);
        CHECK(allZero(block, bytes));
        CHECK(heap.find(block, bytes) != nullptr);
        CHECK(blocks.emplace(block, std::pair(bytes, i)).second);
        fill(block, bytes, i);
        if (blocks.size() < 30) continue;
        auto which = blocks.begin();
        std::advance(which, random() % blocks.size());
        CHECK(holds(which->first, which->second.first, which->second.second));
        heap.release(which->first);
        blocks.erase(which);
    }
    for (const auto& [block, what] : blocks) CHECK(holds(block, what.first, what.second));
    CHECK(heap.provided() < 256 * kMebibyte);
}

TEST("heap: what is freed is used again, and beyond a limit given back to the system") {
    Heap heap;
    const auto once = [&](std::uint64_t bytes) {
        unsigned char* block = take(heap, bytes);
        block[bytes - 1] = 1;
        heap.release(block);
        return block;
    };
    unsigned char* first = once(40 * kMebibyte);
    for (int i = 0; i < 20; ++i) CHECK(once(40 * kMebibyte) == first);
    CHECK(heap.takeRetired().empty());
    CHECK(heap.find(first, 40 * kMebibyte) != nullptr);
    std::vector<unsigned char*> blocks;
    for (int i = 0; i < 8; ++i) blocks.push_back(take(heap, 40 * kMebibyte));
    for (unsigned char* block : blocks) heap.release(block);
    CHECK(heap.provided() <= 256 * kMebibyte);
    CHECK(!heap.takeRetired().empty());
    CHECK(heap.takeRetired().empty());
}

TEST("heap: more than there is fails at once, and leaves the heap as it was") {
    Heap heap;
    unsigned char* small = take(heap, 100);
    const std::uint64_t before = heap.provided();
    for (const std::uint64_t bytes : {std::uint64_t{1} << 43, std::uint64_t{1} << 46,
                                      (std::uint64_t{1} << 46) + 1, ~std::uint64_t{0}}) {
        void* block = &heap;
        CHECK(heap.allocate(bytes, block).code == ErrorCode::noMem);
    }
    CHECK_EQ(heap.provided(), before);
    heap.release(small);
    CHECK(allZero(take(heap, kMebibyte), kMebibyte));
}

TEST("heap: no descriptor left is an error that says so; a limit on files kills nobody") {
    CHECK_EQ(test::runInChild([] {
                 const rlimit none{0, 0};
                 REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
                 Heap heap;
                 void* block = nullptr;
                 const Error error = heap.allocate(1000, block);
                 CHECK(error.code == ErrorCode::system);
                 CHECK(error.syscall == Syscall::memfdCreate);
                 CHECK_EQ(error.errnum, EMFILE);
             }),
             0);
    CHECK_EQ(test::runInChild([] {
                 const rlimit some{kMebibyte, kMebibyte};
                 REQUIRE(::setrlimit(RLIMIT_FSIZE, &some) == 0);
                 Heap heap;
                 void* block = nullptr;
                 CHECK(heap.allocate(1000, block).code == ErrorCode::noMem);
             }),
             0);
}

TEST("heap: nobody else can shorten a segment, write to it, or map it for writing") {
    Heap heap;
    unsigned char* block = take(heap, 5000);
    const HeapSegment& segment = *heap.find(block, 5000);
    CHECK(heap.find(segment.data(), segment.bytes()) == &segment);
    CHECK(heap.find(segment.data() + 1, segment.bytes()) == nullptr);
    CHECK(heap.find(segment.data() + segment.bytes(), 0) == nullptr);
    CHECK(heap.find(&heap, 1) == nullptr);
    const int fd = segment.fd();
    CHECK(::ftruncate(fd, 0) != 0 && errno == EPERM);
    CHECK(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) != 0);
    CHECK(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK(::write(fd, "x", 1) < 0);
    CHECK(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0);
}

TEST("heap: huge pages, where the kernel makes them, and nothing beside them changes") {
    Heap heap;
    unsigned char* beside = take(heap, 1000);
    fill(beside, 1000, 5);
    unsigned char* block = take(heap, 6 * kMebibyte);
    CHECK(allZero(block, 6 * kMebibyte));
    fill(block, 6 * kMebibyte, 6);
    CHECK(holds(beside, 1000, 5));
    CHECK(holds(block, 6 * kMebibyte, 6));
    if (heap.hugePages() == 0) SKIP("this kernel made none");
    CHECK(heap.hugePages() <= 4);
}

TEST("heap: a peer maps what it was told of, and finds only what lies in it") {
    Heap heap;
    unsigned char* block = take(heap, kMebibyte);
    fill(block, kMebibyte, 1);
    const HeapSegment& segment = *heap.find(block, kMebibyte);
    PeerHeap peer;
    CHECK(peer.empty());
    const HeapNotice notice{segment.id(), segment.fd(), segment.inode(), segment.address(),
                            segment.bytes()};
    REQUIRE(peer.learn(::getpid(), notice));
    CHECK(!peer.empty());
    const auto address = reinterpret_cast<std::uint64_t>(block);
    const std::byte* seen = peer.find(address, kMebibyte);
    REQUIRE(seen != nullptr);
    CHECK(seen != reinterpret_cast<std::byte*>(block));
    CHECK(holds(seen, kMebibyte, 1));
    fill(block, kMebibyte, 2);
    CHECK(holds(seen, kMebibyte, 2));
    const std::uint64_t end = segment.address() + segment.bytes();
    CHECK(peer.find(segment.address(), segment.bytes()) != nullptr);
    CHECK(peer.find(end, 0) != nullptr);
    CHECK(peer.find(segment.address(), segment.bytes() + 1) == nullptr);
    CHECK(peer.find(segment.address() - 1, 2) == nullptr);
    CHECK(peer.find(end - 1, 2) == nullptr);
    CHECK(peer.find(end + 1, 0) == nullptr);
    CHECK(peer.find(address, ~std::uint64_t{0}) == nullptr);
    CHECK(peer.find(~std::uint64_t{0}, ~std::uint64_t{0}) == nullptr);
    CHECK(peer.find(0, 0) == nullptr);
    CHECK(!peer.learn(::getpid(), notice));
    peer.forget(segment.id() + 1);
    CHECK(peer.find(address, 1) != nullptr);
    peer.forget(segment.id());
    CHECK(peer.empty());
    CHECK(peer.find(address, 1) == nullptr);
}

TEST("heap: a notice that is not true, or not safe, is ignored") {
    const pid_t self = ::getpid();
    PeerHeap peer;
    const auto refuses = [&](const HeapNotice& notice) { return !peer.learn(self, notice); };
    for (const int seals :
         {0, F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_GROW | F_SEAL_FUTURE_WRITE,
          F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE}) {
        CHECK(refuses(tell(kHugePage, seals).notice));
    }
    const Told told = tell(2 * kHugePage, kSealed);
    const auto with = [&](auto change) {
        HeapNotice notice = told.notice;
        change(notice);
        return notice;
    };
    CHECK(refuses(with([](HeapNotice& n) { n.inode += 1; })));
    CHECK(refuses(with([](HeapNotice& n) { n.bytes = kHugePage; })));
    CHECK(refuses(with([](HeapNotice& n) { n.bytes *= 2; })));
    CHECK(refuses(with([](HeapNotice& n) { n.bytes = 0; })));
    CHECK(refuses(with([](HeapNotice& n) { n.bytes = ~std::uint64_t{0}; })));
    CHECK(refuses(with([](HeapNotice& n) { n.bytes = std::uint64_t{1} << 63; })));
    CHECK(refuses(with([](HeapNotice& n) { n.address += 4096; })));
    CHECK(refuses(with([](HeapNotice& n) { n.address = ~std::uint64_t{0}; })));
    CHECK(refuses(with([](HeapNotice& n) { n.address = ~std::uint64_t{0} & ~(kHugePage - 1); })));
    CHECK(refuses(with([](HeapNotice& n) { n.fd = -1; })));
    CHECK(refuses(with([](HeapNotice& n) { n.fd = 0x7fffffff; })));
    CHECK(!peer.learn(0x7ffffff0, told.notice));
    // Something that is no memory at all, and something that would block whoever opens it.
    CHECK(refuses(with([](HeapNotice& n) { n.fd = 0; })));
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    CHECK(refuses(with([&](HeapNotice& n) { n.fd = ends[0]; })));
    CHECK(peer.empty());

    REQUIRE(peer.learn(self, told.notice));
    const std::uint64_t begin = told.notice.address;
    for (const std::uint64_t at : {begin - kHugePage, begin, begin + kHugePage}) {
        const Told other = tell(2 * kHugePage, kSealed, at, 9);
        CHECK(refuses(other.notice));
    }
    const Told around = tell(8 * kHugePage, kSealed, begin - 2 * kHugePage, 9);
    CHECK(refuses(around.notice));
    const Told sameId = tell(kHugePage, kSealed, begin + 20 * kHugePage, told.notice.id);
    CHECK(refuses(sameId.notice));
    const Told before = tell(kHugePage, kSealed, begin - kHugePage, 2);
    const Told after = tell(kHugePage, kSealed, begin + 2 * kHugePage, 3);
    CHECK(peer.learn(self, before.notice));
    CHECK(peer.learn(self, after.notice));
    // Neighbours, but not one piece.
    CHECK(peer.find(begin - 1, 2) == nullptr);
    CHECK(peer.find(begin + 2 * kHugePage, 1) != nullptr);
}

TEST("heap: a segment for which there are no addresses is no failure") {
    const Told told = tell(std::uint64_t{1} << 47, kSealed, std::uint64_t{1} << 48);
    PeerHeap peer;
    CHECK(!peer.learn(::getpid(), told.notice));
    CHECK(peer.empty());
}

TEST("heap: how much memory is left, by the system and by cgroups") {
    char folder[] = "/tmp/onecopy-memory-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string root = folder;
    CHECK_EQ(memoryLeft(root), ~std::uint64_t{0});
    writeFile(root + "/proc/meminfo",
              "MemTotal:  100 kB\nMemAvailable:   50000 kB\nSwapFree:  10 kB\n");
    CHECK_EQ(memoryLeft(root), 50'010u * 1024);
    writeFile(root + "/proc/self/cgroup", "0::/a/b\n");
    CHECK_EQ(memoryLeft(root), 50'010u * 1024);
    writeFile(root + "/sys/fs/cgroup/a/memory.max", "9000000\n");
    writeFile(root + "/sys/fs/cgroup/a/memory.current", "5000000\n");
    writeFile(root + "/sys/fs/cgroup/a/memory.stat",
              "anon 1\ninactive_file 1000000\nactive_file 500000\n");
    writeFile(root + "/sys/fs/cgroup/a/b/memory.max", "max\n");
    writeFile(root + "/sys/fs/cgroup/a/b/memory.current", "70000\n");
    CHECK_EQ(memoryLeft(root), 5'500'000u);
    writeFile(root + "/sys/fs/cgroup/a/b/memory.max", "60000\n");
    CHECK_EQ(memoryLeft(root), 0u);
    writeFile(root + "/proc/self/cgroup", "5:cpu,memory:/c\n0::/\n");
    writeFile(root + "/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "3000\n");
    writeFile(root + "/sys/fs/cgroup/memory/c/memory.usage_in_bytes", "1000\n");
    CHECK_EQ(memoryLeft(root), 2000u);
    CHECK(memoryLeft() > 0);
    [[maybe_unused]] const int removed = std::system(("rm -r " + root).c_str());
}

TEST("heap: messages from a heap are copied from the mapping, whatever their length and place") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        const std::size_t sizes[] = {0,      1,      16 * 1024, 16 * 1024 + 1,     64 * 1024,
                                     524287, 524288, 524289,    3 * kMebibyte + 13};
        constexpr std::size_t kRoom = 4 * kMebibyte;
        unsigned char* block = take(engine, kRoom);
        std::uint64_t large = 0;
        int tag = 0;
        for (const std::size_t bytes : sizes) {
            for (const std::size_t offset : {0, 1, 7, 4096}) {
                ++tag;
                if (bytes > Thresholds().heapEager) large += bytes;
                if (engine.rank() == 0) {
                    fill(block + offset, bytes, static_cast<unsigned>(tag));
                    CHECK(!send(engine, block + offset, bytes, 1, tag));
                } else {
                    std::memset(block, 0xee, kRoom);
                    CHECK(!recv(engine, block + offset, bytes, 0, tag));
                    CHECK(holds(block + offset, bytes, static_cast<unsigned>(tag)));
                    CHECK_EQ(block[offset + bytes], 0xee);
                    if (offset > 0) CHECK_EQ(block[offset - 1], 0xee);
                }
            }
        }
        const Counters& counters = engine.counters();
        CHECK_EQ(counters.heapBytes.load(), engine.rank() == 1 ? large : 0);
        CHECK_EQ(counters.cmaBytes.load() + counters.stagedBytes.load(), 0u);
        engine.release(block);
    });
}

TEST("heap: with pulls denied everything is staged, also from a heap") {
    World world({.ranks = 2, .pull = PullPolicy::denied});
    world.run([](Engine& engine) {
        unsigned char* block = take(engine, kMebibyte);
        if (engine.rank() == 0) {
            fill(block, kMebibyte, 1);
            CHECK(!send(engine, block, kMebibyte, 1, 1));
        } else {
            CHECK(!recv(engine, block, kMebibyte, 0, 1));
            CHECK(holds(block, kMebibyte, 1));
            CHECK_EQ(engine.counters().stagedBytes.load(), kMebibyte);
            CHECK_EQ(engine.counters().heapBytes.load(), 0u);
        }
    });
}

TEST("heap: where the system refuses to pull, the mapping is used all the same") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        forbidCrossMemory();
        unsigned char* block = take(engine, kMebibyte);
        std::vector<unsigned char> own(kMebibyte);
        for (const unsigned seed : {1, 2, 3}) {
            // The second one is in memory of the usual kind.
            unsigned char* data = seed == 2 ? own.data() : block;
            if (engine.rank() == 0) {
                fill(data, kMebibyte, seed);
                CHECK(!send(engine, data, kMebibyte, 1, 1));
            } else {
                CHECK(!recv(engine, data, kMebibyte, 0, 1));
                CHECK(holds(data, kMebibyte, seed));
            }
        }
        if (engine.rank() == 0) return;
        CHECK_EQ(engine.counters().heapBytes.load(), 2 * kMebibyte);
        CHECK_EQ(engine.counters().stagedBytes.load(), kMebibyte);
        CHECK_EQ(engine.counters().cmaBytes.load(), 0u);
    });
}

TEST("heap: messages in several pieces, some of them in a heap") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        constexpr std::size_t kPiece = 700'001;
        unsigned char* one = take(engine, kPiece);
        unsigned char* two = take(engine, 40 * kMebibyte);
        std::vector<unsigned char> own(kPiece);
        if (engine.rank() == 0) {
            fill(one, kPiece, 1);
            fill(two, kPiece, 2);
            fill(own.data(), kPiece, 3);
            const iovec heap[] = {{one, kPiece}, {two, kPiece}};
            CHECK(!send(engine, heap, 1, 1));
            const iovec mixed[] = {{one, kPiece}, {own.data(), kPiece}, {two, kPiece}};
            CHECK(!send(engine, mixed, 1, 2));
            return;
        }
        std::vector<unsigned char> got(3 * kPiece);
        CHECK(!recv(engine, got.data(), 2 * kPiece, 0, 1));
        CHECK(holds(got.data(), kPiece, 1));
        CHECK(holds(got.data() + kPiece, kPiece, 2));
        CHECK_EQ(engine.counters().heapBytes.load(), 2 * kPiece);
        CHECK_EQ(engine.counters().cmaBytes.load(), 0u);
        CHECK(!recv(engine, got.data(), got.size(), 0, 2));
        CHECK(holds(got.data(), kPiece, 1));
        CHECK(holds(got.data() + kPiece, kPiece, 3));
        CHECK(holds(got.data() + 2 * kPiece, kPiece, 2));
    });
}

TEST("heap: what arrives is combined straight from the sender's memory") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        constexpr std::size_t kCount = 300'001;
        constexpr std::size_t kBytes = kCount * sizeof(double);
        auto* numbers = reinterpret_cast<double*>(take(engine, kBytes));
        for (std::size_t i = 0; i < kCount; ++i)
            numbers[i] = static_cast<double>(i) * (engine.rank() == 0 ? 2 : 3);
        Request request;
        request.setBuffer(numbers, kBytes);
        if (engine.rank() == 0) {
            engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::float64);
            CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
            return;
        }
        const Combiner sum(kernelFor(Operator::sum, Datatype::float64), sizeof(double));
        request.combiner = &sum;
        request.own = request.parts;
        engine.startRecv(request, {0, 1, 0}, MessageKind::buffer, Datatype::float64);
        CHECK(engine.wait(request) == ErrorCode::ok && !request.error);
        bool right = true;
        for (std::size_t i = 0; i < kCount; ++i)
            right = right && numbers[i] == static_cast<double>(i) * 5;
        CHECK(right);
        CHECK_EQ(engine.counters().heapBytes.load(), kBytes);
        CHECK_EQ(engine.counters().cmaBytes.load(), 0u);
    });
}

TEST("heap: segments that come and go, at the same addresses, are never taken for each other") {
    World world({.ranks = 3});
    world.run([](Engine& engine) {
        constexpr std::size_t kBytes = 140 * kMebibyte;
        constexpr std::size_t kTaken = 3 * kMebibyte;
        std::vector<unsigned char> got(kTaken);
        for (unsigned round = 0; round < 6; ++round) {
            if (engine.rank() != 0) {
                CHECK(!recv(engine, got.data(), got.size(), 0, 1));
                CHECK(holds(got.data(), got.size(), round));
                continue;
            }
            // Two at a time are more than the heap keeps. Between them memory of the usual kind
            // may come to lie where one was.
            unsigned char* block = take(engine, kBytes);
            unsigned char* other = take(engine, kBytes);
            unsigned char* from = round % 2 == 0 ? block : other;
            fill(from + 100, kTaken, round);
            for (const int dest : {1, 2}) CHECK(!send(engine, from + 100, kTaken, dest, 1));
            engine.release(block);
            engine.release(other);
            void* usual = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            REQUIRE(usual != MAP_FAILED);
            ::munmap(usual, kBytes);
        }
        if (engine.rank() == 0) return;
        CHECK_EQ(engine.counters().heapBytes.load(), 6 * kTaken);
    });
}

TEST("heap: the usual memory at the addresses of a segment that is gone is pulled") {
    World world({.ranks = 2});
    world.run([](Engine& engine) {
        constexpr std::size_t kBytes = 300 * kMebibyte;
        std::vector<unsigned char> got(kMebibyte);
        if (engine.rank() == 1) {
            for (const unsigned seed : {1, 2}) {
                CHECK(!recv(engine, got.data(), got.size(), 0, 1));
                CHECK(holds(got.data(), got.size(), seed));
            }
            CHECK_EQ(engine.counters().heapBytes.load(), kMebibyte);
            CHECK_EQ(engine.counters().cmaBytes.load(), kMebibyte);
            return;
        }
        unsigned char* block = take(engine, kBytes);
        fill(block, kMebibyte, 1);
        CHECK(!send(engine, block, kMebibyte, 1, 1));
        engine.release(block);
        void* usual = ::mmap(block, kMebibyte, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        REQUIRE(usual == block);
        fill(usual, kMebibyte, 2);
        CHECK(!send(engine, usual, kMebibyte, 1, 1));
    });
}

TEST("heap: an owner that dies while a peer copies is an error, however much has arrived") {
    World world({.ranks = 2});
    world.run([&](Engine& engine) {
        constexpr std::size_t kBytes = 8 * kMebibyte;
        unsigned char* block = take(engine, kBytes);
        if (engine.rank() == 0) {
            Request request;
            request.setBuffer(block, kBytes);
            engine.startSend(request, 1, 1, 0, MessageKind::buffer, Datatype::byte);
            CHECK(engine.wait(request) == ErrorCode::ok);
            return;
        }
        Request receive;
        receive.setBuffer(block, kBytes);
        engine.startRecv(receive, {0, 1, 0}, MessageKind::buffer, Datatype::byte);
        while (receive.moved == 0) engine.progress();
        CHECK(receive.moved < kBytes);
        world.kill(0);
        CHECK(engine.wait(receive) == ErrorCode::ok);
        CHECK(receive.error.code == ErrorCode::procFailed);
        CHECK(engine.counters().heapBytes.load() > 0);
    });
}
