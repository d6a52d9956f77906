// Collective operations: schedules come in, executions of them are started.
#pragma once

#include "addon/face.h"
#include "addon/napi_setup.h"

namespace onecopy {

void registerCollectives(Napi::Env env, Napi::Object exports);

// What a complete collective operation ended with.
ErrorCode reportCollective(RankFace& rank, const Execution& execution);

}  // namespace onecopy
