#if defined(__x86_64__)

// Everything else comes before the set is switched on: see kernels.inc.
#include "core/reduction/kernel_table.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#include "core/reduction/kernels.inc"

namespace onecopy {

constinit const KernelTable kAvx2Kernels = makeKernels();

}  // namespace onecopy

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
