/* A message there and back: between ranks 0 and 1, or among all pairs of ranks i and i + n/2 at the
 * same time. See measure.h. */
#include "measure.h"

enum { TAG = 1 };

static void exchange(Operands* o, int distance) {
    MPI_Comm world = MPI_COMM_WORLD;
    if (rank < distance) {
        const int peer = rank + distance;
        MPI_Send(o->out.now, o->bytes, MPI_BYTE, peer, TAG, world);
        MPI_Recv(o->in.now, o->bytes, MPI_BYTE, peer, TAG, world, MPI_STATUS_IGNORE);
    } else if (rank < 2 * distance) {
        const int peer = rank - distance;
        MPI_Recv(o->in.now, o->bytes, MPI_BYTE, peer, TAG, world, MPI_STATUS_IGNORE);
        MPI_Send(o->out.now, o->bytes, MPI_BYTE, peer, TAG, world);
    }
    advance(&o->out);
    advance(&o->in);
}

static void operate_pingpong(Operands* o) { exchange(o, 1); }

static void operate_multipair(Operands* o) { exchange(o, ranks / 2); }

static const Benchmark benchmarks[] = {
    {"pingpong", operate_pingpong, RANK_0, 2, 0, 0, 1, 1, 0},
    {"multipair", operate_multipair, EACH_OF_FIRST_HALF, 2, 0, 0, 1, 1, 1},
};

int main(int argc, char** argv) {
    return measure_all(argc, argv, benchmarks, sizeof benchmarks / sizeof *benchmarks);
}
