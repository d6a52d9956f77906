#include "addon/persistent.h"

#include <cmath>
#include <memory>

#include "addon/view.h"
#include "addon/waiting.h"

namespace onecopy {

namespace {

template <bool receives>
napi_value prepare(napi_env env, napi_callback_info info) {
    return guardedMessage<-1>(env, info, [&](RankFace& rank, napi_value buffer, Addressed to) {
        View view;
        if (const ErrorCode wrong = readView(env, buffer, to.type, view); wrong != ErrorCode::ok)
            return done(rank, -static_cast<double>(wrong));
        return keepPrepared(rank, buffer, {to, view, receives});
    });
}

// Starts a round. False: it was complete at once, and `outcome` says how.
bool startRound(RankFace& rank, Pending& pending, double* outcome) {
    Engine& engine = *rank.engine;
    const Prepared& prepared = *pending.prepared;
    const Addressed& to = prepared.to;
    const View& view = prepared.view;
    const bool receives = prepared.receives;
    const bool scattered = prepared.layout != nullptr;
    outcome[kType] = 0;
    // As single calls do: what has come meanwhile goes to the receives that were posted before, and
    // this one may find its own lying there.
    if (receives) {
        engine.prepareRecv(to.partner);
    } else {
        engine.prepareSend(to.partner);
    }
    // An operator in JavaScript may have run in that; the long way looks before each copy itself.
    const bool atOnce = !scattered && pending.buffer.look() == ErrorCode::ok;
    if (atOnce && receives) {
        Envelope came;
        if (engine.takeAtOnce(view.data, view.bytes, to.selector(), to.kind(), view.type, came)) {
            writeArrival(outcome, came);
            return false;
        }
    } else if (atOnce && !to.synchronous() &&
               engine.sendAtOnce(view.data, view.bytes, to.partner, to.tag, to.context, to.kind(),
                                 view.type)) {
        return false;
    }
    pending.renewRequest();
    Request& request = pending.request;
    if (receives) {
        engine.startRecv(request, to.selector(), to.kind(), view.type);
    } else {
        request.synchronous = to.synchronous();
        engine.startSend(request, to.partner, to.tag, to.context, to.kind(), view.type);
    }
    if (request.complete() && !request.error) {
        if (receives) writeArrival(outcome, request.envelope);
        return false;
    }
    pending.prepared->active = true;
    return true;
}

napi_value startAll(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<3> in(env, info);
        RankFace& rank = begin(*in.rank);
        Named named;
        if (!named.read(env, rank, in.values[0], in.values[1], in.unsignedInteger(env, 2)))
            return code(env, ErrorCode::arg);
        const Looking looking(rank.views);
        // What moves on may run an operator in JavaScript, so it moves before the buffers are
        // looked at.
        for (const double handle : rank.named) {
            if (Pending* pending = rank.pending.find(std::abs(handle)); handle > 0 && pending)
                pending->buffer.seen();
        }
        rank.engine->progress();
        for (std::size_t i = 0; i < rank.named.size(); ++i) {
            Pending* pending = rank.pending.find(std::abs(rank.named[i]));
            rank.report[kResult] = static_cast<double>(i);
            if (pending == nullptr || !pending->prepared || pending->prepared->active ||
                pending->prepared->freed)
                return code(env, ErrorCode::request);
            if (const ErrorCode gone = pending->buffer.look(); gone != ErrorCode::ok)
                return code(env, gone);
        }
        for (std::size_t i = 0; i < rank.named.size(); ++i) {
            Pending& pending = *rank.pending.find(std::abs(rank.named[i]));
            // One that is named twice has been started by then.
            if (pending.prepared->active || startRound(rank, pending, named.outcome(i)))
                named.outcome(i)[kType] = kGoesOn;
        }
        return code(env, ErrorCode::ok);
    });
}

napi_value release(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = *in.rank;
        Pending* pending = rank.pending.find(in.real(env, 0));
        if (pending == nullptr || !pending->prepared) return nullptr;
        pending->prepared->freed = true;
        if (!pending->prepared->active) rank.pending.close(pending->handle);
        return nullptr;
    });
}

}  // namespace

napi_value keepPrepared(RankFace& rank, napi_value buffer, Prepared prepared) {
    double handle = 0;
    Pending& pending = rank.pending.open(handle);
    const std::size_t slot = HandleTable<Pending>::slotOf(handle);
    pending.handle = handle;
    pending.buffer.keep(rank.views, static_cast<std::uint32_t>(slot), prepared.view);
    pending.buffer.pin(buffer);
    pending.prepared = std::make_unique<Prepared>(std::move(prepared));
    rank.report[kSlot] = static_cast<double>(slot);
    return done(rank, handle);
}

void registerPersistent(napi_env env, napi_value exports) {
    exportRaw(env, exports, "prepareSend", prepare<false>);
    exportRaw(env, exports, "prepareRecv", prepare<true>);
    exportRaw(env, exports, "startAll", startAll);
    exportRaw(env, exports, "release", release);
}

}  // namespace onecopy
