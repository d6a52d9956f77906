// Registration only: what each function does stands in native/src/binding.ts and in the files named
// here.
#include "addon/engine.h"
#include "addon/heap.h"
#include "addon/job.h"
#include "addon/napi_setup.h"
#include "addon/parts.h"
#include "addon/permission.h"
#include "core/engine/error.h"
#include "core/job/segments.h"
#include "core/matching/envelope.h"
#include "core/reduction/isa.h"
#include "core/reduction/kernels.h"
#include "core/reduction/operators.h"

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

Napi::Array operators(Napi::Env env) {
    Napi::Array table = Napi::Array::New(env);
    std::uint32_t index = 0;
    for (const OperatorInfo& op : kOperators) {
        Napi::Array types = Napi::Array::New(env);
        std::uint32_t count = 0;
        for (const DatatypeInfo& type : kDatatypes) {
            if (kernelFor(op.code, type.code) == nullptr) continue;
            types.Set(count++, static_cast<std::uint32_t>(type.code));
        }
        Napi::Object row = Napi::Object::New(env);
        row.Set("name", op.name);
        row.Set("code", static_cast<std::uint32_t>(op.code));
        row.Set("types", types);
        table.Set(index++, row);
    }
    return table;
}

Napi::Object isa(Napi::Env env) {
    Napi::Array supported = Napi::Array::New(env);
    std::uint32_t index = 0;
    for (const Isa one : supportedIsas()) supported.Set(index++, nameOf(one));
    const IsaChoice& choice = chosenIsa();
    Napi::Object result = Napi::Object::New(env);
    result.Set("chosen", nameOf(choice.isa));
    result.Set("supported", supported);
    if (!choice.error.empty()) result.Set("error", choice.error);
    return result;
}

}  // namespace

Napi::Object registerAll(Napi::Env env, Napi::Object exports) {
    exports.Set("protocolVersion", kProtocolVersion);
    exports.Set("errorCodes", errorCodes(env));
    exports.Set("datatypes", datatypes(env));
    exports.Set("operators", operators(env));
    exports.Set("isa", isa(env));
    registerEngine(env, exports);
    registerParts(env, exports);
    registerHeap(env, exports);
    registerJob(env, exports);
    registerPermission(env, exports);
    return exports;
}

}  // namespace onecopy

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    return onecopy::registerAll(env, exports);
}
NODE_API_MODULE(onecopy, initialize)
