// The kernels of one instruction set. Data, so that a look-up runs no code of that set.
#pragma once

#include <cstddef>
#include <iterator>

#include "core/reduction/kernels.h"

namespace onecopy {

struct KernelRow {
    Kernel of[std::size(kDatatypes)];
};

struct KernelTable {
    KernelRow of[std::size(kOperators)];
};

extern const KernelTable kBaselineKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif

}  // namespace onecopy
