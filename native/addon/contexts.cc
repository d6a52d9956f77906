#include "addon/contexts.h"

#include "addon/face.h"

namespace onecopy {

namespace {

napi_value newContexts(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(env);
        std::uint32_t first = 0;
        if (const Error error = rank.engine->newContexts(in.unsignedInteger(env, 0), first)) {
            reportError(rank, error);
            return number(env, -static_cast<double>(error.code));
        }
        return number(env, first);
    });
}

napi_value nameMembers(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<3> in(env, info);
        RankFace& rank = begin(env);
        napi_typedarray_type type;
        std::size_t length = 0;
        void* data = nullptr;
        if (napi_get_typedarray_info(env, in.values[2], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_int32_array)
            return code(env, ErrorCode::arg);
        const auto* ranks = static_cast<const std::int32_t*>(data);
        for (std::size_t i = 0; i < length; ++i) {
            if (ranks[i] < 0 || ranks[i] >= rank.engine->size()) return code(env, ErrorCode::rank);
        }
        rank.engine->nameMembers({in.unsignedInteger(env, 0), in.unsignedInteger(env, 1)},
                                 {ranks, ranks + length});
        return code(env, ErrorCode::ok);
    });
}

napi_value closeContexts(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        RankFace& rank = begin(env);
        rank.engine->closeContexts({in.unsignedInteger(env, 0), in.unsignedInteger(env, 1)});
        return code(env, ErrorCode::ok);
    });
}

}  // namespace

void registerContexts(Napi::Env env, Napi::Object exports) {
    exportRaw(env, exports, "newContexts", newContexts);
    exportRaw(env, exports, "nameMembers", nameMembers);
    exportRaw(env, exports, "closeContexts", closeContexts);
}

}  // namespace onecopy
