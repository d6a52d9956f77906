#include "addon/waiting.h"

#include <cmath>
#include <span>

#include "addon/collectives.h"
#include "addon/probing.h"

namespace onecopy {

void close(RankFace& rank, Pending& pending) {
    // Watched and settled, but not delivered yet: the loop must not wait for it any more.
    if (pending.operation().QueueTag::linked()) rank.loop->settleOne();
    if (pending.prepared && !pending.prepared->freed) {
        pending.operation().QueueTag::unlink();
        pending.prepared->active = false;
        return;
    }
    if (pending.parts && pending.parts->received && !pending.request.error)
        rank.received.emplace(pending.handle, std::move(pending.parts->received));
    rank.pending.close(pending.handle);
}

Pending* findActive(const RankFace& rank, double handle) {
    Pending* pending = rank.pending.find(handle);
    return pending != nullptr && pending->active() ? pending : nullptr;
}

namespace {

bool readNumbers(napi_env env, napi_value value, double*& numbers, std::size_t& length) {
    napi_typedarray_type type;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float64_array)
        return false;
    numbers = static_cast<double*>(data);
    return true;
}

}  // namespace

bool Named::read(napi_env env, RankFace& rank, napi_value handles, napi_value outcomes,
                 std::size_t count) {
    double* first = nullptr;
    std::size_t most = 0;
    std::size_t room = 0;
    if (!readNumbers(env, handles, first, most) || !readNumbers(env, outcomes, outcomes_, room) ||
        most < count || room < count * kOutcomePlaces)
        return false;
    // A copy: an operator may make such a call, which is refused only here, while this one waits.
    rank.named.assign(first, first + count);
    return true;
}

bool Named::find(RankFace& rank) {
    rank.waitedFor.clear();
    for (const double handle : rank.named) {
        if (handle == 0) continue;
        Pending* pending = findActive(rank, std::abs(handle));
        if (pending == nullptr) return false;
        if (handle > 0) pending->buffer.seen();
        rank.waitedFor.push_back(&pending->operation());
    }
    return true;
}

namespace {

napi_value useUp(napi_env env, RankFace& rank, Pending& pending) {
    const ErrorCode outcome = pending.collective
                                  ? reportCollective(rank, *pending.collective->execution)
                                  : reportOutcome(rank, pending.request);
    if (pending.request.matched) keepMessage(rank, std::move(pending.request.matched));
    close(rank, pending);
    return code(env, outcome);
}

napi_value wait(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = findActive(rank, in.real(env, 0));
        if (pending == nullptr) return code(env, ErrorCode::request);
        const Nanoseconds deadline = deadlineIn(in.real(env, 1));
        Request& request = pending->operation();
        const ErrorCode waited = rank.engine->wait(request, deadline);
        if (waited != ErrorCode::ok) {
            reportError(rank, {.code = waited, .peer = request.peer, .expected = request.capacity});
            done(rank, 1);
            return code(env, waited);
        }
        done(rank, 0);
        return useUp(env, rank, *pending);
    });
}

napi_value test(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = findActive(rank, in.real(env, 0));
        if (pending == nullptr) return code(env, ErrorCode::request);
        if (!pending->operation().complete()) rank.engine->progress();
        if (rank.engine->isHopeless(pending->operation())) {
            reportError(rank, {.code = ErrorCode::noMem, .peer = pending->operation().peer});
            done(rank, 1);
            return code(env, ErrorCode::noMem);
        }
        if (!pending->operation().complete()) return number(env, -1);
        done(rank, 0);
        return useUp(env, rank, *pending);
    });
}

// Writes how an operation ended, where it has succeeded, and forgets it.
void collect(RankFace& rank, double handle, double* outcome) {
    outcome[kType] = kToBeAsked;
    // The same operation may have been named twice.
    Pending* pending = findActive(rank, handle);
    if (pending == nullptr) return;
    if (!pending->operation().complete()) {
        outcome[kType] = kGoesOn;
        return;
    }
    // What a probe has matched is asked for, like a failure.
    if (pending->operation().error || pending->request.matched) return;
    writeArrival(outcome, pending->operation().envelope);
    close(rank, *pending);
}

// Waits for all of the named operations, or for any, and writes how they ended.
template <typename Wait>
napi_value waitForMany(napi_env env, napi_callback_info info, Wait wait) {
    return guarded(env, [&] {
        const Arguments<4> in(env, info);
        RankFace& rank = begin(*in.rank);
        Named named;
        if (!named.read(env, rank, in.values[0], in.values[1], in.unsignedInteger(env, 2)))
            return code(env, ErrorCode::arg);
        const Looking looking(rank.views);
        if (!Named::find(rank)) return code(env, ErrorCode::request);
        const ErrorCode waited = wait(*rank.engine, rank.waitedFor, in.real(env, 3));
        if (waited != ErrorCode::ok) {
            reportError(rank, {.code = waited});
            return code(env, waited);
        }
        for (std::size_t i = 0; i < rank.named.size(); ++i)
            collect(rank, std::abs(rank.named[i]), named.outcome(i));
        return code(env, ErrorCode::ok);
    });
}

napi_value waitAll(napi_env env, napi_callback_info info) {
    return waitForMany(env, info,
                       [](Engine& engine, std::span<Request* const> requests, double timeout) {
                           return engine.waitAll(requests, deadlineIn(timeout));
                       });
}

napi_value waitSome(napi_env env, napi_callback_info info) {
    return waitForMany(env, info,
                       [](Engine& engine, std::span<Request* const> requests, double timeout) {
                           return engine.waitAny(requests, timeout == 0 ? 0 : deadlineIn(timeout));
                       });
}

napi_value cancel(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = findActive(rank, in.real(env, 0));
        return number(env, pending != nullptr && rank.engine->cancel(pending->operation()) ? 1 : 0);
    });
}

napi_value watch(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = findActive(rank, in.real(env, 0));
        if (pending == nullptr || pending->operation().watched) return nullptr;
        rank.engine->watch(pending->operation());
        rank.loop->awaitOne();
        return nullptr;
    });
}

napi_value onSettled(napi_env env, napi_callback_info info) {
    const Arguments<1> in(env, info);
    face(env)->loop->listen(in.values[0]);
    return nullptr;
}

}  // namespace

void registerWaiting(napi_env env, napi_value exports) {
    exportRaw(env, exports, "wait", wait);
    exportRaw(env, exports, "test", test);
    exportRaw(env, exports, "waitAll", waitAll);
    exportRaw(env, exports, "waitSome", waitSome);
    exportRaw(env, exports, "cancel", cancel);
    exportRaw(env, exports, "watch", watch);
    exportRaw(env, exports, "onSettled", onSettled);
}

}  // namespace onecopy
