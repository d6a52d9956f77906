#include "addon/script_operator.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "addon/pending.h"

namespace onecopy {

ScriptOperator::ScriptOperator(napi_env env, napi_value function, Datatype type,
                               std::size_t elementBytes, const OperatorMemory& memory, bool& inside,
                               KeptViews& views)
    : env_(env),
      type_(type),
      elementBytes_(elementBytes),
      memory_(memory),
      inside_(inside),
      views_(views) {
    napi_create_reference(env, function, 1, &function_);
}

ScriptOperator::~ScriptOperator() {
    if (function_ != nullptr) napi_delete_reference(env_, function_);
}

bool ScriptOperator::apply(void* out, const void* left, const void* right, std::size_t count) {
    const std::size_t most = memory_.bytes / elementBytes_;
    if (!present()) {
        text_ = "the operator's operands were transferred away";
        return false;
    }
    for (std::size_t at = 0; at < count; at += most) {
        const std::size_t elements = std::min(most, count - at);
        const std::size_t offset = at * elementBytes_;
        const std::size_t bytes = elements * elementBytes_;
        std::memcpy(memory_.left, static_cast<const std::byte*>(left) + offset, bytes);
        std::memcpy(memory_.right, static_cast<const std::byte*>(right) + offset, bytes);
        if (!call(elements)) return false;
        std::memcpy(static_cast<std::byte*>(out) + offset, memory_.right, bytes);
    }
    return true;
}

// A script that kept a view of the operands may have transferred their memory away since.
bool ScriptOperator::present() const {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    const auto isAt = [&](napi_ref reference, const std::byte* data) {
        napi_value value = nullptr;
        void* now = nullptr;
        std::size_t length = 0;
        napi_typedarray_type type;
        return napi_get_reference_value(env_, reference, &value) == napi_ok && value != nullptr &&
               napi_get_typedarray_info(env_, value, &type, &length, &now, nullptr, nullptr) ==
                   napi_ok &&
               now == data && length == memory_.bytes;
    };
    const bool both =
        isAt(memory_.references[0], memory_.left) && isAt(memory_.references[1], memory_.right);
    napi_close_handle_scope(env_, scope);
    return both;
}

bool ScriptOperator::call(std::size_t count) {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value function;
    napi_value global;
    napi_value arguments[2];
    napi_value result = nullptr;
    napi_get_reference_value(env_, function_, &function);
    napi_get_global(env_, &global);
    napi_create_uint32(env_, static_cast<std::uint32_t>(type_), &arguments[0]);
    napi_create_double(env_, static_cast<double>(count), &arguments[1]);
    inside_ = true;
    const napi_status status = napi_call_function(env_, global, function, 2, arguments, &result);
    inside_ = false;
    views_.scriptHasRun();
    napi_valuetype kind = napi_undefined;
    if (status == napi_ok) {
        napi_typeof(env_, result, &kind);
        if (kind == napi_string) {
            std::size_t length = 0;
            napi_get_value_string_utf8(env_, result, nullptr, 0, &length);
            text_.resize(length + 1);
            napi_get_value_string_utf8(env_, result, text_.data(), text_.size(), &length);
            text_.resize(length);
        }
    } else {
        // The function that TypeScript passes catches everything; what is left is a script that is
        // being terminated.
        text_ = "the script was terminated";
        bool pending = false;
        napi_value error;
        if (napi_is_exception_pending(env_, &pending) == napi_ok && pending)
            napi_get_and_clear_last_exception(env_, &error);
    }
    napi_close_handle_scope(env_, scope);
    if (status == napi_ok && kind != napi_string && !present()) {
        text_ = "the operator has transferred its operands away";
        return false;
    }
    return status == napi_ok && kind != napi_string;
}

}  // namespace onecopy
