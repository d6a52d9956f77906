// Contexts of communicators; see the section of the same name in src/binding.ts.
#pragma once

#include "addon/napi_setup.h"

namespace onecopy {

void registerContexts(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
