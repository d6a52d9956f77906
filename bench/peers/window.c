/* Many messages in flight, as in osu_bw, osu_bibw and osu_mbw_mr: a window of them, then an answer of
 * one byte. Between ranks 0 and 1. See measure.h. */
#include "measure.h"

enum { TAG = 1, ANSWER_TAG = 3, ANSWER_BYTES = 1 };

static MPI_Request requests[2 * WINDOW];

static void start_sends(Operands* o, int peer, MPI_Request* into) {
    for (int i = 0; i < WINDOW; i++) {
        MPI_Isend(o->out.now, o->bytes, MPI_BYTE, peer, TAG, MPI_COMM_WORLD, &into[i]);
        advance(&o->out);
    }
}

static void start_receives(Operands* o, int peer, MPI_Request* into) {
    for (int i = 0; i < WINDOW; i++) {
        MPI_Irecv(o->in.now, o->bytes, MPI_BYTE, peer, TAG, MPI_COMM_WORLD, &into[i]);
        advance(&o->in);
    }
}

static void operate_one_way(Operands* o) {
    static char answer[ANSWER_BYTES];
    if (rank == 0) {
        start_sends(o, 1, requests);
        MPI_Waitall(WINDOW, requests, MPI_STATUSES_IGNORE);
        MPI_Recv(answer, ANSWER_BYTES, MPI_BYTE, 1, ANSWER_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
        start_receives(o, 0, requests);
        MPI_Waitall(WINDOW, requests, MPI_STATUSES_IGNORE);
        MPI_Send(answer, ANSWER_BYTES, MPI_BYTE, 0, ANSWER_TAG, MPI_COMM_WORLD);
    }
}

static void operate_both_ways(Operands* o) {
    if (rank > 1) return;
    start_receives(o, 1 - rank, requests);
    start_sends(o, 1 - rank, requests + WINDOW);
    MPI_Waitall(2 * WINDOW, requests, MPI_STATUSES_IGNORE);
}

/* Made once for all windows of a size, each of the requests with the next place. */
static void make_persistent(Operands* o, MPI_Request* into) {
    static const char* made_for;
    static int made_bytes;
    if (made_for == o->out.first && made_bytes == o->bytes) return;
    for (int i = 0; i < WINDOW; i++) {
        if (made_for != NULL) MPI_Request_free(&into[i]);
        if (rank == 0)
            MPI_Send_init(o->out.now, o->bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &into[i]);
        else
            MPI_Recv_init(o->in.now, o->bytes, MPI_BYTE, 0, TAG, MPI_COMM_WORLD, &into[i]);
        advance(&o->out);
        advance(&o->in);
    }
    made_for = o->out.first;
    made_bytes = o->bytes;
}

static void operate_persistent(Operands* o) {
    static char answer[ANSWER_BYTES];
    static MPI_Request persistent[WINDOW];
    if (rank > 1) return;
    make_persistent(o, persistent);
    MPI_Startall(WINDOW, persistent);
    MPI_Waitall(WINDOW, persistent, MPI_STATUSES_IGNORE);
    if (rank == 0)
        MPI_Recv(answer, ANSWER_BYTES, MPI_BYTE, 1, ANSWER_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else
        MPI_Send(answer, ANSWER_BYTES, MPI_BYTE, 0, ANSWER_TAG, MPI_COMM_WORLD);
}

static const Benchmark benchmarks[] = {
    {"bandwidth", operate_one_way, RANK_0, WINDOW, 0, 0, 1, 1, 0},
    {"bibandwidth", operate_both_ways, RANK_0, WINDOW, 0, 0, 2, 1, 0},
    {"rate", operate_one_way, RANK_0, WINDOW, 0, 0, 1, 1, 0},
    {"persistent", operate_persistent, RANK_0, WINDOW, 0, 0, 1, 1, 0},
};

int main(int argc, char** argv) {
    return measure_all(argc, argv, benchmarks, sizeof benchmarks / sizeof *benchmarks);
}
