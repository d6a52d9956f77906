// The rank's functions of the binding; see native/src/binding.ts for what each does.
#pragma once

#include "addon/napi_setup.h"
#include "core/engine/error.h"

namespace onecopy {

struct RankFace;
struct Request;

// Waits for a request on the stack. It must not leave before nobody can touch it any more.
ErrorCode finish(RankFace& rank, Request& request);

void registerEngine(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
