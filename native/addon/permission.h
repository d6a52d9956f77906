// The doctor's functions of the addon: copyRefusal() and dumpable(). See native/src/binding.ts.
#pragma once

#include "addon/napi_setup.h"

namespace onecopy {

void registerPermission(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
