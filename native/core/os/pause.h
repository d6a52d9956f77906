// Tells the core that this is a spin: it gives room to its other thread, and leaves the loop
// without a false start once the line has changed.
#pragma once

namespace onecopy {

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

}  // namespace onecopy
