// A job whose ranks are threads of this process, with the launcher's own roster and broker on a
// thread beside them: for the engine's tests, and so that TSan sees both sides of every shared
// word.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/engine/engine.h"
#include "core/launch/broker.h"
#include "core/launch/roster.h"

namespace onecopy::test {

// CHANNEL_UNDER_TEST, ring or socket: every test can run on both.
ChannelKind channelUnderTest();

struct WorldOptions {
    int ranks = 2;
    std::uint64_t eagerLimit = 16 * 1024;
    PullPolicy pull = PullPolicy::probe;
    ChannelKind channel = channelUnderTest();
    std::uint64_t spinNanoseconds = 0;
};

class World {
   public:
    explicit World(const WorldOptions& options);
    ~World();

    // Runs `body` as each rank, then leaves the job in its name (unless it has died), and checks
    // that no wake-up was lost.
    void run(const std::function<void(Engine&)>& body);

    // Marks a rank dead, as the launcher does when its process is gone.
    void kill(int rank);
    // Begins to end the job, in the name of this rank or, with -1, of nobody.
    void end(int culprit);

   private:
    void serve();
    void handle(std::size_t rank);
    // Lets the launcher's thread do something, and waits until it has.
    void order(const std::function<void()>& what);

    WorldOptions options_;
    Roster roster_;
    std::unique_ptr<Broker> broker_;  // made once the roster is complete
    std::vector<UniqueFd> ends_;
    std::vector<std::atomic<bool>> dead_;
    UniqueFd wake_;
    std::atomic<const std::function<void()>*> ordered_{nullptr};
    std::atomic<bool> stop_{false};
    std::thread launcher_;
};

}  // namespace onecopy::test
