#include "core/launch/job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/job/defaults.h"
#include "core/launch/cores.h"
#include "core/launch/roster.h"
#include "core/launch/signals.h"
#include "core/launch/watch.h"

namespace onecopy {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void check(const JobOptions& options) {
    if (options.ranks < 1 || options.ranks > kMaxRanks) {
        throw std::invalid_argument("a job has 1 to " + std::to_string(kMaxRanks) + " ranks, not " +
                                    std::to_string(options.ranks));
    }
    if (options.program.file.empty()) throw std::invalid_argument("there is no program to start");
    if (::syscall(SYS_gettid) != ::getpid()) {
        // The ranks die with the thread that started them.
        throw std::invalid_argument("a job must be started on the main thread");
    }
}

JobSettings settingsFor(const JobOptions& options) {
    JobSettings settings{};
    settings.size = static_cast<std::uint32_t>(options.ranks);
    settings.cores = static_cast<std::uint32_t>(usableCores());
    settings.eagerLimit = options.eagerLimit.value_or(
        options.channel == ChannelKind::ring ? kRingEagerLimit : kSocketEagerLimit);
    settings.channel = options.channel;
    if (options.channel == ChannelKind::ring)
        settings.ringBytes = static_cast<std::uint32_t>(ringBytesFor(options.ranks));
    settings.pull = options.denyPull ? PullPolicy::denied : PullPolicy::probe;
    settings.launcherPid = ::getpid();
    // With fewer cores than ranks whoever spins keeps another rank from working.
    const std::uint64_t spin = options.ranks > settings.cores ? 0 : kSpinNanoseconds;
    settings.spinNanoseconds = options.spinNanoseconds.value_or(spin);
    return settings;
}

struct Pipe {
    UniqueFd readEnd;
    UniqueFd writeEnd;
};

Pipe makePipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string hex(std::uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016" PRIx64, number);
    return text.data();
}

std::string inodeOf(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) fail("fstat");
    return std::to_string(info.st_ino);
}

// What a launcher that is itself a rank of an outer job inherited: none of it is true for our
// ranks.
bool belongsToAJob(std::string_view entry) {
    constexpr std::array kOurs{
        "ONECOPY_CONTROL=", "ONECOPY_JOB=", "ONECOPY_RANK=", "ONECOPY_SIZE=", "OMPI_COMM_WORLD_"};
    return std::ranges::any_of(kOurs, [&](const char* name) { return entry.starts_with(name); });
}

std::vector<std::string> environmentFor(const JobOptions& options, const std::string& id,
                                        std::size_t rank, int control) {
    std::vector<std::string> env;
    env.reserve(options.program.env.size() + 8);
    std::ranges::remove_copy_if(options.program.env, std::back_inserter(env), belongsToAJob);
    const std::string number = std::to_string(rank);
    const std::string size = std::to_string(options.ranks);
    env.push_back("ONECOPY_CONTROL=" + std::to_string(control) + ":" + inodeOf(control));
    env.push_back("ONECOPY_JOB=" + id);
    env.push_back("ONECOPY_RANK=" + number);
    env.push_back("ONECOPY_SIZE=" + size);
    env.push_back("OMPI_COMM_WORLD_RANK=" + number);
    env.push_back("OMPI_COMM_WORLD_SIZE=" + size);
    env.push_back("OMPI_COMM_WORLD_LOCAL_RANK=" + number);
    env.push_back("OMPI_COMM_WORLD_LOCAL_SIZE=" + size);
    return env;
}

}  // namespace

Job::Job(const JobOptions& options, Listener listener) {
    check(options);
    // Before the first fork: a launcher that is interrupted from here on ends the job.
    auto signals = std::make_unique<SignalRelay>();
    Roster roster(settingsFor(options));
    id_ = hex(roster.jobId());

    UniqueFd nothing = aboveStandard(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    UniqueFd firstInput;
    if (options.input < 0) {
        Pipe pipe = makePipe();
        firstInput = aboveStandard(std::move(pipe.readEnd));
        input_ = std::move(pipe.writeEnd);
    }

    std::vector<ChildProcess> ranks;
    ranks.reserve(options.ranks);
    for (std::size_t rank = 0; rank < options.ranks; ++rank) {
        const UniqueFd control = aboveStandard(roster.addRank());
        Pipe output = makePipe();
        Pipe errors = makePipe();
        output.writeEnd = aboveStandard(std::move(output.writeEnd));
        errors.writeEnd = aboveStandard(std::move(errors.writeEnd));
        Program program = options.program;
        program.env = environmentFor(options, id_, rank, control.get());
        const int given = options.input < 0 ? firstInput.get() : options.input;
        ranks.emplace_back(program, Inheritance{.input = rank == 0 ? given : nothing.get(),
                                                .output = output.writeEnd.get(),
                                                .errors = errors.writeEnd.get(),
                                                .control = control.get()});
        roster.setPid(rank, ranks.back().pid());
        pids_.push_back(ranks.back().pid());
        outputs_.push_back(std::move(output.readEnd));
        errors_.push_back(std::move(errors.readEnd));
    }
    // Only now, so that the programs were loaded side by side.
    for (ChildProcess& rank : ranks) rank.confirm();

    watch_ = std::make_unique<Watch>(
        Watch::Parts{std::move(roster), std::move(ranks), std::move(signals)}, options.grace,
        options.guardians, std::move(listener));
}

Job::~Job() = default;

void Job::end(int signal) { watch_->end(signal); }

void Job::stop() { watch_->stop(); }

}  // namespace onecopy
