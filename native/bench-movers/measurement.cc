#include "measurement.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <new>
#include <sstream>
#include <system_error>

#include "board.h"
#include "core/os/clock.h"
#include "core/os/fd.h"
#include "crew.h"
#include "memory.h"
#include "mover.h"
#include "pattern.h"
#include "payload.h"

namespace onecopy::bench {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kUnknown = 1e18;  // a time longer than any

// Of one turn.
constexpr std::uint64_t kMostIterations = 1'000'000;

std::uint64_t strideOf(std::uint64_t bytes) { return roundUp(bytes + kGuard, kPage); }

// Everything that the processes have in common, made before them.
struct Setting {
    const Options& options;
    Pattern pattern;
    Pages pages;
    int processes;
    std::vector<int> cores{};
    SharedMemory memory{};
    Board* board = nullptr;
    Lane* lanes = nullptr;
    std::vector<UniqueFd> heapFiles{};
    std::vector<Region> heaps{};  // by process; its payload once more
    std::vector<std::unique_ptr<Mover>> movers{};
    std::vector<std::string> refusals{};  // by mover; empty: none

    Lane& lane(int from, int to) const { return lanes[from * processes + to]; }
};

UniqueFd makeHeapFile(std::uint64_t bytes) {
    UniqueFd fd(::memfd_create("onecopy bench movers", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    }
    return fd;
}

// The least of what is known.
double lesser(double one, double other) {
    if (one < 0) return other;
    return other < 0 ? one : std::min(one, other);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// One of the processes.
class Process {
   public:
    Process(Setting& setting, int self)
        : setting_(setting),
          board_(*setting.board),
          self_(self),
          patience_(board_, setting.cores.empty()),
          phases_(phasesOf(setting.pattern, self, setting.processes)) {}

    void run() {
        prepare();
        for (const std::uint64_t bytes : setting_.options.sizes) measureSize(bytes);
    }

   private:
    // How many it has at the same time.
    struct Blocks {
        int sends = 0;
        int receives = 0;
    };

    void prepare() {
        for (const Phase& phase : phases_) {
            blocks_.sends = std::max(blocks_.sends, static_cast<int>(phase.sends.size()));
            blocks_.receives = std::max(blocks_.receives, static_cast<int>(phase.receives.size()));
        }
        const std::uint64_t stride = strideOf(std::ranges::max(setting_.options.sizes));
        Member& member = board_.members[static_cast<std::size_t>(self_)];
        member.pid = ::getpid();
        if (blocks_.sends > 0) {
            sends_ = Region(static_cast<std::uint64_t>(blocks_.sends) * stride, setting_.pages);
            sends_.populate();
            if (usesHeap()) {
                Region& heap = setting_.heaps[static_cast<std::size_t>(self_)];
                heap.populate();
                member.heapShare = heap.hugeShare().value_or(-1);
            }
        }
        if (blocks_.receives > 0) {
            receives_ =
                Region(static_cast<std::uint64_t>(blocks_.receives) * stride, setting_.pages);
            receives_.populate();
        }
        member.privateShare =
            lesser(sends_.hugeShare().value_or(-1), receives_.hugeShare().value_or(-1));
        meet();
        for (int peer = 0; peer < setting_.processes; ++peer) {
            pids_.push_back(board_.members[static_cast<std::size_t>(peer)].pid);
        }
        for (const auto& mover : setting_.movers) mover->enter(self_, pids_);
    }

    bool usesHeap() const {
        return std::ranges::any_of(setting_.movers, [](const auto& m) { return m->usesHeap(); });
    }

    void meet() {
        board_.outside.meet(setting_.processes, [this] { patience_.pass(); });
    }

    // Within a run. Throws Refused when another process was.
    void meetInside() {
        board_.inside.meet(setting_.processes, [this] { waitInside(); });
    }

    void waitInside() {
        if (board_.isRefused(run_)) throw Refused("another process was refused");
        patience_.pass();
    }

    // What process 0 says.
    std::uint64_t agree(std::uint64_t mine) {
        if (self_ == 0) board_.agreed = mine;
        meet();
        const std::uint64_t agreed = board_.agreed;
        meet();
        return agreed;
    }

    void layOut(std::uint64_t bytes) {
        const std::uint64_t stride = strideOf(bytes);
        const auto at = [stride](std::byte* start, int block) {
            return start + static_cast<std::uint64_t>(block) * stride;
        };
        messages_.assign(phases_.size(), {});
        for (std::size_t i = 0; i < phases_.size(); ++i) {
            for (const End& end : phases_[i].sends) {
                Message message;
                message.peer = end.peer;
                message.bytes = bytes;
                message.data = at(sends_.data(), end.sendersBlock);
                message.lane = &setting_.lane(self_, end.peer);
                if (usesHeap()) {
                    Region& heap = setting_.heaps[static_cast<std::size_t>(self_)];
                    message.shared = at(heap.data(), end.sendersBlock);
                    fill(const_cast<std::byte*>(message.shared), bytes, self_, end.peer);
                }
                fill(message.data, bytes, self_, end.peer);
                messages_[i].sends.push_back(message);
            }
            for (const End& end : phases_[i].receives) {
                Message message;
                message.peer = end.peer;
                message.bytes = bytes;
                message.data = at(receives_.data(), end.receiversBlock);
                message.lane = &setting_.lane(end.peer, self_);
                if (usesHeap()) {
                    const Region& heap = setting_.heaps[static_cast<std::size_t>(end.peer)];
                    message.shared = at(heap.data(), end.sendersBlock);
                }
                messages_[i].receives.push_back(message);
            }
        }
        meet();
    }

    struct Messages {
        std::vector<Message> sends;
        std::vector<Message> receives;
    };

    // One iteration. Throws Refused, also when another process was refused.
    void exchange(Mover& mover) {
        for (Messages& messages : messages_) {
            // Both ends count alike: phases and iterations are the same for everybody.
            const std::uint64_t sequence = run_ << 32 | ++exchanges_;
            const auto begin = [sequence](Message& message) {
                message.sequence = sequence;
                message.position = 0;
                message.stage = 0;
                message.done = false;
            };
            std::ranges::for_each(messages.sends, begin);
            std::ranges::for_each(messages.receives, begin);
            std::size_t open = messages.sends.size() + messages.receives.size();
            while (open > 0) {
                bool moved = false;
                const auto after = [&](Message& message, Progress progress) {
                    if (progress == Progress::waiting) return;
                    moved = true;
                    if (progress != Progress::done) return;
                    message.done = true;
                    --open;
                };
                for (Message& message : messages.sends) {
                    if (!message.done) after(message, mover.send(message));
                }
                for (Message& message : messages.receives) {
                    if (!message.done) after(message, mover.receive(message));
                }
                if (!moved) waitInside();
            }
        }
    }

    // Nanoseconds, as process 0 sees them.
    struct Times {
        Nanoseconds moving = 0;
        Nanoseconds all = 0;  // with what is done between the messages
        std::uint64_t iterations = 0;
    };

    // So many iterations after one that is not counted: the mover before has left the caches as it
    // likes them. Fewer where they take much longer than they should, since somebody else has the
    // cores. Nothing where the mover was refused.
    std::optional<Times> run(std::size_t index, std::uint64_t iterations) {
        Mover& mover = *setting_.movers[index];
        ++run_;
        exchanges_ = 0;
        if (self_ == 0) board_.mover.store(static_cast<int>(index), std::memory_order_relaxed);
        Times times;
        meet();
        try {
            exchange(mover);
            const bool offCache = setting_.options.offCache;
            const std::uint64_t batch = offCache ? 1 : std::max<std::uint64_t>(1, iterations / 8);
            const Nanoseconds begin = now();
            for (bool enough = false; !enough && times.iterations < iterations;) {
                if (offCache) evictAll();
                meetInside();
                const std::uint64_t count = std::min(batch, iterations - times.iterations);
                const Nanoseconds start = now();
                for (std::uint64_t i = 0; i < count; ++i) exchange(mover);
                times.moving += now() - start;
                times.iterations += count;
                times.all = now() - begin;
                // Process 0 writes it again only after everybody has come to the next batch.
                if (self_ == 0) board_.enough = static_cast<double>(times.all) > 3 * turn();
                meetInside();
                enough = board_.enough;
            }
        } catch (const Refused& refusal) {
            board_.refuse(run_, refusal.what());
        }
        meet();
        if (!board_.isRefused(run_)) return times;
        setting_.refusals[index] = board_.reason.data();
        meet();
        if (self_ == 0) board_.inside.reset();
        meet();
        return {};
    }

    double turn() const {
        return setting_.options.seconds * kNanosecondsPerSecond / setting_.options.rounds;
    }

    void evictAll() {
        for (const Messages& messages : messages_) {
            for (const Message& message : messages.sends) {
                evict(message.data, message.bytes);
                if (message.shared != nullptr) evict(message.shared, message.bytes);
            }
            for (const Message& message : messages.receives) evict(message.data, message.bytes);
        }
    }

    // One run in which every byte is looked at. Throws Failure.
    void verify(std::size_t index, std::uint64_t bytes) {
        const std::string name(setting_.movers[index]->name());
        const Corruption& corruption = setting_.options.corruption;
        const bool corrupted = corruption.mover == name;
        if (corrupted) corrupt(corruption.offset % bytes);
        for (const Messages& messages : messages_) {
            for (const Message& message : messages.receives) poison(message.data, bytes);
        }
        if (!run(index, 1)) return;
        for (const Messages& messages : messages_) {
            for (const Message& message : messages.receives) {
                const auto wrong = check(message.data, bytes, message.peer, self_);
                if (!wrong) continue;
                std::ostringstream sentence;
                sentence << name << " (" << nameOf(setting_.pattern) << ", " << bytes
                         << " bytes): byte " << wrong->offset << " of the message from process "
                         << message.peer << " to process " << self_ << " is " << wrong->found
                         << ", not " << wrong->expected;
                throw Failure(sentence.str());
            }
        }
        if (corrupted) corrupt(corruption.offset % bytes);
        meet();
    }

    // Turns one bit over in everything that this process sends; done twice, it is as before.
    void corrupt(std::uint64_t offset) {
        for (const Messages& messages : messages_) {
            for (const Message& message : messages.sends) {
                message.data[offset] ^= std::byte{1};
                if (message.shared != nullptr) {
                    const_cast<std::byte*>(message.shared)[offset] ^= std::byte{1};
                }
            }
        }
    }

    // What is known of one mover at one size. Times are nanoseconds of one iteration, and only
    // process 0 has them.
    struct Series {
        std::vector<double> times;
        double fastest = kUnknown;     // with everything that is done for it
        std::uint64_t iterations = 0;  // of all turns
    };

    void measureSize(std::uint64_t bytes) {
        layOut(bytes);
        const std::size_t count = setting_.movers.size();
        const auto works = [&](std::size_t i) { return setting_.refusals[i].empty(); };
        std::vector<bool> workedBefore(count);
        for (std::size_t i = 0; i < count; ++i) workedBefore[i] = works(i);

        std::vector<Series> series(count);
        for (std::size_t i = 0; i < count; ++i) {
            if (works(i)) verify(i, bytes);
            if (works(i)) warmUp(i, series[i]);
        }
        // In turns: what disturbs the machine for a while disturbs all of them.
        for (int round = 0; round < setting_.options.rounds; ++round) {
            for (std::size_t i = 0; i < count; ++i) {
                if (works(i)) takeTurn(i, series[i]);
            }
        }
        if (self_ != 0) return;
        for (std::size_t i = 0; i < count; ++i) {
            if (works(i)) {
                print(i, bytes, series[i]);
            } else if (workedBefore[i]) {
                printRefusal(setting_, i);
            }
        }
        std::fflush(stdout);
    }

    // Finds out how long an iteration takes, in more and more of them.
    void warmUp(std::size_t index, Series& series) {
        constexpr std::uint64_t kStep = 8;
        for (std::uint64_t iterations = 1;; iterations *= kStep) {
            const auto times = run(index, iterations);
            if (!times) return;
            note(series, *times);
            if (agree(iterations * kStep < iterationsOfTurn(series) ? 0 : 1) == 1) return;
        }
    }

    void takeTurn(std::size_t index, Series& series) {
        // By the fastest so far: a disturbance during the first attempts must not leave all turns
        // with a handful of iterations.
        const auto times = run(index, agree(iterationsOfTurn(series)));
        if (!times) return;
        series.times.push_back(note(series, *times));
        series.iterations += times->iterations;
    }

    static double note(Series& series, const Times& times) {
        const auto count = static_cast<double>(times.iterations);
        series.fastest = std::min(series.fastest, static_cast<double>(times.all) / count);
        return static_cast<double>(times.moving) / count;
    }

    std::uint64_t iterationsOfTurn(const Series& series) const {
        return static_cast<std::uint64_t>(std::clamp(turn() / std::max(1.0, series.fastest), 1.0,
                                                     static_cast<double>(kMostIterations)));
    }

    void print(std::size_t index, std::uint64_t bytes, const Series& series) {
        const Mover& mover = *setting_.movers[index];
        const double each = median(series.times);
        const double messages = messagesInARow(setting_.pattern, setting_.processes) * 1e3;
        const double bytesMoved =
            static_cast<double>(bytes) * messagesPerIteration(setting_.pattern, setting_.processes);
        printHead(setting_, mover);
        std::printf(",\"bytes\":%" PRIu64 ",\"us\":%.6g,\"minUs\":%.6g,\"gbPerS\":%.6g", bytes,
                    each / messages, std::ranges::min(series.times) / messages, bytesMoved / each);
        std::printf(",\"iterations\":%" PRIu64 ",\"rounds\":%d,\"cache\":\"%s\"", series.iterations,
                    setting_.options.rounds, setting_.options.offCache ? "cold" : "warm");
        double share = -1;
        for (int i = 0; i < setting_.processes; ++i) {
            const Member& member = board_.members[static_cast<std::size_t>(i)];
            share = lesser(share, member.privateShare);
            if (mover.usesHeap()) share = lesser(share, member.heapShare);
        }
        if (share >= 0) std::printf(",\"hugeShare\":%.3g", share);
        std::printf(",\"cores\":[");
        for (std::size_t i = 0; i < setting_.cores.size(); ++i) {
            std::printf("%s%d", i == 0 ? "" : ",", setting_.cores[i]);
        }
        std::printf("]%s}\n", mover.details().c_str());
    }

   public:
    static void printHead(const Setting& setting, const Mover& mover) {
        std::printf("{\"mover\":\"%s\",\"pattern\":\"%s\",\"processes\":%d,\"pages\":\"%s\"",
                    std::string(mover.name()).c_str(), nameOf(setting.pattern), setting.processes,
                    nameOf(setting.pages));
    }

    static void printRefusal(const Setting& setting, std::size_t index) {
        printHead(setting, *setting.movers[index]);
        std::printf(",\"skipped\":\"%s\"}\n", setting.refusals[index].c_str());
        std::fflush(stdout);
    }

   private:
    Setting& setting_;
    Board& board_;
    int self_;
    Patience patience_;
    std::vector<Phase> phases_;
    Blocks blocks_;
    Region sends_;
    Region receives_;
    std::vector<pid_t> pids_;
    std::vector<Messages> messages_;
    std::uint64_t run_ = 0;
    std::uint64_t exchanges_ = 0;
};

// A process that runs out of memory is killed; better to say it before.
void checkMemory(const Options& options, Pattern pattern, int processes) {
    const auto available = availableMemory();
    if (!available) return;
    const std::uint64_t stride = strideOf(std::ranges::max(options.sizes));
    const auto messages = static_cast<std::uint64_t>(messagesPerIteration(pattern, processes));
    // Sent from private memory, sent from a heap, received.
    const std::uint64_t needed = 3 * messages * roundUp(stride, kHugePage);
    if (needed <= *available / 10 * 9) return;
    std::ostringstream sentence;
    sentence << nameOf(pattern) << " among " << processes << " processes needs " << (needed >> 20)
             << " MiB for messages of " << std::ranges::max(options.sizes) << " bytes, and "
             << (*available >> 20) << " MiB are available: take smaller ones, or fewer processes";
    throw Failure(sentence.str());
}

}  // namespace

bool measure(const Options& options, Pattern pattern, Pages pages) {
    const int processes = processesOf(pattern, options.processes);
    checkMemory(options, pattern, processes);
    Setting setting{options, pattern, pages, processes};
    setting.cores = coresFor(processes);
    const auto lanes = static_cast<std::size_t>(processes * processes);
    const std::uint64_t boardBytes = roundUp(sizeof(Board), kPage);
    setting.memory = SharedMemory(boardBytes + lanes * sizeof(Lane));
    setting.board = new (setting.memory.data()) Board;
    setting.lanes = new (setting.memory.data() + boardBytes) Lane[lanes];
    setting.movers = makeMovers(options);
    setting.refusals.resize(setting.movers.size());

    const std::vector<Pair> pairs = pairsOf(pattern, processes);
    for (std::size_t i = 0; i < setting.movers.size(); ++i) {
        try {
            setting.movers[i]->open(pairs);
        } catch (const Refused& refusal) {
            setting.refusals[i] = refusal.what();
            Process::printRefusal(setting, i);
        }
    }
    const std::uint64_t heapBytes =
        roundUp(static_cast<std::uint64_t>(mostBlocks(pattern, processes)) *
                    strideOf(std::ranges::max(options.sizes)),
                kHugePage);
    for (int i = 0; i < processes; ++i) {
        setting.heapFiles.push_back(makeHeapFile(heapBytes));
        setting.heaps.emplace_back(heapBytes, pages, setting.heapFiles.back().get());
    }

    Board& board = *setting.board;
    return runCrew(
        board, processes, setting.cores, [&](int self) { Process(setting, self).run(); },
        [&](int signal) {
            const int mover = board.mover.load(std::memory_order_relaxed);
            std::fprintf(
                stderr, "a process was ended by signal %d (%s)%s%s\n", signal, ::strsignal(signal),
                mover < 0 ? "" : " while it measured ",
                mover < 0
                    ? ""
                    : std::string(setting.movers[static_cast<std::size_t>(mover)]->name()).c_str());
        });
}

}  // namespace onecopy::bench
