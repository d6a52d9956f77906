#include "addon/engine.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "addon/collectives.h"
#include "addon/face.h"
#include "addon/view.h"

namespace onecopy {

namespace {

// Waits for a request on the stack. It must not leave before nobody can touch it any more.
ErrorCode finish(RankFace& rank, Request& request) {
    const ErrorCode waited = rank.engine->wait(request);
    if (waited != ErrorCode::ok) {
        rank.engine->cancel(request);
        reportError(rank, {.peer = request.peer, .expected = request.capacity});
        return waited;
    }
    return reportOutcome(rank, request);
}

// ---------------------------------------------------------------------------------------------------
// blocking calls

napi_value send(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<5> in(env, info);
        RankFace& rank = begin(*in.rank);
        View view;
        if (const ErrorCode wrong = readView(env, in.values[0], in.integer(env, 4), view);
            wrong != ErrorCode::ok)
            return code(env, wrong);
        if (rank.engine->sendAtOnce(view.data, view.bytes, in.integer(env, 1), in.integer(env, 2),
                                    in.unsignedInteger(env, 3), MessageKind::buffer, view.type))
            return code(env, ErrorCode::ok);
        Request request;
        request.setBuffer(view.data, view.bytes);
        rank.engine->startSend(request, in.integer(env, 1), in.integer(env, 2),
                               in.unsignedInteger(env, 3), MessageKind::buffer, view.type);
        return code(env, finish(rank, request));
    });
}

napi_value recv(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<5> in(env, info);
        RankFace& rank = begin(*in.rank);
        View view;
        if (const ErrorCode wrong = readView(env, in.values[0], in.integer(env, 4), view);
            wrong != ErrorCode::ok)
            return code(env, wrong);
        const Selector selector{in.integer(env, 1), in.integer(env, 2), in.unsignedInteger(env, 3)};
        Envelope came;
        if (rank.engine->recvAtOnce(view.data, view.bytes, selector, MessageKind::buffer, view.type,
                                    came)) {
            reportArrival(rank, came);
            return code(env, ErrorCode::ok);
        }
        Request request;
        request.setBuffer(view.data, view.bytes);
        rank.engine->startRecv(request, selector, MessageKind::buffer, view.type);
        return code(env, finish(rank, request));
    });
}

// ----------------------------------------------------------------------------------------------
// operations in flight

template <typename Start>
napi_value startPending(napi_env env, napi_callback_info info, Start start) {
    return guarded<-1>(env, [&] {
        const Arguments<4> in(env, info);
        RankFace& rank = begin(*in.rank);
        double handle = 0;
        Pending& pending = rank.pending.open(handle);
        if (const ErrorCode wrong = pending.hold(env, in.values[0]); wrong != ErrorCode::ok) {
            pending.letGo();
            rank.pending.close(handle);
            return number(env, -static_cast<double>(wrong));
        }
        pending.handle = handle;
        pending.request.cookie = &pending;
        start(rank, pending, in);
        return number(env, handle);
    });
}

napi_value isend(napi_env env, napi_callback_info info) {
    return startPending(env, info, [&](RankFace& rank, Pending& pending, const Arguments<4>& in) {
        rank.engine->startSend(pending.request, in.integer(env, 1), in.integer(env, 2),
                               in.unsignedInteger(env, 3), MessageKind::buffer, pending.type());
    });
}

napi_value irecv(napi_env env, napi_callback_info info) {
    return startPending(env, info, [&](RankFace& rank, Pending& pending, const Arguments<4>& in) {
        rank.engine->startRecv(pending.request,
                               {in.integer(env, 1), in.integer(env, 2), in.unsignedInteger(env, 3)},
                               MessageKind::buffer, pending.type());
    });
}

napi_value useUp(napi_env env, RankFace& rank, Pending& pending) {
    const ErrorCode outcome = pending.execution ? reportCollective(rank, *pending.execution)
                                                : reportOutcome(rank, pending.request);
    // Watched and settled, but not delivered yet: the loop must not wait for it any more.
    if (pending.operation().QueueTag::linked()) rank.loop->settleOne();
    pending.letGo();
    rank.pending.close(pending.handle);
    return code(env, outcome);
}

napi_value wait(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = rank.pending.find(in.real(env, 0));
        if (pending == nullptr) return code(env, ErrorCode::request);
        const double milliseconds = in.real(env, 1);
        const Nanoseconds deadline = milliseconds >= 0 && milliseconds < 1e12
                                         ? now() + static_cast<Nanoseconds>(milliseconds * 1e6)
                                         : kNever;
        Request& request = pending->operation();
        const ErrorCode waited = rank.engine->wait(request, deadline);
        if (waited != ErrorCode::ok) {
            reportError(rank, {.peer = request.peer, .expected = request.capacity});
            return code(env, waited);
        }
        return useUp(env, rank, *pending);
    });
}

napi_value test(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = rank.pending.find(in.real(env, 0));
        if (pending == nullptr) return code(env, ErrorCode::request);
        if (!pending->operation().complete()) rank.engine->progress();
        if (!pending->operation().complete()) return number(env, -1);
        return useUp(env, rank, *pending);
    });
}

napi_value waitAll(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        napi_typedarray_type type;
        std::size_t length = 0;
        void* data = nullptr;
        if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_float64_array) {
            return code(env, ErrorCode::arg);
        }
        std::vector<Request*> requests;
        requests.reserve(length);
        for (std::size_t i = 0; i < length; ++i) {
            Pending* pending = rank.pending.find(static_cast<const double*>(data)[i]);
            if (pending == nullptr) return code(env, ErrorCode::request);
            requests.push_back(&pending->operation());
        }
        return code(env, rank.engine->waitAll(requests));
    });
}

napi_value cancel(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = rank.pending.find(in.real(env, 0));
        return number(env, pending != nullptr && rank.engine->cancel(pending->operation()) ? 1 : 0);
    });
}

napi_value watch(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        Pending* pending = rank.pending.find(in.real(env, 0));
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

// ----------------------------------------------------------------------------------------------------------
// probing

Selector selectorOf(napi_env env, const Arguments<3>& in) {
    return {in.integer(env, 0), in.integer(env, 1), in.unsignedInteger(env, 2)};
}

// A wrong rank here would index the matcher's tables.
bool validSource(const RankFace& rank, const Selector& selector) {
    return selector.source == kAnySource ||
           (selector.source >= 0 && selector.source < rank.engine->size());
}

napi_value probe(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return code(env, ErrorCode::rank);
        Envelope found;
        const Error error = rank.engine->probe(selector, found);
        if (error) {
            reportError(rank, error);
        } else {
            reportArrival(rank, found);
        }
        return code(env, error.code);
    });
}

napi_value iprobe(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return code(env, ErrorCode::rank);
        Envelope found;
        Error error;
        if (rank.engine->iprobe(selector, found, error)) {
            reportArrival(rank, found);
            return code(env, ErrorCode::ok);
        }
        if (!error) return number(env, -1);
        reportError(rank, error);
        return code(env, error.code);
    });
}

napi_value mprobe(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return number(env, -static_cast<double>(ErrorCode::rank));
        MatchedMessage message;
        if (const Error error = rank.engine->matchedProbe(selector, message)) {
            reportError(rank, error);
            return number(env, -static_cast<double>(error.code));
        }
        reportArrival(rank, message->envelope);
        double handle = 0;
        rank.messages.open(handle).message = std::move(message);
        return number(env, handle);
    });
}

napi_value mrecv(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        RankFace& rank = begin(*in.rank);
        const double handle = in.real(env, 0);
        KeptMessage* kept = rank.messages.find(handle);
        if (kept == nullptr) return code(env, ErrorCode::request);
        View view;
        if (const ErrorCode wrong = readView(env, in.values[1], view); wrong != ErrorCode::ok)
            return code(env, wrong);
        Request request;
        request.setBuffer(view.data, view.bytes);
        rank.engine->startMatchedRecv(request, std::move(kept->message), MessageKind::buffer,
                                      view.type);
        rank.messages.close(handle);
        return code(env, finish(rank, request));
    });
}

// --------------------------------------------------------------------------------------------------------
// start, end

napi_value leave(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        // Inside an operator the rank cannot complete what it owes: it goes as one that failed.
        if (face(env)->inOperator) {
            face(env)->engine->vanish();
            return code(env, ErrorCode::ok);
        }
        face(env)->engine->leave(in.integer(env, 0) == 0);
        return code(env, ErrorCode::ok);
    });
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

    exports.Set("start", Napi::Function::New(env, start, "start"));
    exports.Set("abort", Napi::Function::New(env, abortJob, "abort"));
    exports.Set("counters", Napi::Function::New(env, counters, "counters"));
    exportRaw(env, exports, "send", send);
    exportRaw(env, exports, "recv", recv);
    exportRaw(env, exports, "isend", isend);
    exportRaw(env, exports, "irecv", irecv);
    exportRaw(env, exports, "wait", wait);
    exportRaw(env, exports, "test", test);
    exportRaw(env, exports, "waitAll", waitAll);
    exportRaw(env, exports, "cancel", cancel);
    exportRaw(env, exports, "watch", watch);
    exportRaw(env, exports, "onSettled", onSettled);
    exportRaw(env, exports, "probe", probe);
    exportRaw(env, exports, "iprobe", iprobe);
    exportRaw(env, exports, "mprobe", mprobe);
    exportRaw(env, exports, "mrecv", mrecv);
    exportRaw(env, exports, "leave", leave);
    registerCollectives(env, exports);
    exportRaw(env, exports, "wtime", wtime);
}

}  // namespace onecopy
