// Datatypes: layouts by handle, messages of items that lie as a layout says, and packing.
#pragma once

#include "addon/napi_setup.h"

namespace onecopy {

void registerDatatypes(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
