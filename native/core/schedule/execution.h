// One execution of a schedule: a collective operation that one rank takes part in, from its start
// to its end. It may be blocking or not; all state is here, none in the schedule.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/error.h"
#include "core/engine/list.h"
#include "core/engine/request.h"
#include "core/schedule/operands.h"
#include "core/schedule/schedule.h"

namespace onecopy {

class Engine;
struct CollectiveContext;

// The operations, for messages and for checks that all ranks called the same one. The order is that
// of COLLECTIVES in native/src/collectives.ts.
enum class Collective : std::uint8_t {
    barrier = 0,
    bcast,
    reduce,
    allreduce,
    gather,
    gatherv,
    scatter,
    scatterv,
    allgather,
    allgatherv,
    alltoall,
    alltoallv,
    reduceScatterBlock,
    scan,
    exscan
};
inline constexpr std::uint32_t kCollectives = static_cast<std::uint32_t>(Collective::exscan) + 1;

// Why a collective operation failed on some rank; told to all members.
struct Breakage {
    ErrorCode code = ErrorCode::ok;
    std::int32_t culprit = -1;  // rank in the world on which it failed first
    std::string text;           // what a user's operator said
};

struct LiveTag : Link {};   // executions of one communicator
struct ReadyTag : Link {};  // executions whose steps can go on
struct AwaitTag : Link {};  // executions that look at what others publish

class Execution final : public LiveTag, public ReadyTag, public AwaitTag {
   public:
    Execution(std::shared_ptr<const Schedule> schedule, Collective collective, Operand in,
              Operand out, Combiner combiner);
    ~Execution();
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    // False: counts and buffers do not agree; it cannot be started.
    bool fits() const { return operands_.fit(); }

    // For the engine.
    void begin(Engine& engine, CollectiveContext& context, std::uint64_t sequence);
    // A request of one of its steps is complete.
    void ended(Request& request);
    // Starts what can be started; true if that was anything.
    bool advance();
    // Looks at what others have published.
    void look();
    bool seesPublished() const;
    // The same for the step that will be looked at first.
    bool seesNext() const;
    // Gives up: takes back what can be taken back. Complete once no peer can touch its memory.
    void fail(const Error& error, Breakage why);

    Collective collective() const { return collective_; }
    // Its number on the communicator, and the tag of its messages.
    std::uint64_t sequence() const { return sequence_; }
    std::uint32_t tag() const { return static_cast<std::uint32_t>(sequence_ & 0x7fffffff); }
    // With a failure that began on another rank.
    const Breakage* failedElsewhere() const { return elsewhere_ ? &why_ : nullptr; }
    // What a user's operator has said, to be told to others.
    const std::string* operatorText = nullptr;

    // Complete when all steps are, or when it has failed and no peer can touch its memory any more.
    Request handle;

   private:
    struct Exposure {
        std::uint32_t pullsLeft = 0;
        std::uint32_t pulling = 0;
        bool accepted = false;
        bool over = false;
    };

    void release(std::uint32_t step);
    void start(std::uint32_t step);
    void startMessage(const Step& step, std::uint32_t id);
    void startPull(const Step& step, std::uint32_t id);
    bool copy(const Step& step);
    bool reduce(const Step& step);
    bool measure(const Step& step);
    void complete(std::uint32_t step);
    void settleRequest(Request& request);
    void endExposure(std::uint32_t accept, bool well);
    void startAreaStep(const Step& step, std::uint32_t id);
    bool mayBegin();
    bool copyOut(const Step& step);
    bool present(const Region& region) const;
    bool usable(const Step& step);
    void setBuffer(Request& request, const Region& region);
    void setOperand(Request& request, const Step& step);
    void finish();

    std::shared_ptr<const Schedule> schedule_;
    const Collective collective_;
    Operands operands_;
    const Combiner combiner_;
    Engine* engine_ = nullptr;
    CollectiveContext* context_ = nullptr;
    std::uint64_t sequence_ = 0;

    std::vector<std::uint32_t> waits_;  // by step
    std::vector<std::uint32_t> ready_;  // a heap: the earliest step first
    std::unique_ptr<Request[]> requests_;
    std::vector<std::vector<iovec>> lists_;     // by request: its buffer
    std::vector<std::vector<iovec>> ownLists_;  // by request: what it combines with
    std::vector<Exposure> exposures_;           // by request of the accept step
    std::vector<std::uint32_t> awaits_;         // steps that wait for a peer to publish
    bool usesArea_ = false;
    bool hasTurn_ = false;
    // A peer could not take what was sent to it: it says why itself.
    std::int32_t explains_ = -1;
    std::vector<Request*> ended_;  // not yet taken note of
    std::uint32_t left_ = 0;       // steps that are not complete
    std::uint32_t active_ = 0;     // requests in flight
    bool advancing_ = false;
    bool failed_ = false;
    bool elsewhere_ = false;
    Error error_;
    Breakage why_;
};

}  // namespace onecopy
