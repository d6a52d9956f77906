#include "addon/engine.h"

#include <cmath>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "addon/collectives.h"
#include "addon/contexts.h"
#include "addon/datatypes.h"
#include "addon/face.h"
#include "addon/messages.h"
#include "addon/persistent.h"
#include "addon/probing.h"
#include "addon/view.h"
#include "addon/waiting.h"

namespace onecopy {

namespace {

// ---------------------------------------------------------------------------------------------------
// blocking calls

napi_value send(napi_env env, napi_callback_info info) {
    return guardedMessage(env, info, [&](RankFace& rank, napi_value buffer, const Addressed& to) {
        rank.engine->prepareSend(to.partner);
        View view;
        if (const ErrorCode wrong = readView(env, buffer, to.type, view); wrong != ErrorCode::ok)
            return done(rank, wrong);
        if (!to.synchronous() && rank.engine->sendAtOnce(view.data, view.bytes, to.partner, to.tag,
                                                         to.context, to.kind(), view.type))
            return done(rank, ErrorCode::ok);
        Request request;
        request.setBuffer(view.data, view.bytes);
        request.synchronous = to.synchronous();
        rank.engine->startSend(request, to.partner, to.tag, to.context, to.kind(), view.type);
        return done(rank, finish(rank, request));
    });
}

napi_value recv(napi_env env, napi_callback_info info) {
    return guardedMessage(env, info, [&](RankFace& rank, napi_value buffer, const Addressed& from) {
        rank.engine->prepareRecv(from.partner);
        View view;
        if (const ErrorCode wrong = readView(env, buffer, from.type, view); wrong != ErrorCode::ok)
            return done(rank, wrong);
        Envelope came;
        if (rank.engine->recvAtOnce(view.data, view.bytes, from.selector(), from.kind(), view.type,
                                    came)) {
            reportArrival(rank, came);
            return done(rank, ErrorCode::ok);
        }
        Request request;
        request.setBuffer(view.data, view.bytes);
        rank.engine->startRecv(request, from.selector(), from.kind(), view.type);
        return done(rank, finish(rank, request));
    });
}

// ----------------------------------------------------------------------------------------------
// operations in flight

napi_value isend(napi_env env, napi_callback_info info) {
    return guardedMessage<-1>(env, info, [&](RankFace& rank, napi_value buffer, Addressed to) {
        rank.engine->prepareSend(to.partner);
        View view;
        if (const ErrorCode wrong = readView(env, buffer, to.type, view); wrong != ErrorCode::ok)
            return done(rank, -static_cast<double>(wrong));
        if (!to.synchronous() && rank.engine->sendAtOnce(view.data, view.bytes, to.partner, to.tag,
                                                         to.context, to.kind(), view.type))
            return done(rank, ErrorCode::ok);
        return startPending(rank, buffer, view, true, [&](Request& request) {
            request.synchronous = to.synchronous();
            rank.engine->startSend(request, to.partner, to.tag, to.context, to.kind(), view.type);
        });
    });
}

napi_value irecv(napi_env env, napi_callback_info info) {
    return guardedMessage<-1>(env, info, [&](RankFace& rank, napi_value buffer, Addressed from) {
        rank.engine->prepareRecv(from.partner);
        View view;
        if (const ErrorCode wrong = readView(env, buffer, from.type, view); wrong != ErrorCode::ok)
            return done(rank, -static_cast<double>(wrong));
        Envelope came;
        if (rank.engine->takeAtOnce(view.data, view.bytes, from.selector(), from.kind(), view.type,
                                    came)) {
            reportArrival(rank, came);
            return done(rank, ErrorCode::ok);
        }
        // What is no longer than this comes with its envelope, and is copied by this process, which
        // looks first. The memory of a heap's block that is given back meanwhile must not be handed
        // out again.
        const bool pins = view.bytes > rank.engine->settings().eagerLimit ||
                          rank.engine->isInHeap(view.data, view.bytes);
        return startPending(rank, buffer, view, pins, [&](Request& request) {
            rank.engine->startRecv(request, from.selector(), from.kind(), view.type);
        });
    });
}

// --------------------------------------------------------------------------------------------------------
// start, end

napi_value leave(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        // Inside an operator the rank cannot complete what it owes: it goes as one that failed.
        if (face(env)->inOperator) {
            face(env)->engine->vanish();
            return code(env, ErrorCode::ok);
        }
        const bool left =
            face(env)->engine->leave(in.integer(env, 0) == 0, deadlineIn(in.real(env, 1)));
        return left ? code(env, ErrorCode::ok) : number(env, -1);
    });
}

Napi::Value owed(const Napi::CallbackInfo& info) {
    Napi::Array all = Napi::Array::New(info.Env());
    for (const Owed& each : face(info.Env())->engine->owed()) {
        Napi::Object one = Napi::Object::New(info.Env());
        one.Set("rank", each.rank);
        one.Set("messages", static_cast<double>(each.messages));
        all.Set(all.Length(), one);
    }
    return all;
}

Napi::Value abortJob(const Napi::CallbackInfo& info) {
    face(info.Env())
        ->engine->abort(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Boolean>(),
                        info[2].As<Napi::String>().Utf8Value());
    return info.Env().Undefined();
}

Napi::Value counters(const Napi::CallbackInfo& info) {
    const Counters& counters = face(info.Env())->engine->counters();
    Napi::Object result = Napi::Object::New(info.Env());
    const auto set = [&](const char* name, const Shared<std::uint64_t>& counter) {
        result.Set(name, static_cast<double>(counter.load(std::memory_order_relaxed)));
    };
    set("sent", counters.sent);
    set("received", counters.received);
    set("eagerBytes", counters.eagerBytes);
    set("cmaBytes", counters.cmaBytes);
    set("cmaCalls", counters.cmaCalls);
    set("stagedBytes", counters.stagedBytes);
    set("localBytes", counters.localBytes);
    set("sleeps", counters.sleeps);
    set("lateWakeups", counters.lateWakeups);
    set("rings", counters.rings);
    set("unexpected", counters.unexpected);
    set("withdrawn", counters.withdrawn);
    set("hugePages", counters.hugePages);
    set("heapBytes", counters.heapBytes);
    set("heapHugePages", counters.heapHugePages);
    set("pushedBytes", counters.pushedBytes);
    result.Set("keptContexts", static_cast<double>(face(info.Env())->engine->keptContexts()));
    result.Set("calls", static_cast<double>(face(info.Env())->calls));
    return result;
}

napi_value wtime(napi_env env, napi_callback_info) {
    return number(env, static_cast<double>(now()) * 1e-9);
}

void throwCoded(Napi::Env env, const char* errorCode, const std::string& message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", errorCode);
    error.ThrowAsJavaScriptException();
}

std::unique_ptr<Engine> openEngine(const Napi::Value& control) {
    if (!control.IsObject()) return std::make_unique<Engine>();
    const Napi::Object object = control.As<Napi::Object>();
    ControlAddress address;
    address.fd = object.Get("fd").As<Napi::Number>().Int32Value();
    address.inode =
        std::strtoull(object.Get("inode").As<Napi::String>().Utf8Value().c_str(), nullptr, 10);
    address.jobId =
        std::strtoull(object.Get("jobId").As<Napi::String>().Utf8Value().c_str(), nullptr, 16);
    return std::make_unique<Engine>(std::make_unique<LauncherLink>(address));
}

const char* channelName(const Engine& engine) {
    if (engine.size() == 1) return "none";
    return engine.settings().channel == ChannelKind::ring ? "ring" : "socket";
}

// With the environment's end, pending requests are unlinked while the engine's lists still stand.
void closeFace(void* data) {
    RankFace* rank = static_cast<RankFace*>(data);
    rank->loop.reset();
}

Napi::Value start(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RankFace& rank = *face(env);
    if (rank.engine) {
        throwCoded(env, "ERR_NATIVE", "the engine of this process runs already");
        return env.Undefined();
    }
    try {
        rank.engine = openEngine(info[0]);
        uv_loop_t* loop = nullptr;
        napi_get_uv_event_loop(env, &loop);
        rank.loop = std::make_unique<EventLoop>(
            env, loop, *rank.engine,
            [](const Request& request) { return static_cast<Pending*>(request.cookie)->handle; });
    } catch (const BootstrapError& error) {
        throwCoded(env, "ERR_BOOTSTRAP", error.what());
        return env.Undefined();
    } catch (const std::system_error& error) {
        throwCoded(env, "ERR_SYSTEM", error.what());
        return env.Undefined();
    } catch (const std::invalid_argument& error) {
        // The environment asks for a threshold that is none.
        throwCoded(env, "ERR_ARG", error.what());
        return env.Undefined();
    }
    napi_add_env_cleanup_hook(env, closeFace, &rank);
    rank.report[kRank] = rank.engine->rank();
    const JobSettings& settings = rank.engine->settings();
    Napi::Object result = Napi::Object::New(env);
    result.Set("rank", rank.engine->rank());
    result.Set("size", rank.engine->size());
    result.Set("launcherPid", settings.launcherPid);
    result.Set("eagerLimit", static_cast<double>(settings.eagerLimit));
    result.Set("cores", settings.cores);
    result.Set("channel", channelName(*rank.engine));
    return result;
}

}  // namespace

void registerEngine(Napi::Env env, Napi::Object exports) {
    auto* rank = new RankFace;
    napi_set_instance_data(
        env, rank, [](napi_env, void* data, void*) { delete static_cast<RankFace*>(data); },
        nullptr);
    Napi::Float64Array report = Napi::Float64Array::New(env, kPlaces);
    rank->report = report.Data();
    napi_create_reference(env, report, 1, &rank->reportReference);
    exports.Set("report", report);
    Napi::Int32Array call = Napi::Int32Array::New(env, kCallPlaces);
    rank->call = call.Data();
    napi_create_reference(env, call, 1, &rank->callReference);
    exports.Set("call", call);
    Napi::Array views = Napi::Array::New(env);
    rank->views.env = env;
    napi_create_reference(env, views, 1, &rank->views.array);
    exports.Set("views", views);

    exports.Set("start", Napi::Function::New(env, start, "start"));
    exports.Set("abort", Napi::Function::New(env, abortJob, "abort"));
    exports.Set("owed", Napi::Function::New(env, owed, "owed"));
    exports.Set("counters", Napi::Function::New(env, counters, "counters"));
    exportRaw(env, exports, "send", send);
    exportRaw(env, exports, "recv", recv);
    exportRaw(env, exports, "isend", isend);
    exportRaw(env, exports, "irecv", irecv);
    registerProbing(env, exports);
    exportRaw(env, exports, "leave", leave);
    registerWaiting(env, exports);
    registerPersistent(env, exports);
    registerContexts(env, exports);
    registerDatatypes(env, exports);
    registerCollectives(env, exports);
    exportRaw(env, exports, "wtime", wtime);
}

}  // namespace onecopy
