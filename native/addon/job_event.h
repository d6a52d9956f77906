// JobEvent of native/src/binding.ts.
#pragma once

#include "addon/napi_setup.h"
#include "core/launch/event.h"

namespace onecopy {

Napi::Object toObject(Napi::Env env, const JobEvent& event);

}  // namespace onecopy
