#if defined(__x86_64__)

// Everything else comes before the set is switched on: see kernels.inc.
#include "core/reduction/kernel_table.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
// Full width: on a virtual machine of a Xeon with AMX, in place and in the L2 cache, doubles were
// summed at 50 GB/s (with 256 bits: 52), at 47 from an odd address (34), clamped bytes at 49 (37).
// Only PROD of bytes lost, 23 to 37. Beyond the cache the width made no difference.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif

#include "core/reduction/kernels.inc"

namespace onecopy {

constinit const KernelTable kAvx512Kernels = makeKernels();

}  // namespace onecopy

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
