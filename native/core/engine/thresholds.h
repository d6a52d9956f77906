// From which size on a message goes another way. Each has the measurement that chose it beside it;
// for tests and experiments the environment of a rank may say otherwise.
#pragma once

#include <cstdint>

namespace onecopy {

struct Thresholds {
    // ONECOPY_SLICE: how much is pulled before the rank looks at everything else again. At 8 GB/s
    // this is 64 us; UCX uses the same (UCX_CMA_SEG_SIZE, src/uct/sm/scopy/base/scopy_iface.c).
    std::uint64_t slice = 512 * 1024;

    // ONECOPY_TWO_SIDED: from which size on both sides copy; 0: never.
    std::uint64_t twoSided = 32 * 1024;

    // ONECOPY_HEAP_EAGER: the eager limit of what lies in the heap, where one plain copy needs no
    // system call (half a round trip of 1 KiB: 0.5 us either way, 8 KiB: 0.5 us instead of 1.4).
    std::uint64_t heapEager = 1024;

    // ONECOPY_HEAP_TWO_SIDED: like twoSided, of what lies in the heap (32 KiB: 1.3 us one-sided and
    // 2.0 two-sided, 256 KiB: 5.4 and 5.6, 512 KiB: 10.2 and 7.2, 1 MiB: 33 and 21).
    std::uint64_t heapTwoSided = 512 * 1024;

    // ONECOPY_PUSH_SLICE: how much one side takes at a time when both copy; 0: as shareOf() has it.
    std::uint64_t share = 0;

    // ONECOPY_YIELD_US: how long a rank offers its core to others, look by look, before it sleeps,
    // which costs a system call at either side and 5 to 50 us until it runs again.
    // Barrier of 8 ranks on 2 cores: 20 us with 50 us of it, 12 us with 500.
    std::uint64_t yieldNanoseconds = 500'000;

    // ONECOPY_UNEXPECTED: how much memory a rank spends on messages that came before their
    // receives; 0: what the system has left (see allowance.h).
    std::uint64_t unexpected = 0;

    // What the environment says; throws std::invalid_argument with a sentence about what is no
    // number of bytes.
    static Thresholds fromEnvironment();

    // Half a round trip in us, by share (2 cores, Xeon with AVX-512, huge pages; one
    // side: 3.8, 6.1, 10.7, 46, 310, 10900):
    //            64 KiB  128 KiB  256 KiB  1 MiB  4 MiB  64 MiB
    //   32 KiB     3.1     5.4     10.1     42    219    6840
    //   64 KiB             4.4      8.2     32    192    6140
    //   128 KiB                     6.7     28    175    5720
    //   256 KiB                             24    165    5550
    //   512 KiB                             26    160    5440
    // So each side takes half of a small message, in one system call; of a larger one more slices
    // even out what one side loses, of at most what still lets the rank look at everything else.
    std::uint64_t shareOf(std::uint64_t bytes) const {
        if (share > 0) return share;
        const std::uint64_t even = bytes <= 512 * 1024    ? (bytes + 1) / 2
                                   : bytes <= 1024 * 1024 ? 256 * 1024
                                                          : 512 * 1024;
        return (even + 4095) / 4096 * 4096;
    }
};

}  // namespace onecopy
