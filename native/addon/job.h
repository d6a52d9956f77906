// The launcher's functions of the addon: launch() and usableCores(). See native/src/binding.ts.
#pragma once

#include "addon/napi_setup.h"

namespace onecopy {

void registerJob(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
