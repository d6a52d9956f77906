#include "addon/view.h"

#include <dlfcn.h>

#include "addon/heap.h"

namespace onecopy {

namespace {

struct ElementType {
    Datatype type;
    std::size_t bytes;
};

bool elementTypeOf(napi_typedarray_type type, ElementType& element) {
    switch (type) {
        case napi_int8_array:
            element = {Datatype::int8, 1};
            return true;
        case napi_uint8_array:
            element = {Datatype::byte, 1};
            return true;
        case napi_uint8_clamped_array:
            element = {Datatype::uint8Clamped, 1};
            return true;
        case napi_int16_array:
            element = {Datatype::int16, 2};
            return true;
        case napi_uint16_array:
            element = {Datatype::uint16, 2};
            return true;
        case napi_int32_array:
            element = {Datatype::int32, 4};
            return true;
        case napi_uint32_array:
            element = {Datatype::uint32, 4};
            return true;
        case napi_float32_array:
            element = {Datatype::float32, 4};
            return true;
        case napi_float64_array:
            element = {Datatype::float64, 8};
            return true;
        case napi_bigint64_array:
            element = {Datatype::int64, 8};
            return true;
        case napi_biguint64_array:
            element = {Datatype::uint64, 8};
            return true;
        default:
            return false;
    }
}

bool isDetached(napi_env env, napi_value arrayBuffer) {
    bool detached = false;
    return napi_is_detached_arraybuffer(env, arrayBuffer, &detached) == napi_ok && detached;
}

// The ArrayBuffer behind a value, or the value itself if it is one; null for anything else.
napi_value arrayBufferOf(napi_env env, napi_value value) {
    napi_value buffer = nullptr;
    if (napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr) ==
        napi_ok)
        return buffer;
    if (napi_get_dataview_info(env, value, nullptr, nullptr, &buffer, nullptr) == napi_ok)
        return buffer;
    bool is = false;
    return napi_is_arraybuffer(env, value, &is) == napi_ok && is ? value : nullptr;
}

// std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore(). Looked up by name, since
// this addon is built against Node-API alone: the function has been there, with this signature,
// from Node 14 on, and where it is not found pinMemory() says so. A napi_value is the handle's
// slot, which is what `this` is in V8's own calls.
using GetBackingStore = std::shared_ptr<void> (*)(napi_value arrayBuffer);

const GetBackingStore getBackingStore = reinterpret_cast<GetBackingStore>(
    ::dlsym(RTLD_DEFAULT, "_ZN2v811ArrayBuffer15GetBackingStoreEv"));

}  // namespace

ErrorCode readView(napi_env env, napi_value value, View& view) {
    napi_typedarray_type type;
    std::size_t length = 0;
    if (napi_get_typedarray_info(env, value, &type, &length, &view.data, nullptr, nullptr) ==
        napi_ok) {
        ElementType element;
        if (!elementTypeOf(type, element)) return ErrorCode::buffer;
        view.type = element.type;
        view.bytes = length * element.bytes;
    } else if (napi_get_dataview_info(env, value, &view.bytes, &view.data, nullptr, nullptr) ==
                   napi_ok ||
               napi_get_arraybuffer_info(env, value, &view.data, &view.bytes) == napi_ok) {
        view.type = Datatype::byte;
    } else {
        // What failed above may have left an exception (a DataView out of bounds).
        bool pending = false;
        napi_value error;
        if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
            napi_get_and_clear_last_exception(env, &error);
        return ErrorCode::buffer;
    }
    if (view.bytes > 0) return ErrorCode::ok;
    const napi_value buffer = arrayBufferOf(env, value);
    if (buffer == nullptr || !isDetached(env, buffer)) return ErrorCode::ok;
    return isFreed(env, buffer) ? ErrorCode::freed : ErrorCode::detached;
}

ErrorCode readView(napi_env env, napi_value value, std::int32_t type, View& view) {
    // Works for all views, not only for Buffer; anything else ends the process.
    if (type == kUnknownType ||
        napi_get_buffer_info(env, value, &view.data, &view.bytes) != napi_ok || view.bytes == 0)
        return readView(env, value, view);
    view.type = static_cast<Datatype>(type);
    return ErrorCode::ok;
}

std::shared_ptr<void> pinMemory(napi_env env, napi_value value) {
    const napi_value buffer = arrayBufferOf(env, value);
    if (!canPinMemory() || buffer == nullptr) return nullptr;
    return getBackingStore(buffer);
}

bool canPinMemory() { return getBackingStore != nullptr; }

}  // namespace onecopy
