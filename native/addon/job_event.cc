#include "addon/job_event.h"

#include "core/launch/signals.h"

namespace onecopy {

namespace {

const char* nameOf(Cause::Kind kind) {
    switch (kind) {
        case Cause::Kind::exit:
            return "exit";
        case Cause::Kind::signal:
            return "signal";
        case Cause::Kind::abort:
            return "abort";
        case Cause::Kind::uncaught:
            return "uncaught";
        case Cause::Kind::interrupted:
            return "interrupted";
        case Cause::Kind::guardian:
            return "guardian";
    }
    return "";
}

Napi::Object toObject(Napi::Env env, const Cause& cause) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("kind", nameOf(cause.kind));
    object.Set("rank", cause.rank);
    object.Set("pid", cause.pid);
    object.Set("exitCode", cause.exitCode);
    if (cause.signal != 0) object.Set("signal", signalName(cause.signal));
    if (!cause.text.empty()) object.Set("text", cause.text);
    return object;
}

}  // namespace

Napi::Object toObject(Napi::Env env, const JobEvent& event) {
    Napi::Object object = Napi::Object::New(env);
    switch (event.kind) {
        case JobEvent::Kind::exit:
            object.Set("type", "exit");
            object.Set("rank", event.rank);
            object.Set("pid", event.pid);
            if (event.signal != 0) {
                object.Set("code", env.Null());
                object.Set("signal", signalName(event.signal));
            } else {
                object.Set("code", event.code);
                object.Set("signal", env.Null());
            }
            break;
        case JobEvent::Kind::abort:
            object.Set("type", "abort");
            object.Set("rank", event.rank);
            object.Set("pid", event.pid);
            object.Set("code", event.code);
            object.Set("uncaught", event.uncaught);
            object.Set("text", event.text);
            break;
        case JobEvent::Kind::note:
            object.Set("type", "note");
            object.Set("text", event.text);
            break;
        case JobEvent::Kind::ending:
            object.Set("type", "ending");
            if (event.cause) object.Set("cause", toObject(env, *event.cause));
            break;
        case JobEvent::Kind::end:
            object.Set("type", "end");
            if (event.cause) object.Set("cause", toObject(env, *event.cause));
            break;
    }
    return object;
}

}  // namespace onecopy
