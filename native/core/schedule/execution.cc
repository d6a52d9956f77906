#include "core/schedule/execution.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "core/engine/engine.h"

namespace onecopy {

namespace {

bool isPull(StepKind kind) { return kind == StepKind::pull || kind == StepKind::pullReduce; }

}  // namespace

Execution::Execution(std::shared_ptr<const Schedule> schedule, Collective collective, Operand in,
                     Operand out, Combiner combiner)
    : schedule_(std::move(schedule)),
      collective_(collective),
      operands_(*schedule_, std::move(in), std::move(out)),
      combiner_(combiner) {
    handle.kind = Request::Kind::collective;
    handle.capacity = operands_.largest();
    handle.envelope.kind = messageKindOf(static_cast<std::uint8_t>(collective_));
    handle.peer = -2;
}

Execution::~Execution() {
    LiveTag::unlink();
    ReadyTag::unlink();
    AwaitTag::unlink();
}

void Execution::begin(Engine& engine, CollectiveContext& context, std::uint64_t sequence) {
    engine_ = &engine;
    context_ = &context;
    sequence_ = sequence;
    handle.state = Request::State::running;
    usesArea_ = schedule_->usesArea;
    if (usesArea_) context.areaTurns.push_back(this);
    operands_.allocate();
    left_ = static_cast<std::uint32_t>(schedule_->steps.size());
    if (schedule_->requests > 0) {
        requests_ = std::make_unique<Request[]>(schedule_->requests);
        lists_.resize(schedule_->requests);
        exposures_.resize(schedule_->requests);
    }
    waits_.reserve(schedule_->steps.size());
    for (const Step& step : schedule_->steps) waits_.push_back(step.waits);
    ready_ = schedule_->first;  // ascending, which is a heap already
}

// ---------------------------------------------------------------------------------------------------
// steps

bool Execution::advance() {
    if (advancing_ || handle.complete()) return false;
    advancing_ = true;
    bool moved = false;
    for (;;) {
        // By index: starting a step may end its request at once.
        for (std::size_t i = 0; i < ended_.size(); ++i) settleRequest(*ended_[i]);
        ended_.clear();
        if (failed_ || ready_.empty() || !mayBegin()) break;
        std::pop_heap(ready_.begin(), ready_.end(), std::greater<>());
        const std::uint32_t next = ready_.back();
        ready_.pop_back();
        start(next);
        moved = true;
    }
    advancing_ = false;
    if (failed_ ? active_ == 0 : left_ == 0) finish();
    return moved;
}

// The area shows one operation at a time, in their order.
bool Execution::mayBegin() {
    if (!usesArea_ || hasTurn_) return true;
    if (context_->areaTurns.front() != this) return false;
    hasTurn_ = true;
    engine_->enterArea(*this);
    return true;
}

void Execution::release(std::uint32_t step) {
    if (--waits_[step] > 0) return;
    ready_.push_back(step);
    std::push_heap(ready_.begin(), ready_.end(), std::greater<>());
}

void Execution::complete(std::uint32_t step) {
    --left_;
    const Step& done = schedule_->steps[step];
    for (std::uint32_t i = 0; i < done.successors; ++i)
        release(schedule_->successors[done.firstSuccessor + i]);
}

// Whether the memory of a region is still where it was when the operation began.
bool Execution::present(const Region& region) const {
    BufferOwner* owner = operands_.owner(region.buffer);
    return owner == nullptr || owner->stillThere();
}

// The lengths of all its regions are known.
bool Execution::usable(const Step& step) {
    return operands_.ready(step.from.buffer) && operands_.ready(step.own.buffer) &&
           operands_.ready(step.into.buffer);
}

void Execution::start(std::uint32_t id) {
    const Step& step = schedule_->steps[id];
    if (!usable(step)) return fail({.code = ErrorCode::protocol}, {});
    switch (step.kind) {
        case StepKind::send:
        case StepKind::recv:
        case StepKind::recvReduce:
        case StepKind::expose:
        case StepKind::accept:
            startMessage(step, id);
            // What follows on the same way may start now, in this order.
            if (step.follower >= 0) release(static_cast<std::uint32_t>(step.follower));
            return;
        case StepKind::pull:
        case StepKind::pullReduce:
            return startPull(step, id);
        case StepKind::copy:
        case StepKind::pack:
        case StepKind::unpack:
            if (copy(step)) complete(id);
            return;
        case StepKind::reduce:
            if (reduce(step)) complete(id);
            return;
        case StepKind::measure:
            if (measure(step)) complete(id);
            return;
        case StepKind::join:
            return complete(id);
        case StepKind::publish:
        case StepKind::await:
        case StepKind::copyIn:
        case StepKind::copyOut:
            return startAreaStep(step, id);
    }
}

void Execution::startAreaStep(const Step& step, std::uint32_t id) {
    if (context_->context != kWorldCollectives) return fail({.code = ErrorCode::protocol}, {});
    switch (step.kind) {
        case StepKind::publish:
            engine_->publish(*context_);
            return complete(id);
        case StepKind::await:
            awaits_.push_back(id);
            if (!AwaitTag::linked()) engine_->awaiting_.append(*this);
            return look();
        case StepKind::copyIn: {
            if (!present(step.from)) return fail({.code = ErrorCode::detached}, {});
            std::vector<iovec> from;
            operands_.pieces(step.from, from);
            if (!engine_->fillCell(from)) return fail({.code = ErrorCode::protocol}, {});
            return complete(id);
        }
        default:
            if (copyOut(step)) complete(id);
            return;
    }
}

// What precedes it in the schedule has seen the peer publish.
bool Execution::copyOut(const Step& step) {
    const std::int32_t peer = context_->members[static_cast<std::size_t>(step.peer)];
    const CollectiveArea* area = engine_->areaOf(peer);
    std::vector<iovec> into;
    operands_.pieces(step.into, into);
    // Read once: another process may change it.
    const std::uint64_t bytes = area == nullptr ? 0 : area->bytes.load(std::memory_order_relaxed);
    if (area == nullptr || !present(step.into) || bytes != totalBytes(into)) {
        fail({.code = area == nullptr ? ErrorCode::protocol : ErrorCode::count,
              .peer = peer,
              .expected = bytes,
              .actual = totalBytes(into)},
             {});
        return false;
    }
    IoCursor(into).copyIn(area->cell, bytes);
    return true;
}

bool Execution::seesPublished() const {
    return std::any_of(awaits_.begin(), awaits_.end(), [&](std::uint32_t id) {
        const Step& step = schedule_->steps[id];
        return engine_->seesPublished(context_->members[static_cast<std::size_t>(step.peer)], *this,
                                      step.exposure);
    });
}

bool Execution::seesNext() const {
    if (awaits_.empty()) return true;
    const Step& step = schedule_->steps[awaits_.front()];
    return engine_->seesPublished(context_->members[static_cast<std::size_t>(step.peer)], *this,
                                  step.exposure);
}

void Execution::look() {
    // Its last words are on their way, see finish().
    if (failed_) return engine_->makeReady(*this);
    if (Error lost; explains_ >= 0 && engine_->isLost(explains_, lost)) return fail(lost, {});
    for (std::size_t i = 0; i < awaits_.size() && !failed_;) {
        const Step& step = schedule_->steps[awaits_[i]];
        const std::int32_t peer = context_->members[static_cast<std::size_t>(step.peer)];
        Error lost;
        if (!engine_->hasPublished(peer, *this, step.exposure, lost)) {
            if (lost) return fail(lost, {});
            ++i;
            continue;
        }
        // Asking may have brought the news that this operation has failed.
        if (failed_) return;
        const std::uint32_t id = awaits_[i];
        awaits_.erase(awaits_.begin() + static_cast<std::ptrdiff_t>(i));
        complete(id);
        if (!advancing_) engine_->makeReady(*this);
    }
    if (awaits_.empty() && explains_ < 0) AwaitTag::unlink();
}

// A single piece needs no list.
void Execution::setBuffer(Request& request, const Region& region) {
    request.owner = operands_.owner(region.buffer);
    std::vector<iovec>& list = lists_[static_cast<std::size_t>(&request - requests_.get())];
    list.clear();
    operands_.pieces(region, list);
    if (list.empty()) return request.setBuffer(operands_.address(region), 0);
    if (list.size() == 1) return request.setBuffer(list[0].iov_base, list[0].iov_len);
    request.setBuffer(list);
}

void Execution::setOperand(Request& request, const Step& step) {
    if (ownLists_.empty()) ownLists_.resize(schedule_->requests);
    std::vector<iovec>& list = ownLists_[static_cast<std::size_t>(step.request)];
    list.clear();
    operands_.pieces(step.own, list);
    request.combiner = &combiner_;
    request.own = list;
    request.incoming = step.incoming;
}

void Execution::startMessage(const Step& step, std::uint32_t id) {
    Request& request = requests_[static_cast<std::size_t>(step.request)];
    request.execution = this;
    request.step = id;
    ++active_;
    const std::int32_t peer = context_->members[static_cast<std::size_t>(step.peer)];
    const auto tag = static_cast<std::int32_t>(this->tag());
    const Selector selector{peer, tag, context_->context};
    const MessageKind kind = handle.envelope.kind;
    switch (step.kind) {
        case StepKind::expose:
            request.exposed = true;
            [[fallthrough]];
        case StepKind::send:
            setBuffer(request, step.from);
            return engine_->startSend(request, peer, tag, context_->context, kind,
                                      operands_.type(step.from.buffer));
        case StepKind::accept: {
            // Only how long it is matters here, and nothing is written.
            request.accepting = true;
            request.exact = true;
            request.setBuffer(nullptr, operands_.bytes(step.from));
            exposures_[static_cast<std::size_t>(step.request)].pullsLeft = step.pulls;
            return engine_->startRecv(request, selector, kind, operands_.type(step.from.buffer));
        }
        case StepKind::recvReduce:
            setOperand(request, step);
            [[fallthrough]];
        default:
            request.exact = true;
            setBuffer(request, step.into);
            return engine_->startRecv(request, selector, kind, operands_.type(step.into.buffer));
    }
}

void Execution::startPull(const Step& step, std::uint32_t id) {
    const Step& accept = schedule_->steps[step.exposure];
    Request& request = requests_[static_cast<std::size_t>(step.request)];
    request.execution = this;
    request.step = id;
    ++active_;
    ++exposures_[static_cast<std::size_t>(accept.request)].pulling;
    if (step.kind == StepKind::pullReduce) setOperand(request, step);
    setBuffer(request, step.into);
    engine_->startPull(request, requests_[static_cast<std::size_t>(accept.request)],
                       operands_.position(accept.from, step.from), operands_.bytes(step.from));
}

bool Execution::copy(const Step& step) {
    if (!present(step.from) || !present(step.into)) {
        fail({.code = ErrorCode::detached}, {});
        return false;
    }
    std::vector<iovec> from;
    std::vector<iovec> into;
    operands_.pieces(step.from, from);
    operands_.pieces(step.into, into);
    if (totalBytes(from) != totalBytes(into)) {
        fail({.code = ErrorCode::count, .expected = totalBytes(from), .actual = totalBytes(into)},
             {});
        return false;
    }
    // In place: what is to be copied lies there already.
    if (from.size() == 1 && into.size() == 1 && from[0].iov_base == into[0].iov_base) return true;
    IoCursor cursor(into);
    for (const iovec& part : from)
        cursor.copyIn(static_cast<const std::byte*>(part.iov_base), part.iov_len);
    return true;
}

bool Execution::reduce(const Step& step) {
    if (!present(step.from) || !present(step.own) || !present(step.into)) {
        fail({.code = ErrorCode::detached}, {});
        return false;
    }
    std::vector<iovec> from;
    std::vector<iovec> own;
    std::vector<iovec> into;
    operands_.pieces(step.from, from);
    operands_.pieces(step.own, own);
    operands_.pieces(step.into, into);
    std::uint64_t offset = 0;
    bool well = true;
    for (std::size_t i = 0; i < from.size() && well; ++i) {
        well =
            combinePieces(combiner_, into, own, step.incoming,
                          static_cast<const std::byte*>(from[i].iov_base), offset, from[i].iov_len);
        offset += from[i].iov_len;
    }
    if (well) return true;
    fail({.code = ErrorCode::op}, {});
    return false;
}

bool Execution::measure(const Step& step) {
    std::vector<std::uint64_t> lengths;
    operands_.measure(step.from, lengths);
    std::vector<iovec> into;
    operands_.pieces(step.into, into);
    if (totalBytes(into) != lengths.size() * sizeof(std::uint64_t)) {
        fail({.code = ErrorCode::protocol}, {});
        return false;
    }
    IoCursor(into).copyIn(reinterpret_cast<const std::byte*>(lengths.data()),
                          lengths.size() * sizeof(std::uint64_t));
    return true;
}

// ---------------------------------------------------------------------------------------------------
// ends

void Execution::ended(Request& request) {
    ended_.push_back(&request);
    if (!advancing_) engine_->makeReady(*this);
}

void Execution::settleRequest(Request& request) {
    --active_;
    const Step& step = schedule_->steps[request.step];
    if (isPull(step.kind)) {
        const std::uint32_t accept = step.exposure;
        Exposure& exposure = exposures_[static_cast<std::size_t>(schedule_->steps[accept].request)];
        --exposure.pulling;
        --exposure.pullsLeft;
        if (exposure.pullsLeft == 0) endExposure(accept, !request.error);
        if (failed_ && exposure.pulling == 0) endExposure(accept, false);
    } else if (step.kind == StepKind::accept && !request.error) {
        exposures_[static_cast<std::size_t>(step.request)].accepted = true;
        if (step.pulls == 0 || failed_) endExposure(request.step, !failed_);
    }
    if (failed_) return;
    if (request.error.code == ErrorCode::transfer) {
        // The peer has failed in this operation, and its word about that is on the way: it knows
        // why.
        explains_ = request.peer;
        if (!AwaitTag::linked()) engine_->awaiting_.append(*this);
        return;
    }
    if (request.error) return fail(request.error, {});
    complete(request.step);
}

void Execution::endExposure(std::uint32_t accept, bool well) {
    const Step& step = schedule_->steps[accept];
    Exposure& exposure = exposures_[static_cast<std::size_t>(step.request)];
    if (!exposure.accepted || exposure.over) return;
    exposure.over = true;
    engine_->endExposure(requests_[static_cast<std::size_t>(step.request)],
                         well ? TransferState::done : TransferState::failed);
}

void Execution::fail(const Error& error, Breakage why) {
    if (failed_ || handle.complete()) return;
    failed_ = true;
    error_ = error;
    elsewhere_ = why.code != ErrorCode::ok;
    if (!elsewhere_) {
        // Of a rank that is gone the others are to hear its own number.
        const bool lost = error.code == ErrorCode::procFailed || error.code == ErrorCode::procLeft;
        why = {error.code, lost && error.peer >= 0 ? error.peer : engine_->rank(),
               operatorText == nullptr ? "" : *operatorText};
    }
    why_ = std::move(why);
    // From here on the messages of this operation are nobody's.
    engine_->breakCollective(*context_, tag(), why_);
    for (const Step& step : schedule_->steps) {
        if (step.request < 0) continue;
        Request& request = requests_[static_cast<std::size_t>(step.request)];
        if (request.execution == nullptr || request.complete()) continue;
        // What a peer is copying goes on to its end.
        engine_->cancel(request);
    }
    for (std::uint32_t id = 0; id < schedule_->steps.size(); ++id) {
        const Step& step = schedule_->steps[id];
        // A peer that waits for the end of its exposure may itself be waited for.
        if (step.kind == StepKind::accept &&
            exposures_[static_cast<std::size_t>(step.request)].pulling == 0)
            endExposure(id, false);
    }
    engine_->makeReady(*this);
}

void Execution::finish() {
    // Who sees this rank in a later operation must be able to find the word that this one failed.
    if (failed_ && usesArea_ && engine_->hasUntoldNotices(*context_, tag())) {
        if (!AwaitTag::linked()) engine_->awaiting_.append(*this);
        return;
    }
    LiveTag::unlink();
    AwaitTag::unlink();
    if (usesArea_) {
        auto& turns = context_->areaTurns;
        const bool wasFirst = turns.front() == this;
        turns.erase(std::find(turns.begin(), turns.end(), this));
        if (wasFirst && !turns.empty()) engine_->makeReady(*turns.front());
    }
    engine_->complete(handle, error_);
}

}  // namespace onecopy
