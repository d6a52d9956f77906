// The rank's functions of the binding; see native/src/binding.ts for what each does.
#pragma once

#include "addon/napi_setup.h"

namespace onecopy {

void registerEngine(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
