#include "test/world.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "core/job/defaults.h"
#include "core/os/packet_socket.h"
#include "test/harness.h"

namespace onecopy::test {

namespace {

JobSettings settingsFor(const WorldOptions& options) {
    JobSettings settings{};
    settings.size = static_cast<std::uint32_t>(options.ranks);
    settings.cores = 2;
    settings.eagerLimit = options.eagerLimit;
    settings.channel = options.channel;
    if (options.channel == ChannelKind::ring)
        settings.ringBytes = static_cast<std::uint32_t>(ringBytesFor(settings.size));
    settings.pull = options.pull;
    settings.launcherPid = ::getpid();
    settings.spinNanoseconds = options.spinNanoseconds;
    return settings;
}

}  // namespace

ChannelKind channelUnderTest() {
    const char* wish = std::getenv("CHANNEL_UNDER_TEST");
    return wish != nullptr && std::strcmp(wish, "socket") == 0 ? ChannelKind::socket
                                                               : ChannelKind::ring;
}

World::World(const WorldOptions& options)
    : options_(options),
      roster_(settingsFor(options)),
      dead_(static_cast<std::size_t>(options.ranks)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (int rank = 0; rank < options.ranks; ++rank) {
        ends_.push_back(roster_.addRank());
        roster_.setPid(static_cast<std::size_t>(rank), ::getpid());
    }
    broker_ = std::make_unique<Broker>(
        roster_, Broker::Hooks{.note = [](const std::string& text) { fail("broker: " + text); },
                               .watchRoom = [](std::size_t, bool) {}});
    launcher_ = std::thread([this] { serve(); });
}

World::~World() {
    stop_ = true;
    writeEvent(wake_.get());
    launcher_.join();
}

void World::serve() {
    std::vector<pollfd> entries;
    for (std::size_t rank = 0; rank < ends_.size(); ++rank)
        entries.push_back({roster_.control(rank), POLLIN, 0});
    entries.push_back({wake_.get(), POLLIN, 0});
    while (!stop_) {
        ::poll(entries.data(), entries.size(), -1);
        drainEvent(wake_.get());
        if (const auto* what = ordered_.load(std::memory_order_acquire)) {
            (*what)();
            ordered_.store(nullptr, std::memory_order_release);
        }
        for (std::size_t rank = 0; rank < ends_.size(); ++rank) {
            if (entries[rank].revents != 0) handle(rank);
            entries[rank].fd = roster_.control(rank);
        }
    }
}

void World::handle(std::size_t rank) {
    std::array<std::byte, kMaxControlBytes> buffer;
    ReceivedPacket packet;
    PacketResult result;
    while ((result = receivePacket(roster_.control(rank), buffer, packet)) == PacketResult::done) {
        ControlKind kind;
        std::memcpy(&kind, buffer.data(), sizeof kind);
        ConnectMessage connect;
        std::memcpy(&connect, buffer.data(), sizeof connect);
        switch (kind) {
            case ControlKind::hello:
                broker_->welcome(rank);
                break;
            case ControlKind::connect:
                broker_->connect(rank, connect.peer);
                break;
            case ControlKind::contexts: {
                ContextsMessage contexts;
                std::memcpy(&contexts, buffer.data(), sizeof contexts);
                CHECK(broker_->giveContexts(rank, contexts.count));
                break;
            }
            case ControlKind::ack:
                broker_->acknowledge(rank);
                break;
            case ControlKind::leaving:
                roster_.setState(rank, RankState::leaving);
                break;
            case ControlKind::left:
                roster_.setState(rank, RankState::left);
                break;
            case ControlKind::abort:
                roster_.setEnding(static_cast<int>(rank));
                break;
            default:
                fail("the launcher received a packet of kind " +
                     std::to_string(static_cast<int>(kind)));
        }
    }
    if (result == PacketResult::closed) {
        broker_->drop(rank);
        roster_.closeControl(rank);
    }
}

void World::order(const std::function<void()>& what) {
    const std::function<void()>* none = nullptr;
    while (!ordered_.compare_exchange_weak(none, &what)) none = nullptr;
    writeEvent(wake_.get());
    while (ordered_.load(std::memory_order_acquire) == &what) std::this_thread::yield();
}

void World::kill(int rank) {
    dead_[static_cast<std::size_t>(rank)] = true;
    order([&] { roster_.setState(static_cast<std::size_t>(rank), RankState::dead); });
}

void World::end(int culprit) {
    order([&] { roster_.setEnding(culprit); });
}

void World::run(const std::function<void(Engine&)>& body) {
    std::vector<std::thread> ranks;
    for (std::size_t rank = 0; rank < ends_.size(); ++rank) {
        ranks.emplace_back([&, rank] {
            struct stat info {};
            ::fstat(ends_[rank].get(), &info);
            // The link takes the descriptor over, as it does in a rank's process.
            const ControlAddress address{ends_[rank].release(), info.st_ino, roster_.jobId()};
            Engine engine(std::make_unique<LauncherLink>(address));
            try {
                body(engine);
            } catch (const Abandoned&) {
            }
            // Nobody rings for the dead, whose threads may sleep here all the same.
            if (dead_[rank]) return;
            engine.leave(true);
            CHECK_EQ(engine.counters().lateWakeups.load(), 0u);
        });
    }
    for (std::thread& rank : ranks) rank.join();
}

}  // namespace onecopy::test
