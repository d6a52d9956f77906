// An operator that a user wrote in JavaScript, as core sees it.
#pragma once

#include <cstddef>
#include <string>

#include "addon/napi_setup.h"
#include "core/matching/envelope.h"
#include "core/reduction/combiner.h"

namespace onecopy {

struct KeptViews;

// Two pieces of JavaScript's memory through which all operands go: the function sees typed arrays
// that are aligned and of its own heap, whatever memory a message lies in.
struct OperatorMemory {
    std::byte* left = nullptr;
    std::byte* right = nullptr;
    std::size_t bytes = 0;  // of each
    napi_ref references[2] = {nullptr, nullptr};
};

class ScriptOperator final : public UserOperator {
   public:
    // `function(type, count)` combines `count` elements at `left` and `right` and leaves the result
    // at `right`. It returns undefined, or a text when the user's function has thrown.
    // `inside` is set while it runs, and `views` are told that it has.
    ScriptOperator(napi_env env, napi_value function, Datatype type, std::size_t elementBytes,
                   const OperatorMemory& memory, bool& inside, KeptViews& views);
    ~ScriptOperator();
    ScriptOperator(const ScriptOperator&) = delete;
    ScriptOperator& operator=(const ScriptOperator&) = delete;

    bool apply(void* out, const void* left, const void* right, std::size_t count) override;
    const std::string& text() const { return text_; }

   private:
    bool call(std::size_t count);
    bool present() const;

    napi_env env_;
    napi_ref function_ = nullptr;
    const Datatype type_;
    const std::size_t elementBytes_;
    const OperatorMemory& memory_;
    bool& inside_;
    KeptViews& views_;
    std::string text_;
};

}  // namespace onecopy
