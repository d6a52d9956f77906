/*
 * Area: the page in which a rank shows the members of a communicator how far it is in a collective
 * operation, and a few bytes.
 *
 * The owner's word is (operation, count). It enters an operation by (operation, 0), writes its cell
 * and publishes (operation, 1); the reader waits for that, reads the cell, and publishes in its own
 * page that it has; the owner waits for that and publishes (operation, 2), for which the reader
 * waits again. Either may fail in an operation at any point of it. Who fails puts a notice on the
 * channel, which no other way overtakes, and goes on to its next operation. Who sees the other in a
 * later operation empties the channel before it believes that the other has completed this one.
 *
 *   RIGHT_BYTES   a reader that completes an operation has the bytes that were published in it
 *   TRUE_SUCCESS  a reader completes no operation in which the owner has failed before it published
 *   NOBODY_WAITS  both come to their end
 *   ALWAYS_ENDS   no execution goes round for ever
 *
 * model - holds
 * model - holds ALWAYS_ENDS
 * full OPERATIONS=4 holds
 *
 * mutant CELL_AFTER_WORD breaks RIGHT_BYTES
 *   the cell is written once its word is out
 * mutant NO_WAIT_FOR_READER breaks RIGHT_BYTES
 *   the owner goes on while the cell is still being read
 * mutant NO_SECOND_LOOK breaks RIGHT_BYTES
 *   the reader does not wait for the owner's last word: it failed, and wrote the next cell
 * mutant BELIEVE_LATER breaks TRUE_SUCCESS
 *   a later operation is believed without emptying the channel
 * mutant NOTICE_AFTER_WORD breaks TRUE_SUCCESS
 *   the owner shows its next operation before its notice is out
 * mutant NO_NOTICE breaks NOBODY_WAITS
 *   nothing is said of a failure: in the last operation no later one is ever seen
 * mutant LOOK_AGAIN breaks ALWAYS_ENDS
 *   a notice that was read is read again, and again
 */
#define RIGHT_BYTES 1
#define TRUE_SUCCESS 2
#define NOBODY_WAITS 3
#include "property.pml"

#ifndef OPERATIONS
#define OPERATIONS 2
#endif

#define OWNER 0
#define READER 1
#define CPUS 2
#define DEPTH 3

#define WORD(rank) (rank)
#define CELL(part) (2 + (part))
#define WORDS 4
#include "tso.pml"

#define AT(operation, count) (4 * (operation) + (count))

bool notice[2 * (OPERATIONS + 1)]; /* by whom and of which operation, on the channel */
#define NOTICE(rank, operation) notice[(rank) * (OPERATIONS + 1) + (operation)]

bool published[OPERATIONS + 1]; /* what really happened, for the properties */
bool finished[2];

/* A packet on the socket: a system call. */
inline tell(rank, operation) {
#ifdef NO_NOTICE
  skip
#else
  d_step {
    drained(rank);
    NOTICE(rank, operation) = true
  }
#endif
}

#ifdef BELIEVE_LATER
#define FAILED_THERE(other, operation) false
#else
#define FAILED_THERE(other, operation) NOTICE(other, operation)
#endif

/*
 * Waits until the other has published so often in this operation, or hears that it has failed. The
 * word is read first and the channel afterwards.
 */
inline wait_for(other, operation, count) {
  do
  :: d_step {
       memory[WORD(other)] >= AT(operation, count) && memory[WORD(other)] < AT(operation + 1, 0)
     }
     break
  :: memory[WORD(other)] >= AT(operation + 1, 0) ->
     /* It may have been long ago that the word was read. */
     if
     :: d_step { FAILED_THERE(other, operation) -> failed = true }
     :: d_step { !FAILED_THERE(other, operation) -> skip }
     fi;
     break
  :: NOTICE(other, operation) ->
#ifdef LOOK_AGAIN
     if
     :: failed = true
     :: skip
     fi;
     if
     :: failed -> break
     :: !failed
     fi
#else
     failed = true;
     break
#endif
  od
}

proctype owner() {
  byte operation = 1;
  bool failed, told;

  do
  :: operation <= OPERATIONS ->
     store_seq_cst(OWNER, WORD(OWNER), AT(operation, 0));
#ifdef NOTICE_AFTER_WORD
     if
     :: told -> tell(OWNER, operation - 1); told = false
     :: !told
     fi;
#endif
     failed = false;
     if
     :: failed = true /* something of its own */
     :: true ->
#ifdef CELL_AFTER_WORD
        store_seq_cst(OWNER, WORD(OWNER), AT(operation, 1));
        store(OWNER, CELL(0), operation);
        store(OWNER, CELL(1), operation);
#else
        store(OWNER, CELL(0), operation);
        store(OWNER, CELL(1), operation);
        store_seq_cst(OWNER, WORD(OWNER), AT(operation, 1));
#endif
        published[operation] = true;
        if
        :: failed = true
        :: true ->
#ifndef NO_WAIT_FOR_READER
           wait_for(READER, operation, 1)
#endif
        fi
     fi;
     if
     :: failed ->
#ifdef NOTICE_AFTER_WORD
        if
        :: operation < OPERATIONS -> told = true
        :: else -> tell(OWNER, operation)
        fi
#else
        tell(OWNER, operation)
#endif
     :: !failed -> store_seq_cst(OWNER, WORD(OWNER), AT(operation, 2))
     fi;
     operation++
  :: else -> break
  od;
  finished[OWNER] = true
}

proctype reader() {
  byte operation = 1, first, second;
  bool failed;

  do
  :: operation <= OPERATIONS ->
     store_seq_cst(READER, WORD(READER), AT(operation, 0));
     failed = false;
     if
     :: failed = true
     :: true ->
        wait_for(OWNER, operation, 1);
        if
        :: failed
        :: !failed ->
           d_step { fetch(READER, CELL(0), first) }
           d_step { fetch(READER, CELL(1), second) }
           store_seq_cst(READER, WORD(READER), AT(operation, 1));
#ifndef NO_SECOND_LOOK
           wait_for(OWNER, operation, 2)
#endif
        fi
     fi;
     if
     :: failed -> tell(READER, operation)
     :: !failed ->
        d_step {
          PROPERTY(TRUE_SUCCESS, published[operation]);
          PROPERTY(RIGHT_BYTES, !published[operation] || (first == operation && second == operation));
          first = 0;
          second = 0
        }
     fi;
     operation++
  :: else -> break
  od;
  finished[READER] = true
}

/* When nothing can move any more. */
proctype judge() {
end:
  timeout -> PROPERTY(NOBODY_WAITS, finished[OWNER] && finished[READER])
}

init {
  atomic {
    run hardware(OWNER);
    run hardware(READER);
    run owner();
    run reader();
    run judge()
  }
}
