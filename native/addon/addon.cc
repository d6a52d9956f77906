// Registration only: what each function does stands in native/src/binding.ts and in the files named
// here.
#include "addon/engine.h"
#include "addon/job.h"
#include "addon/napi_setup.h"
#include "core/engine/error.h"
#include "core/job/segments.h"
#include "core/matching/envelope.h"

namespace onecopy {

namespace {

Napi::Array errorCodes(Napi::Env env) {
    Napi::Array names = Napi::Array::New(env);
    std::uint32_t index = 0;
    for (const char* name : kErrorNames) names.Set(index++, name);
    return names;
}

Napi::Array datatypes(Napi::Env env) {
    Napi::Array table = Napi::Array::New(env);
    std::uint32_t index = 0;
    for (const DatatypeInfo& type : kDatatypes) {
        Napi::Object row = Napi::Object::New(env);
        row.Set("name", type.name);
        row.Set("code", static_cast<std::uint32_t>(type.code));
        row.Set("bytes", type.bytes);
        table.Set(index++, row);
    }
    return table;
}

}  // namespace

Napi::Object registerAll(Napi::Env env, Napi::Object exports) {
    exports.Set("protocolVersion", kProtocolVersion);
    exports.Set("errorCodes", errorCodes(env));
    exports.Set("datatypes", datatypes(env));
    registerEngine(env, exports);
    registerJob(env, exports);
    return exports;
}

}  // namespace onecopy

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    return onecopy::registerAll(env, exports);
}
NODE_API_MODULE(onecopy, initialize)
