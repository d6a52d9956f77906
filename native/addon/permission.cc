#include "addon/permission.h"

#include <sys/prctl.h>

#include "core/movers/cma_permission.h"

namespace onecopy {

namespace {

Napi::Value copyRefusal(const Napi::CallbackInfo& info) {
    const pid_t pid = info[0].As<Napi::Number>().Int32Value();
    return Napi::Number::New(info.Env(), cmaRefusal(pid));
}

Napi::Value dumpable(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

}  // namespace

void registerPermission(Napi::Env env, Napi::Object exports) {
    exports.Set("copyRefusal", Napi::Function::New(env, copyRefusal, "copyRefusal"));
    exports.Set("dumpable", Napi::Function::New(env, dumpable, "dumpable"));
}

}  // namespace onecopy
