// Messages that are looked at, or taken, before they are received.
#pragma once

#include "addon/face.h"

namespace onecopy {

// The message gets a number, which stands in the report.
void keepMessage(RankFace& rank, MatchedMessage message);
// For its receive, which uses the number up.
MatchedMessage takeMessage(RankFace& rank, KeptMessage& kept, double handle);

void registerProbing(napi_env env, napi_value exports);

}  // namespace onecopy
