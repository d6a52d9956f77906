// Sends and receives that are prepared once and started often (MPI-4.1 section 3.9).
#pragma once

#include "addon/face.h"

namespace onecopy {

// Reports the handle of a request that is started round by round.
napi_value keepPrepared(RankFace& rank, napi_value buffer, Prepared prepared);

void registerPersistent(napi_env env, napi_value exports);

}  // namespace onecopy
