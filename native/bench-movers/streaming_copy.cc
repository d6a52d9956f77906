#include "streaming_copy.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace onecopy::bench {

#if defined(__x86_64__)

namespace {

constexpr std::uint64_t kLine = 64;

// Ordinary stores up to the first whole line: streaming ones must be aligned.
std::uint64_t copyHead(std::byte* to, const std::byte* from, std::uint64_t bytes) {
    const std::uint64_t beyond = reinterpret_cast<std::uint64_t>(to) % kLine;
    const std::uint64_t head = std::min(bytes, beyond == 0 ? 0 : kLine - beyond);
    std::memcpy(to, from, head);
    return head;
}

// Streaming stores are not ordered with those that follow: the flag after the copy must be.
void finish(std::byte* to, const std::byte* from, std::uint64_t done, std::uint64_t bytes) {
    std::memcpy(to + done, from + done, bytes - done);
    _mm_sfence();
}

void copySse2(std::byte* to, const std::byte* from, std::uint64_t bytes) {
    std::uint64_t i = copyHead(to, from, bytes);
    for (; i + kLine <= bytes; i += kLine) {
        const auto* source = reinterpret_cast<const __m128i*>(from + i);
        auto* target = reinterpret_cast<__m128i*>(to + i);
        const __m128i a = _mm_loadu_si128(source);
        const __m128i b = _mm_loadu_si128(source + 1);
        const __m128i c = _mm_loadu_si128(source + 2);
        const __m128i d = _mm_loadu_si128(source + 3);
        _mm_stream_si128(target, a);
        _mm_stream_si128(target + 1, b);
        _mm_stream_si128(target + 2, c);
        _mm_stream_si128(target + 3, d);
    }
    finish(to, from, i, bytes);
}

__attribute__((target("avx2"))) void copyAvx2(std::byte* to, const std::byte* from,
                                              std::uint64_t bytes) {
    std::uint64_t i = copyHead(to, from, bytes);
    for (; i + kLine <= bytes; i += kLine) {
        const auto* source = reinterpret_cast<const __m256i*>(from + i);
        auto* target = reinterpret_cast<__m256i*>(to + i);
        const __m256i a = _mm256_loadu_si256(source);
        const __m256i b = _mm256_loadu_si256(source + 1);
        _mm256_stream_si256(target, a);
        _mm256_stream_si256(target + 1, b);
    }
    finish(to, from, i, bytes);
}

__attribute__((target("avx512f"))) void copyAvx512(std::byte* to, const std::byte* from,
                                                   std::uint64_t bytes) {
    std::uint64_t i = copyHead(to, from, bytes);
    for (; i + kLine <= bytes; i += kLine) {
        const __m512i line = _mm512_loadu_si512(from + i);
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), line);
    }
    finish(to, from, i, bytes);
}

}  // namespace

StreamingCopy chooseStreamingCopy() {
    if (__builtin_cpu_supports("avx512f")) return {"avx512", &copyAvx512};
    if (__builtin_cpu_supports("avx2")) return {"avx2", &copyAvx2};
    return {"sse2", &copySse2};
}

#else

StreamingCopy chooseStreamingCopy() { return {}; }

#endif

}  // namespace onecopy::bench
