#include "core/reduction/kernel_table.h"
#include "core/reduction/kernels.inc"

namespace onecopy {

constinit const KernelTable kBaselineKernels = makeKernels();

}  // namespace onecopy
