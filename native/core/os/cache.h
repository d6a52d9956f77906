// What a core is told about its caches.
#pragma once

namespace onecopy {

// This is a spin: the core gives room to its other thread, and leaves the loop without a false
// start once the line has changed.
inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

// The line will be written soon: other cores give it up now. By its name, since the compiler's
// built-in function makes a fetch for reading of it unless it may assume newer processors; those
// that do not know it take it for a no-op.
inline void prefetchForWriting(const void* line) {
#if defined(__x86_64__)
    __asm__ __volatile__("prefetchw %0" ::"m"(*static_cast<const char*>(line)));
#else
    __builtin_prefetch(line, 1);
#endif
}

}  // namespace onecopy
