/* Collective operations, back to back with nothing between them. Reductions are sums of doubles.
 * barrier takes size 0. See measure.h. */
#include "measure.h"

static void step(Operands* o) {
    advance(&o->out);
    advance(&o->in);
}

static int numbers(const Operands* o) { return o->bytes / (int)sizeof(double); }

static void operate_allreduce(Operands* o) {
    MPI_Allreduce(o->out.now, o->in.now, numbers(o), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    step(o);
}

static void operate_reduce(Operands* o) {
    MPI_Reduce(o->out.now, o->in.now, numbers(o), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    step(o);
}

static void operate_bcast(Operands* o) {
    MPI_Bcast(o->out.now, o->bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    step(o);
}

static void operate_allgather(Operands* o) {
    MPI_Allgather(o->out.now, o->bytes, MPI_BYTE, o->in.now, o->bytes, MPI_BYTE, MPI_COMM_WORLD);
    step(o);
}

static void operate_alltoall(Operands* o) {
    MPI_Alltoall(o->out.now, o->bytes, MPI_BYTE, o->in.now, o->bytes, MPI_BYTE, MPI_COMM_WORLD);
    step(o);
}

static void operate_barrier(Operands* o) {
    (void)o;
    MPI_Barrier(MPI_COMM_WORLD);
}

static const Benchmark benchmarks[] = {
    {"allreduce", operate_allreduce, MEAN_OF_ALL, 1, 0, 0, 1, sizeof(double), 0},
    {"reduce", operate_reduce, MEAN_OF_ALL, 1, 0, 0, 1, sizeof(double), 0},
    {"bcast", operate_bcast, MEAN_OF_ALL, 1, 0, 0, 1, 1, 0},
    {"allgather", operate_allgather, MEAN_OF_ALL, 1, 0, 1, 0, 1, 0},
    {"alltoall", operate_alltoall, MEAN_OF_ALL, 1, 1, 1, 0, 1, 0},
    {"barrier", operate_barrier, MEAN_OF_ALL, 1, 0, 0, 1, 1, 0},
};

int main(int argc, char** argv) {
    return measure_all(argc, argv, benchmarks, sizeof benchmarks / sizeof *benchmarks);
}
