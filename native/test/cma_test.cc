// The cma mover, on this process itself and on children.
#include "core/movers/cma.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "core/movers/cma_permission.h"
#include "test/harness.h"

using namespace onecopy;

namespace {

std::vector<unsigned char> pattern(std::size_t bytes, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<unsigned char> data(bytes);
    for (auto& byte : data) byte = static_cast<unsigned char>(random());
    return data;
}

// Cuts a buffer into pieces of random lengths, zero among them.
std::vector<iovec> cut(std::vector<unsigned char>& data, std::size_t pieces, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::size_t> places(pieces - 1);
    for (auto& place : places) place = random() % (data.size() + 1);
    std::sort(places.begin(), places.end());
    std::vector<iovec> list;
    std::size_t from = 0;
    for (const std::size_t to : places) {
        list.push_back({data.data() + from, to - from});
        from = to;
    }
    list.push_back({data.data() + from, data.size() - from});
    return list;
}

// A process that sleeps until it is killed, with the same memory as this one at the fork.
class Sleeper {
   public:
    Sleeper() : pid_(::fork()) {
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) ::pause();
        }
    }
    ~Sleeper() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

   private:
    pid_t pid_;
};

}  // namespace

TEST("cma: lists of buffers on both sides, cut differently, in both directions") {
    const struct {
        std::size_t bytes, local, remote;
    } cases[] = {{1, 1, 1},         {1000, 3, 7},       {100'000, 17, 1},
                 {100'000, 1, 900}, {131'072, 1024, 8}, {131'072, 8, 1024}};
    for (const auto& c : cases) {
        auto source = pattern(c.bytes, 1);
        std::vector<unsigned char> target(c.bytes + 1, 0xee);
        std::vector<unsigned char> room(target.begin(), target.end() - 1);
        auto there = cut(source, c.remote, 2);
        auto here = cut(room, c.local, 3);
        IoCursor local(here);
        IoCursor remote(there);
        const CmaResult read = cmaRead(::getpid(), local, remote, c.bytes);
        CHECK_EQ(read.errnum, 0);
        CHECK_EQ(read.bytes, c.bytes);
        CHECK(room == source);
        CHECK(local.atEnd() && remote.atEnd());

        auto back = pattern(c.bytes, 4);
        auto from = cut(back, c.local, 5);
        IoCursor writer(from);
        IoCursor written(there);
        CHECK_EQ(cmaWrite(::getpid(), writer, written, c.bytes).errnum, 0);
        CHECK(source == back);
    }
}

TEST("cma: more entries than one call takes") {
    auto source = pattern(50'000, 7);
    std::vector<unsigned char> target(source.size());
    auto there = cut(source, 5000, 8);
    auto here = cut(target, 3000, 9);
    IoCursor local(here);
    IoCursor remote(there);
    const CmaResult result = cmaRead(::getpid(), local, remote, source.size());
    CHECK_EQ(result.errnum, 0);
    CHECK(result.calls > 4);
    CHECK(target == source);
}

TEST("cma: more bytes than one call moves") {
    // 36 x 64 MiB = 2.25 GiB, all from and to the same 64 MiB.
    constexpr std::size_t kPiece = 64u << 20;
    std::vector<unsigned char> source(kPiece, 0x5a);
    std::vector<unsigned char> target(kPiece);
    const std::vector<iovec> there(36, {source.data(), kPiece});
    const std::vector<iovec> here(36, {target.data(), kPiece});
    IoCursor local(here);
    IoCursor remote(there);
    const CmaResult result = cmaRead(::getpid(), local, remote, totalBytes(there));
    CHECK_EQ(result.errnum, 0);
    CHECK_EQ(result.bytes, 36ull * kPiece);
    CHECK(result.bytes > kCmaMostPerCall);
    CHECK(result.calls >= 2);
    CHECK(target == source);
}

TEST("cma: a range that ends in the middle moves what is there, then fails") {
    const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    auto* memory = static_cast<unsigned char*>(
        ::mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(memory != MAP_FAILED);
    std::memset(memory, 0x11, 3 * page);
    ::munmap(memory + 2 * page, page);
    std::vector<unsigned char> target(3 * page, 0xee);
    const iovec there{memory, 3 * page};
    const iovec here{target.data(), target.size()};
    IoCursor local({&here, 1});
    IoCursor remote({&there, 1});
    const CmaResult result = cmaRead(::getpid(), local, remote, 3 * page);
    CHECK_EQ(result.errnum, EFAULT);
    CHECK_EQ(result.bytes, 2 * page);
    CHECK_EQ(target[2 * page - 1], 0x11);
    CHECK_EQ(target[2 * page], 0xee);
    ::munmap(memory, 2 * page);
}

TEST("cma: asking for more than the lists hold is an error, not a loop") {
    std::vector<unsigned char> source(100, 1);
    std::vector<unsigned char> target(50);
    const iovec there{source.data(), source.size()};
    const iovec here{target.data(), target.size()};
    IoCursor local({&here, 1});
    IoCursor remote({&there, 1});
    const CmaResult result = cmaRead(::getpid(), local, remote, 100);
    CHECK_EQ(result.bytes, 50u);
    CHECK_EQ(result.errnum, EFAULT);
}

TEST("cma: a process that is gone is ESRCH") {
    pid_t gone = 0;
    { gone = Sleeper().pid(); }
    std::vector<unsigned char> target(10);
    const iovec piece{target.data(), target.size()};
    IoCursor local({&piece, 1});
    IoCursor remote({&piece, 1});
    CHECK_EQ(cmaRead(gone, local, remote, 10).errnum, ESRCH);
    CHECK_EQ(cmaRefusal(gone), ESRCH);
}

TEST("cma: the probe believes only the nonce, in both directions") {
    NonceCell cell{0x1122334455667788, 0};
    const Sleeper sleeper;
    const std::uint64_t address = reinterpret_cast<std::uint64_t>(&cell);
    const CmaVerdict yes = probeCma(sleeper.pid(), address, cell.nonce);
    CHECK(yes.read);
    CHECK(yes.write);
    // Written into the sleeper's memory, not into ours.
    CHECK_EQ(cell.echo, 0u);

    const CmaVerdict other = probeCma(sleeper.pid(), address, cell.nonce + 1);
    CHECK(!other.read && !other.write);
    CHECK_EQ(other.errnum, 0);

    const CmaVerdict unmapped = probeCma(sleeper.pid(), 8, cell.nonce);
    CHECK(!unmapped.read);
    CHECK_EQ(unmapped.errnum, EFAULT);
    CHECK_EQ(cmaRefusal(sleeper.pid()), 0);
}

TEST("cma: a process that may not be read is refused") {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_DUMPABLE, 0);
        [[maybe_unused]] const auto told = ::write(ready[1], "", 1);
        for (;;) ::pause();
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    NonceCell cell{1, 0};
    // The superuser may read anything: another user asks.
    const int code = test::runInChild([&] {
        if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return;
        const CmaVerdict verdict =
            probeCma(child, reinterpret_cast<std::uint64_t>(&cell), cell.nonce);
        CHECK(!verdict.read);
        CHECK_EQ(verdict.errnum, EPERM);
        CHECK_EQ(cmaRefusal(child), EPERM);
        CHECK_EQ(cmaRefusal(::getpid()), 0);
    });
    CHECK_EQ(code, 0);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
}
