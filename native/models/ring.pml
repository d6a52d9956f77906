/*
 * Ring: one direction of the ring channel, one sender and one receiver.
 *
 * N lines; positions only grow, position p lies in line p mod N. A record is a header line (flag
 * word, fields, the first bytes) and as many lines of payload as it needs. Payload also covers the
 * words where a header would have its flag, and may look like one. The receiver never clears
 * anything. So the sender keeps the flag words of the WINDOW lines from its tail on zero: when it
 * publishes n lines, it zeroes the flag at tail + n beforehand where n >= WINDOW, and afterwards
 * what is new in the window. A record that would not fit before the end of the ring starts at line
 * 0, behind a skip record.
 *
 * Skipped lines, record and window must be free before anything is written. What is free the sender
 * learns from `head`, which the receiver stores once it has consumed N/4 lines since it last did.
 * So up to N/4 - 1 lines stay unknown to the sender while both sleep, and
 *
 *    (MOST - 1) + MOST + WINDOW <= N - (N/4 - 1)        MOST: lines of the largest record
 *
 * is necessary and sufficient: the left side is the most that a send can ask for (MOST - 1 lines
 * at the end of the ring are too few for MOST), the right side what it can count on. The model
 * stands exactly at that bound; with one line more on the left a sender waits for ever.
 *
 * At the start the ring has been in use: it begins at any line, everything outside the window looks
 * like a header, and as many lines as may stay unknown to the sender do so, or fewer. Either side
 * may be killed between any two instructions; the other then finishes with what is there.
 *
 *   RIGHT_RECORDS   the receiver takes the records in order, once, whole, and nothing else
 *   NONE_LOST       when the receiver has finished, it has every record that was published
 *   NOT_OVERWRITTEN the sender writes to no line that the receiver has not consumed
 *   NOBODY_WAITS    nobody waits for ever, neither for records or credits nor for the dead
 *   ALWAYS_ENDS     no execution goes round for ever
 *
 * model - holds
 * model DEATH+MESSAGES=2 holds
 *   either side may be killed
 * model DEATH+MESSAGES=1 holds ALWAYS_ENDS
 * full DEATH holds
 * full DEPTH=2 holds
 *   smaller store buffers
 *
 * variant FRESH+MESSAGES=5+MOST=2 holds
 *   a new ring, all zero
 * variant MOST=2+WINDOW=1 holds
 *   a window of one line: every record is zeroed for beforehand
 * variant MOST=2+WINDOW=4 holds
 *   no record ever is
 * variant SILENT_SKIP+MESSAGES=2 holds
 *   a skip record by a plain store, without a look at `armed`: the record behind it makes up for it
 * variant SKIP_APART+MOST=5+MESSAGES=2 holds
 *   the skip record goes out when it alone has room: then MOST + WINDOW <= N - (N/4 - 1) is enough
 *
 * mutant MOST=4 breaks NOBODY_WAITS
 *   records too large for lazy credits
 * mutant WINDOW=3 breaks NOBODY_WAITS
 *   a window too large for them
 * mutant NO_ZEROING breaks RIGHT_RECORDS
 *   the flags of an earlier lap stay
 * mutant ZERO_AFTERWARDS breaks RIGHT_RECORDS
 *   nothing is zeroed before the record is published, however long it is
 * mutant ZERO_NEXT_ONLY breaks RIGHT_RECORDS
 *   nothing is zeroed afterwards
 * mutant FLAG_BEFORE_PAYLOAD breaks RIGHT_RECORDS
 *   the record is published, then written
 * mutant FLAG_NO_FENCE breaks NOBODY_WAITS
 *   the sender looks at `armed` before its flag is in memory
 * mutant RECEIVER_NO_SECOND_LOOK breaks NOBODY_WAITS
 *   the receiver sleeps right after arming
 * mutant RECEIVER_ARMS_NO_FENCE breaks NOBODY_WAITS
 *   its arming is a plain store
 * mutant SENDER_NO_SECOND_LOOK breaks NOBODY_WAITS
 *   the sender sleeps right after arming
 * mutant SENDER_ARMS_NO_FENCE breaks NOBODY_WAITS
 *   its arming is a plain store
 * mutant STALE_HEAD breaks NOBODY_WAITS
 *   its second look is at its own copy of `head`
 * mutant CREDIT_NO_FENCE breaks NOBODY_WAITS
 *   the receiver looks at `armed` before `head` is in memory
 * mutant CREDIT_WITHOUT_RING breaks NOBODY_WAITS
 *   nobody is told of credits
 * mutant CREDIT_BEFORE_COPY breaks NOT_OVERWRITTEN
 *   lines are given back, then copied out
 * mutant WINDOW_WITHOUT_CREDIT breaks NOT_OVERWRITTEN
 *   a flag is zeroed in a line that was not asked for
 * mutant SKIP_WITHOUT_CREDIT breaks NOT_OVERWRITTEN
 *   skipped lines are not asked for
 * mutant NO_LAST_LOOK+DEATH+MESSAGES=2 breaks NONE_LOST
 *   the receiver looks for records, then learns that the sender is dead
 * mutant RECEIVER_IGNORES_DEATH+DEATH+MESSAGES=2 breaks NOBODY_WAITS
 *   waiting for a record, the receiver does not look for a death
 * mutant SENDER_IGNORES_DEATH+DEATH+MESSAGES=2 breaks NOBODY_WAITS
 *   waiting for credits, the sender does not either
 * mutant NEVER_DRAIN breaks ALWAYS_ENDS
 *   a bell stays rung, nobody sleeps any more
 */
#define RIGHT_RECORDS 1
#define NONE_LOST 2
#define NOT_OVERWRITTEN 3
#define NOBODY_WAITS 4
#include "property.pml"

#define N 8 /* the least of which a quarter is lazy at all */
#ifndef WINDOW
#define WINDOW 2
#endif
#ifndef MOST
#define MOST 3
#endif
#ifndef MESSAGES
#define MESSAGES 3
#endif

#define SENDER 0
#define RECEIVER 1
#define CPUS 2
#ifndef DEPTH
#define DEPTH 4
#endif

#define FLAG(p) ((p) % N) /* words of shared memory */
#define FIELDS(p) (N + (p) % N)
#define ARMED(rank) (2 * N + (rank))
#define HEAD (2 * N + 2)
#define WORDS (2 * N + 3)
#include "tso.pml"

/* What stands where a header has its flag. Anything but 0 is a header to the receiver. */
#define RECORD(lines) (lines)
#define SKIP(lines) (N + (lines))
#define PAYLOAD(m) (2 * N + (m))

byte start, unknown; /* where the ring begins, and what the sender does not know to be free */
byte length[MESSAGES + 1]; /* what really happened, for the properties; messages start at 1 */
byte published, consumed;

bool bell[2]; /* eventfds */
bool killed[2], marked[2], finished[2];

/*
 * What a process does on its own is one step with the access to memory before it. So is a plain
 * store, which nobody else sees before the buffer is written out.
 */
inline look_and_ring(by, whom) {
  d_step { fetch(by, ARMED(whom), must_ring) }
  if
  :: d_step {
       must_ring && drained(by);
       bell[whom] = true;
       must_ring = false
     }
  :: !must_ring
  fi
}

/* Inside an atomic. Whoever has slept is not armed, and looks again. */
inline sleep(me) {
  drained(me) && bell[me];
#ifndef NEVER_DRAIN
  bell[me] = false;
#endif
  store(me, ARMED(me), 0);
  armed = false
}

#define may_write(position) PROPERTY(NOT_OVERWRITTEN, (position) < consumed + N)

inline write(position, word, content) {
  may_write(position);
  store(SENDER, word, content)
}

#ifdef WINDOW_WITHOUT_CREDIT
#define free(lines) (tail + (lines) <= credited + N)
#else
#define free(lines) (tail + (lines) + WINDOW <= credited + N)
#endif

#ifdef SENDER_IGNORES_DEATH
#define RECEIVER_IS_DEAD false
#else
#define RECEIVER_IS_DEAD marked[RECEIVER]
#endif

#ifdef SENDER_NO_SECOND_LOOK
#define SENDER_SKIPS_LOOK armed
#else
#define SENDER_SKIPS_LOOK false
#endif
#ifdef STALE_HEAD
#define SENDER_LOOKS_AT_HEAD !armed
#else
#define SENDER_LOOKS_AT_HEAD true
#endif

inline look_for_credit() {
  if
  :: SENDER_LOOKS_AT_HEAD -> fetch(SENDER, HEAD, credited)
  :: else
  fi;
  dead = RECEIVER_IS_DEAD;
  looked = true
}

/* One look per turn, as in `doorbell`: the look after arming is that of the next turn. */
inline await_credit(lines) {
  do
  :: free(lines) && !armed -> break
  :: atomic {
       free(lines) && armed;
       store(SENDER, ARMED(SENDER), 0);
       armed = false
     }
  :: d_step {
       !free(lines) && !looked && !(SENDER_SKIPS_LOOK);
       look_for_credit()
     }
  :: !free(lines) && looked && dead -> gives_up = true; break
  :: atomic {
       !free(lines) && looked && !dead && !armed;
#ifdef SENDER_ARMS_NO_FENCE
       store(SENDER, ARMED(SENDER), 1);
#else
       store_seq_cst(SENDER, ARMED(SENDER), 1);
#endif
       armed = true;
       looked = false
     }
  :: atomic {
       !free(lines) && (looked && !dead || SENDER_SKIPS_LOOK) && armed;
       sleep(SENDER);
       looked = false
     }
  od;
  looked = false
}

inline zero_up_to(limit) {
  do
  :: p < (limit) -> write(p, FLAG(p), 0); p++
  :: p >= (limit) -> break
  od;
  p = 0
}

/* Whoever has taken the record looks at the line behind it. */
inline zero_before(lines) {
#if !defined(NO_ZEROING) && !defined(ZERO_AFTERWARDS)
  if
  :: (lines) >= WINDOW -> write(tail + (lines), FLAG(tail + (lines)), 0)
  :: else
  fi
#else
  skip
#endif
}

/* What is new in the window. */
inline zero_after(lines) {
#if defined(NO_ZEROING) || defined(ZERO_NEXT_ONLY)
  skip
#elif defined(ZERO_AFTERWARDS)
  p = tail + (lines);
  zero_up_to(tail + (lines) + WINDOW)
#else
  p = ((lines) >= WINDOW -> tail + (lines) + 1 : tail + WINDOW);
  zero_up_to(tail + (lines) + WINDOW)
#endif
}

inline publish_skip() {
  atomic {
    zero_before(skipped);
#ifdef SILENT_SKIP
    write(tail, FLAG(tail), SKIP(skipped));
#else
    may_write(tail);
    store_seq_cst(SENDER, FLAG(tail), SKIP(skipped))
  }
  look_and_ring(SENDER, RECEIVER);
  atomic {
#endif
    zero_after(skipped);
    tail = tail + skipped;
    skipped = 0
  }
}

inline write_record() {
  write(tail, FIELDS(tail), m);
  p = 1;
  do
  :: p < n -> write(tail + p, FLAG(tail + p), PAYLOAD(m)); p++
  :: p == n -> break
  od;
  p = 0
}

inline publish_record() {
  atomic {
#ifndef FLAG_BEFORE_PAYLOAD
    write_record();
#endif
    zero_before(n);
    may_write(tail);
#ifdef FLAG_NO_FENCE
    store(SENDER, FLAG(tail), RECORD(n));
#else
    store_seq_cst(SENDER, FLAG(tail), RECORD(n));
#endif
    published = m
  }
#ifdef FLAG_BEFORE_PAYLOAD
  atomic { write_record() }
#endif
  look_and_ring(SENDER, RECEIVER);
  atomic {
    zero_after(n);
    tail = tail + n;
    n = 0
  }
}

proctype sender() {
  byte m, n, skipped, tail = start, credited = start - unknown, p;
  bool armed, looked, dead, must_ring, gives_up;

  {
    do
    :: atomic {
         m < MESSAGES && !gives_up;
         m++;
         n = 1;
         do
         :: n < MOST -> n++
         :: break
         od;
         length[m] = n;
         skipped = (tail % N + n > N -> N - tail % N : 0)
       }
#if defined(SKIP_APART)
       if
       :: skipped > 0 -> await_credit(skipped)
       :: else
       fi;
       if
       :: skipped > 0 && !gives_up -> publish_skip()
       :: else
       fi;
       if
       :: !gives_up -> await_credit(n)
       :: gives_up
       fi;
#elif defined(SKIP_WITHOUT_CREDIT)
       await_credit(n);
#else
       await_credit(skipped + n);
#endif
#ifndef SKIP_APART
       if
       :: skipped > 0 && !gives_up -> publish_skip()
       :: else
       fi;
#endif
       if
       :: !gives_up -> publish_record()
       :: gives_up
       fi
    :: m == MESSAGES || gives_up -> break
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

/* The dead may have published something before. */
inline look_for_record() {
#ifdef NO_LAST_LOOK
  d_step { fetch(RECEIVER, FLAG(head), flag) }
  d_step { dead = SENDER_IS_DEAD; looked = true }
#else
#ifdef DEATH
  dead = SENDER_IS_DEAD;
#endif
  d_step { fetch(RECEIVER, FLAG(head), flag); looked = true }
#endif
}

inline copy_header() {
  fetch(RECEIVER, FIELDS(head), value);
  PROPERTY(RIGHT_RECORDS, flag == RECORD(length[next]) && value == next);
  value = 0
}

inline copy_payload() {
  p = 1;
  do
  :: p < flag ->
     fetch(RECEIVER, FLAG(head + p), value);
     PROPERTY(RIGHT_RECORDS, value == PAYLOAD(next));
     p++
  :: p >= flag -> break
  od;
  p = 0;
  value = 0
}

inline give_back() {
  if
  :: atomic {
       head - given >= N / 4;
#ifdef CREDIT_NO_FENCE
       store(RECEIVER, HEAD, head);
#else
       store_seq_cst(RECEIVER, HEAD, head);
#endif
       given = head
     }
#ifndef CREDIT_WITHOUT_RING
     look_and_ring(RECEIVER, SENDER)
#endif
  :: head - given < N / 4
  fi
}

inline take() {
  if
  :: d_step {
       flag >= SKIP(1) && flag < PAYLOAD(0);
       PROPERTY(RIGHT_RECORDS, head % N + flag - SKIP(0) == N);
       head = head + flag - SKIP(0);
       consumed = head
     }
     give_back()
  :: d_step { !(flag >= SKIP(1) && flag < PAYLOAD(0)); copy_header() }
#ifdef CREDIT_BEFORE_COPY
     head = head + flag;
     give_back();
     d_step { head = head - flag; copy_payload(); head = head + flag; consumed = head; next++ }
#else
     d_step { copy_payload(); head = head + flag; consumed = head; next++ }
     give_back()
#endif
  fi;
  flag = 0
}

#ifdef RECEIVER_NO_SECOND_LOOK
#define RECEIVER_SKIPS_LOOK armed
#else
#define RECEIVER_SKIPS_LOOK false
#endif

proctype receiver() {
  byte head = start, given = start - unknown, next = 1, flag, p, value;
  bool armed, looked, dead, must_ring;

  {
    do
    :: next <= MESSAGES && !looked && !(RECEIVER_SKIPS_LOOK) -> look_for_record()
    :: atomic {
         flag > 0 && looked && armed;
         store(RECEIVER, ARMED(RECEIVER), 0);
         armed = false
       }
    :: flag > 0 && looked && !armed -> looked = false; take()
    :: next > MESSAGES || flag == 0 && looked && dead -> break
    :: atomic {
         flag == 0 && looked && !dead && !armed;
#ifdef RECEIVER_ARMS_NO_FENCE
         store(RECEIVER, ARMED(RECEIVER), 1);
#else
         store_seq_cst(RECEIVER, ARMED(RECEIVER), 1);
#endif
         armed = true;
         looked = false
       }
    :: atomic {
         flag == 0 && (looked && !dead || RECEIVER_SKIPS_LOOK) && armed;
         sleep(RECEIVER);
         looked = false
       }
    od;
    PROPERTY(NONE_LOST, next - 1 == published);
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

/* Mark, news and bell are one step: `doorbell` shows that they may be three. */
proctype launcher() {
end:
  if
  :: d_step {
       killed[SENDER] && drained(SENDER);
       marked[SENDER] = true;
       bell[RECEIVER] = true
     }
  :: d_step {
       killed[RECEIVER] && drained(RECEIVER);
       marked[RECEIVER] = true;
       bell[SENDER] = true
     }
  fi
}
#endif

inline begin() {
  start = N;
#ifndef FRESH
  do
  :: start < 2 * N - 1 -> start++
  :: break
  od;
  do
  :: unknown < N / 4 - 1 -> unknown++
  :: break
  od;
  do
  :: p < N ->
     memory[FLAG(start + p)] = (p < WINDOW -> 0 : PAYLOAD(0));
     p++
  :: p == N -> break
  od;
  p = 0;
#endif
  consumed = start;
  memory[HEAD] = start - unknown
}

init {
  byte p;

  atomic {
    begin();
    run hardware(SENDER);
    run hardware(RECEIVER);
#ifdef DEATH
    run killer();
    run launcher();
#endif
    run sender();
    run receiver()
  }
  timeout; /* nothing can move any more */
  PROPERTY(NOBODY_WAITS, (finished[SENDER] || killed[SENDER]) &&
    (finished[RECEIVER] || killed[RECEIVER]))
}
