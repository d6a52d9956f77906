#include "test/job_under_test.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "test/control_client.h"

extern char** environ;

namespace onecopy::test {

namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point deadline() { return Clock::now() + std::chrono::milliseconds(kPatience); }

}  // namespace

JobOptions rankProgram(std::size_t ranks, const std::string& program, const Arguments& args) {
    JobOptions options;
    options.ranks = ranks;
    options.program.file = selfPath();
    options.program.args = {"--rank-program", program};
    options.program.args.insert(options.program.args.end(), args.begin(), args.end());
    for (char** entry = environ; *entry != nullptr; ++entry) options.program.env.push_back(*entry);
    options.grace = std::chrono::milliseconds(kPatience);
    return options;
}

JobUnderTest::JobUnderTest(const JobOptions& options) {
    job_ = std::make_unique<Job>(options, [this](const JobEvent& event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(event);
        changed_.notify_all();
    });
    outputs_ = job_->takeOutputs();
    errors_ = job_->takeErrors();
    input_ = job_->takeInput();
    buffers_.resize(outputs_.size());
}

void JobUnderTest::writeInput(const std::string& text) {
    CHECK_EQ(::write(input_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string JobUnderTest::readUntil(int fd, std::string& buffer, bool wholeLine) {
    const auto until = deadline();
    for (;;) {
        const std::size_t end = buffer.find('\n');
        if (wholeLine && end != std::string::npos) {
            std::string line = buffer.substr(0, end);
            buffer.erase(0, end + 1);
            return line;
        }
        pollfd entry{fd, POLLIN, 0};
        std::array<char, 4096> bytes;
        if (::poll(&entry, 1, 100) == 1) {
            const ssize_t got = ::read(fd, bytes.data(), bytes.size());
            if (got <= 0) return std::exchange(buffer, {});
            buffer.append(bytes.data(), static_cast<std::size_t>(got));
        } else if (Clock::now() > until) {
            fail("no output came");
            return std::exchange(buffer, {});
        }
    }
}

std::string JobUnderTest::line(std::size_t rank) {
    return readUntil(outputs_[rank].get(), buffers_[rank], true);
}

std::string JobUnderTest::rest(std::size_t rank) {
    return readUntil(outputs_[rank].get(), buffers_[rank], false);
}

std::string JobUnderTest::errors(std::size_t rank) {
    std::string buffer;
    return readUntil(errors_[rank].get(), buffer, false);
}

JobEvent JobUnderTest::waitFor(JobEvent::Kind kind, int rank) {
    std::unique_lock lock(mutex_);
    const auto matches = [&](const JobEvent& event) {
        return event.kind == kind && (rank < 0 || event.rank == rank);
    };
    const auto find = [&] { return std::ranges::find_if(events_, matches); };
    if (!changed_.wait_until(lock, deadline(), [&] { return find() != events_.end(); })) {
        fail("an event of kind " + show(kind) + " did not come");
        throw Abandoned{};
    }
    return *find();
}

std::optional<Cause> JobUnderTest::waitForEnd() { return waitFor(JobEvent::Kind::end).cause; }

std::vector<JobEvent> JobUnderTest::events() const {
    const std::lock_guard lock(mutex_);
    return events_;
}

bool JobUnderTest::hasNote(const std::string& part) const {
    return std::ranges::any_of(events(), [&](const JobEvent& event) {
        return event.kind == JobEvent::Kind::note && contains(event.text, part);
    });
}

Gate::Gate() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    readEnd_ = UniqueFd(ends[0]);
    writeEnd_ = UniqueFd(ends[1]);
}

std::string Gate::path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(readEnd_.get());
}

void Gate::pass(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char byte;
    if (!fd || ::read(fd.get(), &byte, 1) != 0) throw std::runtime_error("the gate is broken");
}

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

bool isGone(pid_t pid) {
    const auto until = deadline();
    while (Clock::now() < until) {
        std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
        std::string line;
        if (!std::getline(in, line)) return true;
        const std::size_t state = line.rfind(") ");
        if (state != std::string::npos && (line[state + 2] == 'Z' || line[state + 2] == 'X'))
            return true;
        ::usleep(1000);
    }
    return false;
}

std::vector<int> openDescriptors() {
    std::vector<int> result;
    // Collected first: the folder itself is open while it is read.
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        result.push_back(std::atoi(entry.path().filename().c_str()));
    }
    std::erase_if(result, [](int fd) { return ::fcntl(fd, F_GETFD) < 0; });
    std::ranges::sort(result);
    return result;
}

}  // namespace onecopy::test
