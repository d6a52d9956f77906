#include "measure.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALL_PAGE = 4096, HUGE_PAGE = 2 * 1024 * 1024 };

/* However long each takes, as in bench/src/loops.ts. */
enum { LEAST_WARMUP = 10, LEAST_ITERATIONS = 5 };

/* As in bench/src/off-cache.ts: a small message has a page to itself. */
enum { MOST_PLACES = 16384, SMALL_SHARE = 4 };

typedef struct {
    long iterations, warmup;
    /* 0: the count is exact. */
    double iterations_ms, warmup_ms;
    int huge;
    size_t off_cache_bytes;
} Settings;

int ranks, rank;

static void fail(const char* sentence, const char* what) {
    if (rank == 0) fprintf(stderr, "%s: %s\n", sentence, what);
    MPI_Finalize();
    exit(2);
}

static long read_count(const char* text, long least, long most) {
    char* end;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < least || value > most) fail("not a count", text);
    return value;
}

static Settings read_settings(int argc, char** argv) {
    static const struct option options[] = {
        {"iterations", required_argument, NULL, 'i'},
        {"iterations-ms", required_argument, NULL, 'I'},
        {"warmup", required_argument, NULL, 'w'},
        {"warmup-ms", required_argument, NULL, 'W'},
        {"pages", required_argument, NULL, 'p'},
        {"off-cache", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    Settings settings = {10000, 10000, 0, 0, 0, 0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
            case 'i':
                settings.iterations = read_count(optarg, 1, 0x7fffffffL);
                break;
            case 'I':
                settings.iterations_ms = (double)read_count(optarg, 1, 0x7fffffffL);
                break;
            case 'w':
                settings.warmup = read_count(optarg, 0, 0x7fffffffL);
                break;
            case 'W':
                settings.warmup_ms = (double)read_count(optarg, 1, 0x7fffffffL);
                break;
            case 'p':
                settings.huge = strcmp(optarg, "huge") == 0;
                if (!settings.huge && strcmp(optarg, "small") != 0)
                    fail("pages are small or huge, not", optarg);
                break;
            case 'o':
                settings.off_cache_bytes = (size_t)read_count(optarg, 1, 1L << 40);
                break;
            default:
                fail("measure.h says what there is; there is no such option", argv[optind - 1]);
        }
    }
    return settings;
}

static size_t whole_pages(size_t bytes, size_t page) { return (bytes / page + 1) * page; }

/* Every page is written once, or the first pass would pay for them; 0 is a double that sums without
 * surprises. */
static Buffer make_buffer(size_t bytes, const Settings* settings) {
    const size_t page = settings->huge ? HUGE_PAGE : SMALL_PAGE;
    const size_t stride = whole_pages(bytes, SMALL_PAGE);
    /* Half of the memory for what is sent, half for what is received. */
    const size_t half = settings->off_cache_bytes / 2;
    const size_t share = bytes < SMALL_PAGE ? half / SMALL_SHARE : half;
    long places = (long)(share / stride);
    if (places > MOST_PLACES) places = MOST_PLACES;
    if (settings->off_cache_bytes == 0)
        places = 1;
    else if (places < 2)
        places = 2;
    size_t all = (size_t)places * stride;
    if (all < half) all = half;
    all = whole_pages(all, page);
    void* memory;
    if (posix_memalign(&memory, page, all) != 0) fail("out of memory", "buffers");
    if (settings->huge) madvise(memory, all, MADV_HUGEPAGE);
    memset(memory, 0, all);
    return (Buffer){memory, memory, stride, places, 0};
}

/* Everything is read, from front to back, so that the places at the front leave the caches. */
static void cool(const Buffer* buffer, const Settings* settings) {
    if (settings->off_cache_bytes == 0) return;
    const volatile char* memory = buffer->first;
    for (size_t at = 0; at < settings->off_cache_bytes / 2; at += 64) (void)memory[at];
}

static double since_ms(double begin) { return (MPI_Wtime() - begin) * 1e3; }

static void run(const Benchmark* benchmark, Operands* operands, long iterations) {
    for (long i = 0; i < iterations; i++) benchmark->operate(operands);
}

static long affordable(long wanted, long least, double each_ms, double budget_ms) {
    if (budget_ms == 0 || (double)wanted * each_ms <= budget_ms) return wanted;
    const long count = (long)(budget_ms / each_ms);
    return count < least ? (least < wanted ? least : wanted) : count;
}

/* As in bench/src/loops.ts: twice as many each time, until there have been enough or the time is
 * used up. Rank 0 alone looks at its clock and decides how often; the others do as it says. The
 * result is how many to measure. */
static long warm_up(const Benchmark* benchmark, Operands* operands, const Settings* settings) {
    double each_ms = 0, elapsed_ms = 0;
    long done = 0;
    for (long wanted = 1;; wanted *= 2) {
        long count = settings->warmup - done < wanted ? settings->warmup - done : wanted;
        if (settings->warmup_ms > 0 && done > 0) {
            const double left_ms = settings->warmup_ms - elapsed_ms;
            const long least = done < LEAST_WARMUP ? LEAST_WARMUP - done : 1;
            if (done >= LEAST_WARMUP && left_ms <= 0)
                count = 0;
            else
                count = affordable(count, least, each_ms, left_ms > 0 ? left_ms : 1e-9);
        }
        MPI_Bcast(&count, 1, MPI_LONG, 0, MPI_COMM_WORLD);
        if (count == 0) break;
        const double begin = MPI_Wtime();
        run(benchmark, operands, count);
        const double took_ms = since_ms(begin);
        done += count;
        elapsed_ms += took_ms;
        each_ms = took_ms / (double)count;
    }
    long count =
        affordable(settings->iterations, LEAST_ITERATIONS, each_ms, settings->iterations_ms);
    MPI_Bcast(&count, 1, MPI_LONG, 0, MPI_COMM_WORLD);
    return count;
}

/* Microseconds of one operation. */
static double time_mean(const Benchmark* benchmark, Operands* operands, long iterations) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();
    run(benchmark, operands, iterations);
    return since_ms(begin) * 1e3 / (double)iterations;
}

/* Each stamp ends one sample and begins the next. */
static void sample(const Benchmark* benchmark, Operands* operands, long iterations,
                   double* samples) {
    MPI_Barrier(MPI_COMM_WORLD);
    double before = MPI_Wtime();
    for (long i = 0; i < iterations; i++) {
        benchmark->operate(operands);
        const double after = MPI_Wtime();
        samples[i] = (after - before) * 1e6;
        before = after;
    }
}

static int clock_ranks(const Benchmark* benchmark) {
    switch (benchmark->clocks) {
        case MEAN_OF_ALL:
            return ranks;
        case RANK_0:
            return 1;
        default:
            return ranks / 2;
    }
}

/* The mean over the ranks whose clocks count, at rank 0. */
static double combine_means(const Benchmark* benchmark, double mine) {
    const double counted = rank < clock_ranks(benchmark) ? mine : 0;
    double sum = 0;
    MPI_Reduce(&counted, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    return sum / clock_ranks(benchmark);
}

/* At rank 0 `samples`, which has room for those of every rank, holds what counts; the result is how
 * many there are. */
static long combine_samples(const Benchmark* benchmark, double* samples, long iterations) {
    if (benchmark->clocks == MEAN_OF_ALL) {
        void* in = rank == 0 ? MPI_IN_PLACE : (void*)samples;
        MPI_Reduce(in, samples, (int)iterations, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
        for (long i = 0; i < iterations; i++) samples[i] /= ranks;
        return iterations;
    }
    const int clocks = clock_ranks(benchmark);
    if (rank == 0)
        for (int source = 1; source < clocks; source++)
            MPI_Recv(samples + source * iterations, (int)iterations, MPI_DOUBLE, source, 2,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else if (rank < clocks)
        MPI_Send(samples, (int)iterations, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD);
    return clocks * iterations;
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

/* The core that each rank is bound to, or -1. */
static int* find_cores(void) {
    cpu_set_t set;
    int mine = -1;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1)
        for (mine = 0; !CPU_ISSET(mine, &set);) mine++;
    int* all = malloc((size_t)ranks * sizeof *all);
    if (all == NULL) fail("out of memory", "cores");
    MPI_Gather(&mine, 1, MPI_INT, all, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return all;
}

static void print_settings(const Settings* settings, const int* cores) {
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(library, &length);
    library[strcspn(library, ",\n\"\\")] = '\0';
    for (char* at = library; *at != '\0'; at++)
        if (*at < ' ') *at = ' ';
    printf("\"library\":\"%s\",\"pages\":\"%s\",\"offCacheBytes\":%zu,\"cores\":[", library,
           settings->huge ? "huge" : "small", settings->off_cache_bytes);
    for (int i = 0; i < ranks; i++)
        printf(cores[i] < 0 ? "%snull" : "%s%d", i == 0 ? "" : ",", cores[i]);
    printf("]");
}

static void measure(const Benchmark* benchmark, int bytes, const Settings* settings) {
    const size_t per_rank = (size_t)bytes * (size_t)ranks;
    Operands operands = {
        make_buffer(benchmark->out_per_rank ? per_rank : (size_t)bytes, settings),
        make_buffer(benchmark->in_per_rank ? per_rank : (size_t)bytes, settings),
        bytes,
    };
    const long iterations = warm_up(benchmark, &operands, settings);
    double* samples = malloc((size_t)iterations * (size_t)ranks * sizeof *samples);
    if (samples == NULL) fail("out of memory", "samples");

    cool(&operands.out, settings);
    cool(&operands.in, settings);
    const double elapsed = time_mean(benchmark, &operands, iterations);
    cool(&operands.out, settings);
    cool(&operands.in, settings);
    sample(benchmark, &operands, iterations, samples);

    const double scale = 1.0 / benchmark->latencies_per_operation;
    const double mean = combine_means(benchmark, elapsed) * scale;
    const long count = combine_samples(benchmark, samples, iterations);
    int* cores = find_cores();
    if (rank == 0) {
        for (long i = 0; i < count; i++) samples[i] *= scale;
        qsort(samples, (size_t)count, sizeof *samples, ascending);
        const int counted = benchmark->messages_counted;
        const double moved = (double)bytes * (counted == 0 ? ranks - 1 : counted);
        printf(
            "{\"benchmark\":\"%s\",\"ranks\":%d,\"bytes\":%d,\"iterations\":%ld,"
            "\"latencyUs\":{\"min\":%.4f,\"mean\":%.4f,\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f},"
            "\"bandwidthMBs\":%.3f,",
            benchmark->name, ranks, bytes, iterations, samples[0], mean,
            percentile(samples, count, 50), percentile(samples, count, 99), samples[count - 1],
            moved / mean);
        print_settings(settings, cores);
        printf("}\n");
        fflush(stdout);
    }
    free(cores);
    free(samples);
    free(operands.in.first);
    free(operands.out.first);
}

static const Benchmark* find_benchmark(const char* name, const Benchmark* benchmarks,
                                       size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(benchmarks[i].name, name) == 0) return &benchmarks[i];
    fail("this program has no such benchmark", name);
    return NULL;
}

int measure_all(int argc, char** argv, const Benchmark* benchmarks, size_t count) {
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const Settings settings = read_settings(argc, argv);
    if (argc - optind < 2) fail("name a benchmark and sizes", argv[0]);
    const Benchmark* benchmark = find_benchmark(argv[optind], benchmarks, count);
    if (ranks < 2 || (benchmark->even_ranks && ranks % 2 != 0))
        fail("not with so few or an odd number of ranks", benchmark->name);
    for (int i = optind + 1; i < argc; i++) {
        const int bytes = (int)read_count(argv[i], 0, 0x7fffffffL);
        if (bytes % benchmark->element_bytes != 0) fail("not a whole number of doubles", argv[i]);
        measure(benchmark, bytes, &settings);
    }
    MPI_Finalize();
    return 0;
}
