#include "core/launch/cores.h"

#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "test/harness.h"

namespace onecopy::test {
namespace {

// A file tree that stands for /proc and the mounted cgroups.
class Tree {
   public:
    Tree() {
        char name[] = "/tmp/onecopy-test-XXXXXX";
        root_ = ::mkdtemp(name);
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) const {
        const std::filesystem::path file = root_ + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    std::optional<std::size_t> cores() const { return quotaCores(root_); }

   private:
    std::string root_;
};

constexpr const char* kV2Mount =
    "24 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST("cores: no cgroup, no quota") {
    const Tree tree;
    CHECK(!tree.cores());
    tree.write("/proc/self/mountinfo", kV2Mount);
    tree.write("/proc/self/cgroup", "0::/user.slice/session\n");
    CHECK(!tree.cores());
    tree.write("/sys/fs/cgroup/user.slice/session/cpu.max", "max 100000\n");
    CHECK(!tree.cores());
}

TEST("cores: a quota of cgroup v2, rounded up") {
    const Tree tree;
    tree.write("/proc/self/mountinfo", kV2Mount);
    tree.write("/proc/self/cgroup", "0::/a/b\n");
    tree.write("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    CHECK_EQ(tree.cores().value_or(0), 3u);
    tree.write("/sys/fs/cgroup/a/b/cpu.max", "10000 100000\n");
    CHECK_EQ(tree.cores().value_or(0), 1u);
}

TEST("cores: the smallest quota on the way up counts") {
    const Tree tree;
    tree.write("/proc/self/mountinfo", kV2Mount);
    tree.write("/proc/self/cgroup", "0::/a/b/c\n");
    tree.write("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
    tree.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    tree.write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    CHECK_EQ(tree.cores().value_or(0), 2u);
    tree.write("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    CHECK_EQ(tree.cores().value_or(0), 1u);
}

TEST("cores: a quota of cgroup v1") {
    const Tree tree;
    tree.write(
        "/proc/self/mountinfo",
        "33 24 0:29 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
        "34 24 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
    tree.write("/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n");
    tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n");
    tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
    CHECK(!tree.cores());
    tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "150000\n");
    CHECK_EQ(tree.cores().value_or(0), 2u);
}

TEST("cores: a container that sees only its own part of the hierarchy") {
    const Tree tree;
    tree.write("/proc/self/mountinfo",
               "34 24 0:30 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
    tree.write("/proc/self/cgroup", "4:cpu:/docker/abc\n");
    tree.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
    tree.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(tree.cores().value_or(0), 4u);
}

TEST("cores: nonsense in these files is no quota") {
    const Tree tree;
    tree.write("/proc/self/mountinfo", std::string("junk\n- - -\n") + kV2Mount);
    tree.write("/proc/self/cgroup", "junk\n0::/a\n");
    for (const char* text : {"", "junk", "100000", "-5 100000", "100000 0", "100000 -1"}) {
        tree.write("/sys/fs/cgroup/a/cpu.max", text);
        CHECK(!tree.cores());
    }
}

TEST("cores: the affinity mask limits them") {
    CHECK(usableCores() >= 1);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK_EQ(usableCores(), 1u);
}

}  // namespace
}  // namespace onecopy::test
