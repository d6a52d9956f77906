// The only include of the Node-API headers, so that the definitions that steer them (binding.gyp)
// always precede them.
#pragma once

#include <napi.h>
