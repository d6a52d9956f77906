// Sends and receives that are prepared once and started often (MPI-4.1 section 3.9).
#pragma once

#include "addon/face.h"

namespace onecopy {

void registerPersistent(napi_env env, napi_value exports);

}  // namespace onecopy
