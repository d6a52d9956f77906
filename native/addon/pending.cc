#include "addon/pending.h"

namespace onecopy {

ErrorCode HeldBuffer::hold(napi_env env, napi_value value) {
    env_ = env;
    if (const ErrorCode wrong = readView(env, value, view_); wrong != ErrorCode::ok) return wrong;
    if (napi_create_reference(env, value, 1, &reference_) != napi_ok) return ErrorCode::buffer;
    memory_ = pinMemory(env, value);
    return ErrorCode::ok;
}

void HeldBuffer::letGo() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
    reference_ = nullptr;
    memory_.reset();
}

// The same memory, of the same length, behind the same object. Called with a handle scope open,
// never running script.
bool HeldBuffer::stillThere() {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value value = nullptr;
    View view;
    bool there = false;
    if (napi_get_reference_value(env_, reference_, &value) == napi_ok && value != nullptr) {
        const ErrorCode found = readView(env_, value, view);
        // An array that was freed is out of the script's reach, and its memory is not used for
        // anything else before this operation lets go of it.
        there = found == ErrorCode::freed ? memory_ != nullptr
                                          : found == ErrorCode::ok && view.data == view_.data &&
                                                view.bytes == view_.bytes;
    }
    napi_close_handle_scope(env_, scope);
    return there;
}

ErrorCode KeptBuffer::lookAgain() {
    const napi_env env = views_->env;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value array = nullptr;
    napi_value value = nullptr;
    View view;
    ErrorCode found = ErrorCode::detached;
    if (napi_get_reference_value(env, views_->array, &array) == napi_ok && array != nullptr &&
        napi_get_element(env, array, slot_, &value) == napi_ok) {
        found = readView(env, value, view);
        if (found == ErrorCode::ok && (view.data != data_ || view.bytes != bytes_))
            found = ErrorCode::detached;
    }
    napi_close_handle_scope(env, scope);
    if (found == ErrorCode::ok) seenIn_ = views_->call;
    return found;
}

}  // namespace onecopy
