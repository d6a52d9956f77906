// LaunchOptions of native/src/binding.ts.
#pragma once

#include "addon/napi_setup.h"
#include "core/launch/job.h"

namespace onecopy {

// Throws std::invalid_argument, naming the field that is wrong.
JobOptions readOptions(const Napi::Object& object);

}  // namespace onecopy
