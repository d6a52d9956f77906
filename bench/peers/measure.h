/*
 * The method of `onecopy bench`, for an MPI in C: warm-up, a barrier, one timer around the loop for
 * the mean, then a second pass with a time stamp per operation for the percentiles. Buffers begin on
 * a page. A budget of milliseconds bounds a count as it does for ours (bench/src/loops.ts). One JSON
 * line per size.
 *
 *   mpirun -n N PROGRAM BENCHMARK [options] SIZE...
 *
 *   --iterations K, --warmup K         how often (10000)
 *   --iterations-ms M, --warmup-ms M   fewer when they would take longer than this
 *   --pages small|huge                 huge: buffers begin on a huge page and ask for them
 *   --off-cache BYTES                  each operation takes its buffers from the next place in as much
 *                                      memory, so that no byte of them is in a cache
 *
 * SIZE is in bytes: of one message, for collectives that have one block per rank of one block.
 */
#ifndef ONECOPY_PEERS_MEASURE_H
#define ONECOPY_PEERS_MEASURE_H

#include <mpi.h>
#include <stddef.h>

/* Messages in flight at a time, where there are many. */
enum { WINDOW = 64 };

/* Where a message is sent from or received into: `now` is the place whose turn it is. */
typedef struct {
    char* now;
    char* first;
    size_t stride;
    long places, at;
} Buffer;

typedef struct {
    Buffer out, in;
    int bytes;
} Operands;

/* Whose clocks count, and what the time of one operation is. */
typedef enum {
    MEAN_OF_ALL,       /* every rank's: the mean over them, operation by operation */
    RANK_0,            /* rank 0's */
    EACH_OF_FIRST_HALF /* of each of the first half of the ranks: all of them are samples */
} Clocks;

typedef struct {
    const char* name;
    /* One operation, on every rank. */
    void (*operate)(Operands*);
    Clocks clocks;
    /* The time of an operation over this is the latency. */
    int latencies_per_operation;
    /* Whether the buffers hold a block for each rank. */
    int out_per_rank, in_per_rank;
    /* Bytes that count while one latency passes, in messages; 0: one for each other rank. */
    int messages_counted;
    int element_bytes;
    int even_ranks;
} Benchmark;

extern int ranks, rank;

/* To the next place; nothing without --off-cache. */
static inline void advance(Buffer* buffer) {
    if (buffer->places == 1) return;
    buffer->at = buffer->at + 1 == buffer->places ? 0 : buffer->at + 1;
    buffer->now = buffer->first + (size_t)buffer->at * buffer->stride;
}

/* The whole program: main only says what there is. */
int measure_all(int argc, char** argv, const Benchmark* benchmarks, size_t count);

#endif
