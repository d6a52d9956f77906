/*
 * Memory as x86 gives it (x86-TSO): each process has a first-in-first-out buffer of stores that
 * only it sees; memory receives them later, at any time, in order. Loads take the newest store of
 * the own buffer and otherwise memory. A locked instruction (and so a seq_cst store, and so every
 * system call used here, since the kernel takes a lock in each) waits until the own buffer is
 * empty.
 *
 * The including model defines CPUS (buffers), WORDS (words of shared memory) and DEPTH (stores a
 * buffer holds; a full one makes the store wait).
 *
 * A process that is killed has no say over its buffer any more: the hardware still writes it out.
 */
typedef Buffer {
  byte word[DEPTH];
  byte value[DEPTH];
  byte held
};

byte memory[WORDS];
Buffer buffer[CPUS];
hidden byte at;

#define drained(cpu) (buffer[cpu].held == 0)

/* A plain (relaxed or release) store. */
inline store(cpu, w, v) {
  d_step {
    buffer[cpu].held < DEPTH;
    buffer[cpu].word[buffer[cpu].held] = w;
    buffer[cpu].value[buffer[cpu].held] = v;
    buffer[cpu].held++
  }
}

/* A seq_cst store: xchg, or mov and mfence. */
inline store_seq_cst(cpu, w, v) {
  d_step {
    drained(cpu);
    memory[w] = v
  }
}

/* What a load finds. Only inside a d_step: what the process does with it is the same step. */
inline fetch(cpu, w, into) {
  into = memory[w];
  at = 0;
  do
  :: at < buffer[cpu].held ->
     if
     :: buffer[cpu].word[at] == (w) -> into = buffer[cpu].value[at]
     :: else
     fi;
     at++
  :: else -> break
  od;
  at = 0 /* a d_step may not end in a loop */
}

/* lock cmpxchg */
inline compare_and_swap(cpu, w, expected, desired, swapped) {
  d_step {
    drained(cpu);
    if
    :: memory[w] == (expected) ->
       memory[w] = desired;
       swapped = true
    :: else -> swapped = false
    fi
  }
}

/* The oldest store reaches memory. Slots that fall free are zeroed: equal buffers, equal states. */
inline write_out(cpu) {
  d_step {
    !drained(cpu);
    memory[buffer[cpu].word[0]] = buffer[cpu].value[0];
    at = 1;
    do
    :: at < buffer[cpu].held ->
       buffer[cpu].word[at - 1] = buffer[cpu].word[at];
       buffer[cpu].value[at - 1] = buffer[cpu].value[at];
       at++
    :: else -> break
    od;
    buffer[cpu].held--;
    buffer[cpu].word[buffer[cpu].held] = 0;
    buffer[cpu].value[buffer[cpu].held] = 0
  }
}

proctype hardware(byte cpu) {
end:
  do
  :: write_out(cpu)
  od
}
