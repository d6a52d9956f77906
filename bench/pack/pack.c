/* What packing costs a C loop: numbers of 8 bytes that lie a stride apart are copied into a row.
 *
 *   pack STRIDE BYTES WARMUP_MS MS     prints microseconds of one pass over BYTES packed bytes
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Not inlined, and its memory escapes: every pass is done. */
__attribute__((noinline)) static void pack(uint64_t* restrict to, const char* restrict from,
                                           size_t count, size_t stride) {
    for (size_t i = 0; i < count; i++) memcpy(&to[i], from + i * stride, sizeof *to);
    __asm__ volatile("" : : "r"(to) : "memory");
}

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const size_t stride = strtoul(argv[1], NULL, 10);
    const size_t bytes = strtoul(argv[2], NULL, 10);
    const double warmup_ms = strtod(argv[3], NULL), ms = strtod(argv[4], NULL);
    const size_t count = bytes / sizeof(uint64_t);
    char* from = malloc(count * stride);
    uint64_t* to = malloc(bytes);
    if (stride < sizeof *to || count == 0 || from == NULL || to == NULL) return 2;
    memset(from, 1, count * stride);
    memset(to, 1, bytes);
    for (const double end = now_ms() + warmup_ms; now_ms() < end;) pack(to, from, count, stride);
    long passes = 0;
    const double begin = now_ms();
    double end = begin;
    do {
        pack(to, from, count, stride);
        passes++;
        end = now_ms();
    } while (end < begin + ms);
    printf("%.4f\n", (end - begin) * 1e3 / (double)passes);
    free(from);
    free(to);
    return 0;
}
