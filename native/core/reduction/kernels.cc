#include "core/reduction/kernels.h"

#include "core/reduction/kernel_table.h"

namespace onecopy {

namespace {

const KernelTable& tableOf(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::avx2) return kAvx2Kernels;
    if (isa == Isa::avx512) return kAvx512Kernels;
#else
    static_cast<void>(isa);
#endif
    return kBaselineKernels;
}

}  // namespace

Kernel kernelFor(Isa isa, Operator op, Datatype type) {
    const auto row = static_cast<std::size_t>(op);
    const auto column = static_cast<std::size_t>(type);
    // Codes may come from a packet.
    if (row >= std::size(kOperators) || column >= std::size(kDatatypes)) return nullptr;
    return tableOf(isa).of[row].of[column];
}

Kernel kernelFor(Operator op, Datatype type) { return kernelFor(chosenIsa().isa, op, type); }

}  // namespace onecopy
