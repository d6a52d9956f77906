/*
 * Push: a large message copied from both sides. The receiver has claimed it (`transfer`) and pulls
 * slices from the front; the sender, which waits for the end of its send, pushes slices from the
 * back into the receiver's buffer, as long as the receiver is in a blocking call.
 *
 * The receiver offers its buffer: it writes the offer, then `cut` = (generation, 0, 0). By
 * compare-and-swap on `cut` = (generation, front, back) either takes the next slice at its end. The
 * sender alone writes `pushed` = (generation, failed, count): so many of its slices are written;
 * once one has failed it takes no more. When no slice is left, the receiver waits until all slices
 * taken at the back are pushed, or the failed bit says that the last of them never will be, or the
 * sender is marked dead. It pulls itself what was taken and not pushed. A receiver that does not go
 * on like that (a pull fails, the job ends, its call ends before its receive does) first takes all
 * that is left, so that nothing more is pushed, and then waits in the same way. If a pull fails, it
 * gets everything from the first missing byte on through the channel (`stage`).
 *
 * Both use the same slot for one message after the other. Either may be killed between any two
 * instructions. A write into the receiver's memory that has begun may still happen until the
 * launcher can see that the sender is dead, and marks it. Any pull and any push may fail.
 *
 *   RIGHT_BYTES    a receive that succeeds has all bytes of its message
 *   NO_LATE_WRITE  nothing is written into a receiver's buffer when its call has returned
 *   SOURCE_KEPT    no byte is read from a sender's buffer when its send has returned
 *   ONE_FATE       a send succeeds if its receive does and only then, while both live
 *   NOBODY_WAITS   nobody waits for ever
 *   ALWAYS_ENDS    no execution goes round for ever
 *
 * model MESSAGES=3 holds
 * model DEATH holds
 *   either may be killed
 * model - holds ALWAYS_ENDS
 * full DEATH holds ALWAYS_ENDS
 * full MESSAGES=3+DEATH holds
 * full SLICES_1=4+SLICES_2=4+DEATH holds
 *
 * variant PUSHED_NO_FENCE+DEATH holds
 *   `pushed` by a plain store: the fence is for the doorbell's sake alone
 * variant STAGE_BEFORE_QUIET+DEATH holds
 *   pushes write the same bytes: only the return must wait for them
 *
 * mutant NO_WAIT_FOR_PUSHES breaks NO_LATE_WRITE
 *   the receiver is done when nothing is left to take
 * mutant COUNT_BEFORE_WRITE breaks RIGHT_BYTES
 *   a slice is counted, then written
 * mutant PUSHED_NO_GENERATION breaks NO_LATE_WRITE
 *   what was pushed of the last message counts for this one
 * mutant CUT_NO_GENERATION breaks NO_LATE_WRITE
 *   the sender takes a slice of the last message
 * mutant CUT_BEFORE_OFFER breaks NO_LATE_WRITE
 *   the sender finds the offer of the last message
 * mutant PUSH_BEFORE_CLAIM breaks NO_LATE_WRITE
 *   the sender writes, then takes the slice
 * mutant SENDER_CLAIMS_BY_STORE breaks NO_LATE_WRITE
 *   the sender looks, then stores
 * mutant RECEIVER_CLAIMS_BY_STORE breaks NO_LATE_WRITE
 *   the receiver looks, then stores
 * mutant PUSH_AFTER_FAILURE breaks RIGHT_BYTES
 *   the sender goes on with the next slice
 * mutant IGNORE_FAILED breaks NOBODY_WAITS
 *   the receiver does not see that a push has failed
 * mutant FAILED_IS_DONE breaks RIGHT_BYTES
 *   it sees that, and pulls nothing itself
 * mutant RETURN_ON_ERROR breaks NO_LATE_WRITE
 *   a receive that fails, or whose call ends, does not wait for the pushes
 * mutant QUIET_BEFORE_CLOSE breaks NO_LATE_WRITE
 *   it waits for the pushes, then closes the offer
 * mutant DEATH_BY_ERRNO+DEATH breaks NO_LATE_WRITE
 *   a sender that cannot be pulled from is taken for dead before it is marked
 * mutant RECEIVER_IGNORES_DEATH+DEATH breaks NOBODY_WAITS
 *   waiting for pushes, the receiver does not see a death
 * mutant SENDER_IGNORES_DEATH+DEATH breaks NOBODY_WAITS
 *   waiting for the end, the sender does not either
 * mutant LEAVE_WITH_NOTHING_LEFT breaks SOURCE_KEPT
 *   the sender's call returns when all slices are taken and its own are pushed
 * mutant FAILED_SAYS_DONE breaks ONE_FATE
 *   a receive that gives up leaves the word of one that succeeded
 * mutant RETRY_PUSH breaks ALWAYS_ENDS
 *   a push that failed is tried again
 */
#define RIGHT_BYTES 1
#define NO_LATE_WRITE 2
#define SOURCE_KEPT 3
#define ONE_FATE 4
#define NOBODY_WAITS 5
#include "property.pml"

#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef SLICES_1
#define SLICES_1 2
#endif
#ifndef SLICES_2
#define SLICES_2 3
#endif
#define MOST 4
#define SLICES(m) ((m) == 2 -> SLICES_2 : SLICES_1)

#define SENDER 0
#define RECEIVER 1
#define CPUS 2
#define DEPTH 2

#define WORD 0 /* words of shared memory */
#define OFFER 1
#define CUT 2
#define PUSHED 3
#define WORDS 4
#include "tso.pml"

#define CLAIMED 1
#define DONE 2
#define FAILED 3
#define IN(state, generation) (4 * (generation) + (state))

#define TAKEN(generation, front, back) (64 * (generation) + 8 * (front) + (back))
#define GENERATION(cut) ((cut) / 64)
#define FRONT(cut) ((cut) / 8 % 8)
#define BACK(cut) ((cut) % 8)

#define COUNTED(generation, failed, count) (16 * (generation) + 8 * (failed) + (count))

mtype = { NONE, RECEIVED, LOST };
mtype sent[MESSAGES + 1] = NONE; /* messages start at 1; a message's number is its generation */
mtype got[MESSAGES + 1] = NONE;

byte sending; /* the message whose send has not returned: its buffer may be read */
byte admits; /* the message whose receiver is in a blocking call: its buffer may be written to */
bool here[MOST]; /* the slices of its message that the receiver's buffer holds */

bool writing; /* a push is in the kernel */
byte writes_slice, writes_to;

bool killed[2], marked[2], finished[2];

#define LEFT(cut, n) (FRONT(cut) + BACK(cut) < (n))

inline write_begins() {
  writing = true;
  writes_slice = n - 1 - BACK(cut);
  writes_to = target
}

inline write_ends() {
  writing = false;
  writes_slice = 0;
  writes_to = 0
}

/* It reaches the receiver's memory, while there is such a thing. */
inline write_lands() {
  if
  :: killed[RECEIVER]
  :: else ->
     PROPERTY(NO_LATE_WRITE, admits == writes_to);
     here[writes_slice] = here[writes_slice] || admits == writes_to
  fi;
  write_ends()
}

/* process_vm_writev of one slice */
inline push() {
  d_step {
    drained(SENDER);
    write_begins()
  }
  do
  :: d_step { write_lands(); ok = true }
     break
#ifdef RETRY_PUSH
  :: d_step { write_ends(); write_begins() }
#else
  :: d_step { write_ends(); ok = false }
     break
#endif
  od
}

inline tell_pushed() {
#ifdef PUSHED_NO_FENCE
  store(SENDER, PUSHED, COUNTED(m, failed, count))
#else
  store_seq_cst(SENDER, PUSHED, COUNTED(m, failed, count))
#endif
}

inline push_and_tell() {
#ifdef COUNT_BEFORE_WRITE
  atomic {
    count++;
    tell_pushed()
  }
  push();
  atomic {
    if
    :: ok
    :: !ok -> failed = true; count--; tell_pushed()
    fi
  }
#else
#ifndef PUSH_BEFORE_CLAIM
  push();
#endif
  atomic {
    failed = failed || !ok;
    count = count + ok;
    ok = false;
    tell_pushed()
  }
#endif
}

/* So may the sender take one more? What it has seen may no longer be so when it takes it. */
#ifdef PUSH_AFTER_FAILURE
#define MAY_PUSH true
#else
#define MAY_PUSH !failed
#endif
#ifdef CUT_NO_GENERATION
#define OF_THIS(cut) true
#else
#define OF_THIS(cut) (GENERATION(cut) == m)
#endif

inline take_from_back() {
#ifdef SENDER_CLAIMS_BY_STORE
  atomic {
    store_seq_cst(SENDER, CUT, cut + TAKEN(0, 0, 1));
    swapped = true
  }
#else
  compare_and_swap(SENDER, CUT, cut, cut + TAKEN(0, 0, 1), swapped)
#endif
}

#ifdef SENDER_IGNORES_DEATH
#define RECEIVER_IS_DEAD false
#else
#define RECEIVER_IS_DEAD marked[RECEIVER]
#endif

#define word_is(state) (memory[WORD] == IN(state, m))

proctype sender() {
  byte m, n, cut, target, count;
  bool swapped, ok, failed;

  {
    do
    :: atomic {
         m < MESSAGES;
         m++;
         n = SLICES(m);
         sending = m;
         store_seq_cst(SENDER, WORD, IN(CLAIMED, m))
       }
       do
       :: word_is(DONE) || word_is(FAILED) || RECEIVER_IS_DEAD -> break
#ifdef LEAVE_WITH_NOTHING_LEFT
       :: GENERATION(memory[CUT]) == m && !LEFT(memory[CUT], n) -> break
#endif
       :: d_step {
            OF_THIS(memory[CUT]) && LEFT(memory[CUT], n) && MAY_PUSH;
            cut = memory[CUT]
          }
          d_step { fetch(SENDER, OFFER, target) }
#ifdef PUSH_BEFORE_CLAIM
          push();
#endif
          take_from_back();
          if
          :: swapped -> push_and_tell()
          :: !swapped
          fi;
          d_step {
            swapped = false;
            cut = 0;
            target = 0
          }
       od;
       atomic { /* a look at the word, whatever has ended the wait */
         sent[m] = (word_is(DONE) -> RECEIVED : LOST);
         PROPERTY(ONE_FATE, sent[m] == LOST || got[m] == RECEIVED);
         sending = 0;
         failed = false;
         count = 0
       }
    :: m == MESSAGES -> break
    od;
    finished[SENDER] = true
  } unless {
    killed[SENDER]
  }
}

#ifdef RECEIVER_IGNORES_DEATH
#define SENDER_IS_DEAD false
#else
#define SENDER_IS_DEAD marked[SENDER]
#endif

inline make_offer() {
#ifdef CUT_BEFORE_OFFER
  store(RECEIVER, CUT, cut);
  store(RECEIVER, OFFER, m)
#else
  store(RECEIVER, OFFER, m);
  store(RECEIVER, CUT, cut)
#endif
}

/* process_vm_readv of one slice, at the time at which the kernel gets to it */
inline pull(slice) {
  if
  :: d_step {
       drained(RECEIVER) && !killed[SENDER];
       PROPERTY(SOURCE_KEPT, sending == m);
       here[slice] = here[slice] || sending == m
     }
  :: d_step {
       drained(RECEIVER);
       ok = false;
       missing = slice
     }
  fi
}

inline take_from_front() {
  if
  :: !offers -> swapped = true
#ifdef RECEIVER_CLAIMS_BY_STORE
  :: offers -> store_seq_cst(RECEIVER, CUT, cut + TAKEN(0, 1, 0)); swapped = true
#else
  :: offers ->
     compare_and_swap(RECEIVER, CUT, cut, cut + TAKEN(0, 1, 0), swapped)
#endif
  fi
}

inline look_at_cut() {
  d_step {
    if
    :: offers -> fetch(RECEIVER, CUT, cut)
    :: else
    fi
  }
}

inline pull_from_front() {
  do
  :: look_at_cut();
     if
     :: !LEFT(cut, n) -> break
     :: LEFT(cut, n) -> gives_up = true; break /* the job ends, say */
     :: LEFT(cut, n) && offers -> leaves = true; break
     :: LEFT(cut, n) ->
        take_from_front();
        if
        :: swapped ->
           pull(FRONT(cut));
           d_step { swapped = false; cut = cut + TAKEN(0, 1, 0) }
        :: !swapped
        fi;
        if
        :: ok
        :: !ok -> break
        fi
     fi
  od
}

/* Takes all that is left, so that nothing more can be taken at the back. */
inline close() {
  do
  :: look_at_cut();
     if
     :: !offers -> break
     :: offers ->
        compare_and_swap(RECEIVER, CUT, cut, TAKEN(m, n - BACK(cut), BACK(cut)), swapped)
     fi;
     if
     :: swapped -> swapped = false; break
     :: !swapped
     fi
  od
}

#ifdef PUSHED_NO_GENERATION
#define OF_THIS_PUSHED true
#else
#define OF_THIS_PUSHED (memory[PUSHED] / 16 == m)
#endif
#ifdef IGNORE_FAILED
#define HAS_FAILED(pushed) false
#else
#define HAS_FAILED(pushed) ((pushed) / 8 % 2 == 1)
#endif
#define COUNT(pushed) ((pushed) % 8)

#define no_pushes (!offers || BACK(cut) == 0)

#ifdef DEATH_BY_ERRNO
#define WRITES_NO_MORE killed[SENDER]
#else
#define WRITES_NO_MORE SENDER_IS_DEAD
#endif

inline await_quiet() {
  if
  :: no_pushes
  :: d_step {
       !no_pushes && OF_THIS_PUSHED && HAS_FAILED(memory[PUSHED]);
       pushed = COUNT(memory[PUSHED])
     }
  :: !no_pushes && OF_THIS_PUSHED && COUNT(memory[PUSHED]) == BACK(cut) -> pushed = BACK(cut)
  :: !no_pushes && WRITES_NO_MORE -> dead = true
  fi
}

/* What the receiver has taken without pulling it, and what the sender has and did not push. */
inline pull_the_rest() {
  p = FRONT(cut);
  do
  :: ok && p < n - pushed -> pull(p); p++
  :: !ok || p >= n - pushed -> break
  od;
  p = 0
}

/* The sender serves it, from its wait. */
inline stage() {
  if
  :: d_step {
       !killed[SENDER] && sending == m;
       p = missing;
       do
       :: p < n -> here[p] = true; p++
       :: else -> break
       od;
       p = 0
     }
  :: SENDER_IS_DEAD -> dead = true
  fi
}

inline receive() {
  pull_from_front();
  if
  :: gives_up || leaves || !ok ->
#ifdef QUIET_BEFORE_CLOSE
     await_quiet();
#endif
     close();
#ifdef STAGE_BEFORE_QUIET
     if
     :: !ok -> stage(); ok = true
     :: ok
     fi
#endif
  :: !gives_up && !leaves && ok
  fi;
#if defined(NO_WAIT_FOR_PUSHES)
  pushed = BACK(cut);
#elif defined(RETURN_ON_ERROR) || defined(QUIET_BEFORE_CLOSE)
  if
  :: gives_up || leaves || !ok -> pushed = BACK(cut)
  :: !gives_up && !leaves && ok -> await_quiet()
  fi;
#else
  await_quiet();
#endif
  if
  :: leaves -> admits = 0
  :: !leaves
  fi;
  if
  :: !gives_up && !dead ->
#ifndef FAILED_IS_DONE
     if
     :: ok -> pull_the_rest()
     :: !ok
     fi;
#endif
     if
     :: ok
     :: !ok -> stage()
     fi
  :: gives_up || dead
  fi
}

inline all_here() {
  p = 0;
  do
  :: p < n && here[p] -> p++
  :: p == n || !here[p] -> break
  od
}

inline end_receive() {
  atomic {
    if
    :: dead || marked[SENDER] || gives_up ->
       got[m] = LOST;
#ifdef FAILED_SAYS_DONE
       store(RECEIVER, WORD, IN(DONE, m))
#else
       store(RECEIVER, WORD, IN(FAILED, m))
#endif
    :: else ->
       all_here();
       PROPERTY(RIGHT_BYTES, p == n);
       got[m] = RECEIVED;
       store(RECEIVER, WORD, IN(DONE, m))
    fi;
    /* Its call returns, if it has not, and its buffer is somebody else's. */
    admits = 0;
    p = 0;
    do
    :: p < MOST -> here[p] = false; p++
    :: p == MOST -> break
    od;
    p = 0;
    pushed = 0;
    missing = 0;
    cut = 0
  }
}

proctype receiver() {
  byte m, n, cut, pushed, missing, p;
  bool offers, swapped, ok, gives_up, leaves, dead;

  {
    do
    :: atomic {
         m < MESSAGES && !dead && memory[WORD] == IN(CLAIMED, m + 1);
         m++;
         n = SLICES(m);
         ok = true;
         gives_up = false;
         leaves = false;
         cut = TAKEN(m, 0, 0);
         if
         :: offers = true; admits = m; make_offer()
         :: offers = false /* it is not in a blocking call */
         fi
       }
       receive();
       end_receive()
    :: m == MESSAGES || dead || SENDER_IS_DEAD -> break
    od;
    finished[RECEIVER] = true
  } unless {
    killed[RECEIVER]
  }
}

#ifdef DEATH
/*
 * One death: when both are dead, nobody is left whom it could harm. Where nobody dies at all is
 * searched without it; here a death still to come may hide that somebody waits for ever.
 */
proctype killer() {
end:
  if
  :: !finished[SENDER] -> killed[SENDER] = true
  :: !finished[RECEIVER] -> killed[RECEIVER] = true
  fi
}

/* What the kernel does for a process that was killed in its call. */
proctype kernel() {
end:
  if
  :: d_step { killed[SENDER] && writing -> write_lands() }
  :: d_step { killed[SENDER] && writing -> write_ends() }
  fi
}

/* A pidfd is readable only when nothing of the dead is under way any more. */
proctype launcher() {
end:
  if
  :: d_step { killed[SENDER] && drained(SENDER) && !writing -> marked[SENDER] = true }
  :: d_step { killed[RECEIVER] && drained(RECEIVER) -> marked[RECEIVER] = true }
  fi
}
#endif

init {
  byte m;

  atomic {
    run hardware(SENDER);
    run hardware(RECEIVER);
#ifdef DEATH
    run killer();
    run kernel();
    run launcher();
#endif
    run sender();
    run receiver()
  }
  timeout; /* nothing can move any more */
  PROPERTY(NOBODY_WAITS, (finished[SENDER] || killed[SENDER]) &&
    (finished[RECEIVER] || killed[RECEIVER]));
  do
  :: m < MESSAGES ->
     m++;
     PROPERTY(ONE_FATE, killed[SENDER] || killed[RECEIVER] ||
       (sent[m] == RECEIVED) == (got[m] == RECEIVED))
  :: m == MESSAGES -> break
  od
}
