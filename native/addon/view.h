// From a JavaScript value to the memory behind it.
#pragma once

#include <cstddef>
#include <memory>

#include "addon/napi_setup.h"
#include "core/engine/error.h"
#include "core/matching/envelope.h"

namespace onecopy {

struct View {
    void* data = nullptr;
    std::size_t bytes = 0;
    Datatype type = Datatype::byte;
};

// Typed arrays, DataView, Buffer and ArrayBuffer. `buffer`, `detached` or `freed` otherwise. A
// SharedArrayBuffer itself is unknown to Node-API 9: TypeScript passes a view of it.
ErrorCode readView(napi_env env, napi_value value, View& view);

// The same for a value that TypeScript knows to be a typed array of that element type (kUnknownType
// if it does not know): asking Node-API for it costs a call for each type that it is not.
inline constexpr std::int32_t kUnknownType = -1;
ErrorCode readView(napi_env env, napi_value value, std::int32_t type, View& view);

// Keeps the memory of an ArrayBuffer alive whatever becomes of the object: a script may transfer
// the buffer to another thread, which could then free it under a pending operation. Null where this
// V8 does not offer it; a strong reference to the view and a look before each copy must do then.
std::shared_ptr<void> pinMemory(napi_env env, napi_value value);
bool canPinMemory();

}  // namespace onecopy
