/*
 * One collective operation of an MPI in C, measured as `onecopy bench` measures ours: warm-up, a
 * barrier, one timer around the loop on every rank, mean over ranks; then a second pass with a time
 * stamp per iteration for the percentiles. Operations follow each other with nothing between them;
 * buffers begin on a page. One JSON line per size.
 *
 *   mpirun -n N collectives BENCHMARK ITERATIONS WARMUP PAGES SIZE...
 *
 * SIZE is in bytes: of the message, for allgather and alltoall of one block; reductions are sums of
 * doubles. barrier takes 0. PAGES is `small`, or `huge` for buffers that begin on a huge page and
 * ask for them (MADV_HUGEPAGE).
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALL_PAGE = 4096, HUGE_PAGE = 2 * 1024 * 1024 };

typedef struct {
    void* out;
    void* in;
    int bytes;
} Operands;

static int ranks, rank;

static void run_allreduce(const Operands* o) {
    MPI_Allreduce(o->out, o->in, o->bytes / (int)sizeof(double), MPI_DOUBLE, MPI_SUM,
                  MPI_COMM_WORLD);
}

static void run_reduce(const Operands* o) {
    MPI_Reduce(o->out, o->in, o->bytes / (int)sizeof(double), MPI_DOUBLE, MPI_SUM, 0,
               MPI_COMM_WORLD);
}

static void run_bcast(const Operands* o) {
    MPI_Bcast(o->out, o->bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void run_allgather(const Operands* o) {
    MPI_Allgather(o->out, o->bytes, MPI_BYTE, o->in, o->bytes, MPI_BYTE, MPI_COMM_WORLD);
}

static void run_alltoall(const Operands* o) {
    MPI_Alltoall(o->out, o->bytes, MPI_BYTE, o->in, o->bytes, MPI_BYTE, MPI_COMM_WORLD);
}

static void run_barrier(const Operands* o) {
    (void)o;
    MPI_Barrier(MPI_COMM_WORLD);
}

typedef struct {
    const char* name;
    void (*run)(const Operands*);
    /* Whether the buffers hold a block for each rank. */
    int out_per_rank, in_per_rank;
    /* Whether bandwidth counts what a rank sends to each of the others, and not one message or sum.
     */
    int sends_to_each;
    int element_bytes;
} Benchmark;

static const Benchmark benchmarks[] = {
    {"allreduce", run_allreduce, 0, 0, 0, sizeof(double)},
    {"reduce", run_reduce, 0, 0, 0, sizeof(double)},
    {"bcast", run_bcast, 0, 0, 0, 1},
    {"allgather", run_allgather, 0, 1, 1, 1},
    {"alltoall", run_alltoall, 1, 1, 1, 1},
    {"barrier", run_barrier, 0, 0, 0, 1},
};

static void fail(const char* sentence, const char* what) {
    if (rank == 0) fprintf(stderr, "collectives: %s: %s\n", sentence, what);
    MPI_Finalize();
    exit(2);
}

static const Benchmark* find_benchmark(const char* name) {
    for (size_t i = 0; i < sizeof benchmarks / sizeof *benchmarks; i++)
        if (strcmp(benchmarks[i].name, name) == 0) return &benchmarks[i];
    fail("there is no such benchmark", name);
    return NULL;
}

static long read_count(const char* text, long least) {
    char* end;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < least || value > 0x7fffffffL)
        fail("not a count", text);
    return value;
}

/* Every page is written once, or the first pass would pay for them; 0 is a double that sums without
 * surprises. */
static void* make_buffer(size_t bytes, int huge) {
    const size_t page = huge ? HUGE_PAGE : SMALL_PAGE;
    const size_t whole = (bytes / page + 1) * page;
    void* memory;
    if (posix_memalign(&memory, page, whole) != 0) fail("out of memory", "buffers");
    if (huge) madvise(memory, whole, MADV_HUGEPAGE);
    memset(memory, 0, whole);
    return memory;
}

static double time_mean_us(const Benchmark* benchmark, const Operands* operands, long iterations) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();
    for (long i = 0; i < iterations; i++) benchmark->run(operands);
    return (MPI_Wtime() - begin) * 1e6 / (double)iterations;
}

/* Each stamp ends one sample and begins the next. */
static void sample_us(const Benchmark* benchmark, const Operands* operands, long iterations,
                      double* samples) {
    MPI_Barrier(MPI_COMM_WORLD);
    double before = MPI_Wtime();
    for (long i = 0; i < iterations; i++) {
        benchmark->run(operands);
        const double after = MPI_Wtime();
        samples[i] = (after - before) * 1e6;
        before = after;
    }
}

static int ascending(const void* left, const void* right) {
    const double a = *(const double*)left, b = *(const double*)right;
    return (a > b) - (a < b);
}

/* By nearest rank, so that each is a sample that was really taken. */
static double percentile(const double* sorted, long count, long percent) {
    const long place = (count * percent + 99) / 100;
    return sorted[place > 0 ? place - 1 : 0];
}

static void measure(const Benchmark* benchmark, int bytes, long iterations, long warmup, int huge) {
    const size_t per_rank = (size_t)bytes * (size_t)ranks;
    const Operands operands = {
        make_buffer(benchmark->out_per_rank ? per_rank : (size_t)bytes, huge),
        make_buffer(benchmark->in_per_rank ? per_rank : (size_t)bytes, huge),
        bytes,
    };
    double* samples = malloc((size_t)iterations * sizeof *samples);
    double* sums = malloc((size_t)iterations * sizeof *sums);
    if (samples == NULL || sums == NULL) fail("out of memory", "samples");

    for (long i = 0; i < warmup; i++) benchmark->run(&operands);
    const double mine = time_mean_us(benchmark, &operands, iterations);
    sample_us(benchmark, &operands, iterations, samples);

    double mean = 0;
    MPI_Reduce(&mine, &mean, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Reduce(samples, sums, (int)iterations, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        mean /= ranks;
        for (long i = 0; i < iterations; i++) sums[i] /= ranks;
        qsort(sums, (size_t)iterations, sizeof *sums, ascending);
        const double moved = benchmark->sends_to_each ? (double)bytes * (ranks - 1) : (double)bytes;
        char library[MPI_MAX_LIBRARY_VERSION_STRING];
        int length;
        MPI_Get_library_version(library, &length);
        library[strcspn(library, ",\n")] = '\0';
        printf(
            "{\"benchmark\":\"%s\",\"ranks\":%d,\"bytes\":%d,\"iterations\":%ld,"
            "\"latencyUs\":{\"min\":%.3f,\"mean\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},"
            "\"bandwidthMBs\":%.3f,\"channel\":null,\"path\":null,\"mover\":null,\"library\":\"%"
            "s\"}\n",
            benchmark->name, ranks, bytes, iterations, sums[0], mean,
            percentile(sums, iterations, 50), percentile(sums, iterations, 99),
            sums[iterations - 1], moved / mean, library);
        fflush(stdout);
    }
    free(sums);
    free(samples);
    free(operands.in);
    free(operands.out);
}

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc < 6) fail("usage", "collectives BENCHMARK ITERATIONS WARMUP small|huge SIZE...");
    const Benchmark* benchmark = find_benchmark(argv[1]);
    const long iterations = read_count(argv[2], 1);
    const long warmup = read_count(argv[3], 0);
    const int huge = strcmp(argv[4], "huge") == 0;
    if (!huge && strcmp(argv[4], "small") != 0) fail("pages are small or huge, not", argv[4]);
    for (int i = 5; i < argc; i++) {
        const int bytes = (int)read_count(argv[i], 0);
        if (bytes % benchmark->element_bytes != 0) fail("not a whole number of doubles", argv[i]);
        measure(benchmark, bytes, iterations, warmup, huge);
    }
    MPI_Finalize();
    return 0;
}
