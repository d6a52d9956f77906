/*
 * Transfer: the life of one large message, and of the slot whose word says where it stands.
 *
 * The sender owns slots. A slot's 64-bit word is (generation, state). The sender fills a buffer,
 * writes the word (generation, PUBLISHED) and then the packet with the descriptor. By one
 * compare-and-swap each the receiver makes it CLAIMED or the sender makes it WITHDRAWN. Once
 * claimed, the sender leaves the buffer alone until DONE or until the receiver is marked dead. A
 * withdrawn slot is used again at once, for another message and buffer, one generation up, while
 * the receiver may still hold the old packet.
 *
 * The launcher marks a process dead when it is really gone, and does not reap it, so that its pid
 * stays taken. A pull counts only if the source is not marked dead afterwards.
 *
 *   RIGHT_BYTES   a receive that succeeds has exactly the bytes of its message
 *   FATES_AGREE   a message is received by the receiver when the sender says received, and is never
 *                 both withdrawn and received; between two living ranks each message ends in one
 *                 fate, the same on both sides
 *   NOBODY_WAITS  nobody waits for ever, neither for a slow rank that has left nor for a dead one
 *   ALWAYS_ENDS   no execution goes round for ever
 *
 * model MESSAGES=3 holds
 * model DEATHS=2 holds
 * model - holds ALWAYS_ENDS
 * full MESSAGES=4+DEATHS=2 holds
 *
 * variant REAP_EARLY holds
 *   the launcher marks, then reaps: the check after the pull suffices
 * variant NO_CHECK_AFTER_PULL holds
 *   without reaping a dead source fails the pull: that suffices, too
 *
 * mutant CAS_WITHOUT_GENERATION breaks RIGHT_BYTES
 *   an old packet claims the slot's next message
 * mutant SAME_GENERATION breaks RIGHT_BYTES
 *   a withdrawn slot is used again as it is
 * mutant REUSE_WHILE_CLAIMED breaks RIGHT_BYTES
 *   the sender's timeout ends its wait for DONE
 * mutant DONE_BEFORE_PULL breaks RIGHT_BYTES
 *   DONE is set before the last slice is pulled
 * mutant REAP_EARLY+NO_CHECK_AFTER_PULL breaks RIGHT_BYTES
 *   the pid is another process by now
 * mutant REAP_BEFORE_MARK breaks RIGHT_BYTES
 *   the check comes before the mark
 * mutant MARK_EARLY breaks RIGHT_BYTES
 *   marked when the kill is sent, not when it is done
 * mutant CLAIM_BY_STORE breaks FATES_AGREE
 *   the receiver looks, then stores CLAIMED
 * mutant WITHDRAW_BY_STORE breaks FATES_AGREE
 *   the sender looks, then stores WITHDRAWN
 * mutant NO_LOOK_AFTER_DEATH breaks FATES_AGREE
 *   the receiver is dead, but it was DONE before
 * mutant PACKET_BEFORE_WORD breaks NOBODY_WAITS
 *   the packet is out before the slot says PUBLISHED
 * mutant SENDER_IGNORES_DEATH breaks NOBODY_WAITS
 *   waiting for DONE, the sender does not see a death
 * mutant RETRY_CLAIM breaks ALWAYS_ENDS
 *   a claim that failed is tried again
 * mutant RECEIVER_IGNORES_DEATH breaks NOBODY_WAITS
 *   waiting for packets, the receiver does not either
 */
#define RIGHT_BYTES 1
#define FATES_AGREE 2
#define NOBODY_WAITS 3
#include "property.pml"

#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

#define SENDER 0
#define RECEIVER 1
#define CPUS 2
#define DEPTH 3

#define WORD 0 /* words of shared memory; the bytes are the sender's own memory, which pulls read */
#define LEFT(rank) (1 + (rank))
#define BYTES(b, slice) (3 + 2 * (b) + (slice))
#define PACKET(m) (7 + (m))
#define WORDS (8 + MESSAGES)
#include "tso.pml"

#define PUBLISHED 1
#define CLAIMED 2
#define WITHDRAWN 3
#define DONE 0
#define IN(state, generation) (4 * (generation) + (state))

#define OTHER_USE 200 /* what a buffer holds when it is freed or written to again */
#define OTHER_PROCESS 201

mtype = { NONE, RECEIVED, GIVEN_UP, FAILED };
mtype sent[MESSAGES + 1] = NONE; /* message numbers start at 1 */
mtype got[MESSAGES + 1] = NONE;

byte descriptor_buffer[MESSAGES + 1]; /* what the packet says; written once, before the packet */
byte descriptor_generation[MESSAGES + 1];

bool killed[2], marked[2], reaped[2];
byte deaths;
bool finished[2];

#define gone(rank) (marked[rank] || memory[LEFT(rank)])

#define fill(buffer, with) \
  store(SENDER, BYTES(buffer, 0), with); \
  store(SENDER, BYTES(buffer, 1), with)

inline send_packet() {
  d_step {
    descriptor_buffer[m] = chosen;
    descriptor_generation[m] = generation
  }
  store(SENDER, PACKET(m), 1)
}

/* The packet leaves after the word: whoever has the packet must find the word published. */
inline publish() {
#ifdef PACKET_BEFORE_WORD
  send_packet();
#endif
  store(SENDER, WORD, IN(PUBLISHED, generation));
#ifndef PACKET_BEFORE_WORD
  send_packet()
#endif
}

inline withdraw() {
#ifdef WITHDRAW_BY_STORE
  d_step {
    fetch(SENDER, WORD, value);
    swapped = (value == IN(PUBLISHED, generation));
    value = 0
  }
  if
  :: swapped -> store(SENDER, WORD, IN(WITHDRAWN, generation))
  :: else
  fi
#else
  compare_and_swap(SENDER, WORD, IN(PUBLISHED, generation), IN(WITHDRAWN, generation), swapped)
#endif
}

inline claim() {
#ifdef CLAIM_BY_STORE
  d_step {
    fetch(RECEIVER, WORD, value);
    swapped = (value == IN(PUBLISHED, generation));
    value = 0
  }
  if
  :: swapped -> store(RECEIVER, WORD, IN(CLAIMED, generation))
  :: else
  fi
#elif defined(CAS_WITHOUT_GENERATION)
  d_step {
    drained(RECEIVER);
    swapped = (memory[WORD] % 4 == PUBLISHED);
    if
    :: swapped -> memory[WORD] = memory[WORD] - PUBLISHED + CLAIMED
    :: else
    fi
  }
#else
  compare_and_swap(RECEIVER, WORD, IN(PUBLISHED, generation), IN(CLAIMED, generation), swapped)
#endif
}

#ifdef SENDER_IGNORES_DEATH
#define SENDER_SEES(what) false
#else
#define SENDER_SEES(what) what
#endif

#define word_is_done (memory[WORD] == IN(DONE, generation))

inline settle(fate) {
  sent[m] = fate;
  PROPERTY(FATES_AGREE, fate != RECEIVED || got[m] == RECEIVED);
  PROPERTY(FATES_AGREE, fate != GIVEN_UP || got[m] != RECEIVED);
  PROPERTY(FATES_AGREE, fate != FAILED || !word_is_done);
  swapped = false
}

/*
 * Whether this send may give up (a timeout, a cancel, a leaving job) was decided beforehand: one
 * that may could never be seen to wait for ever.
 */
inline await_fate() {
  if
  :: word_is_done
  :: !patient
  :: SENDER_SEES(gone(RECEIVER))
  fi;
  withdraw();
  if
  :: d_step { swapped; settle(GIVEN_UP) }
#ifdef REUSE_WHILE_CLAIMED
  :: d_step { !swapped; settle(GIVEN_UP) }
#else
  :: d_step { !swapped && word_is_done; settle(RECEIVED) }
  :: !swapped && SENDER_SEES(marked[RECEIVER]) ->
#ifdef NO_LOOK_AFTER_DEATH
     d_step { settle(FAILED) }
#else
     if
     :: d_step { word_is_done; settle(RECEIVED) }
     :: d_step { !word_is_done; settle(FAILED) }
     fi
#endif
#endif
  fi
}

#ifdef SAME_GENERATION
#define GENERATION(m) 1
#else
#define GENERATION(m) (m)
#endif

proctype sender() {
  byte m, generation, chosen, value;
  bool patient, swapped;

  {
    do
    :: atomic {
         m < MESSAGES;
         m++;
         generation = GENERATION(m);
         if
         :: chosen = 0
         :: chosen = 1
         fi;
         if
         :: patient = true
         :: patient = false
         fi
       }
       fill(chosen, m);
       publish();
       await_fate();
       fill(chosen, OTHER_USE)
    :: m == MESSAGES -> break
    od;
    store(SENDER, LEFT(SENDER), 1);
    finished[SENDER] = true
  } unless {
    killed[SENDER]
  }
}

/* process_vm_readv of one slice, at the time at which the kernel gets to it. */
inline pull(slice, into) {
  d_step {
    drained(RECEIVER);
    if
    :: !killed[SENDER] -> into = memory[BYTES(source, slice)]
    :: killed[SENDER] && reaped[SENDER] -> into = OTHER_PROCESS
    :: else -> failed = true /* ESRCH: a process that is dead but not reaped has no memory */
    fi
  }
}

inline end_receive(fate) {
  got[next] = fate;
  swapped = false;
  failed = false;
  first = 0;
  second = 0;
  source = 0
}

inline receive() {
  claim();
  if
  :: d_step { !swapped; end_receive(GIVEN_UP) }
  :: swapped ->
#ifdef DONE_BEFORE_PULL
     store(RECEIVER, WORD, IN(DONE, generation));
#endif
     source = descriptor_buffer[next];
     pull(0, first);
     pull(1, second);
#ifndef NO_CHECK_AFTER_PULL
     failed = failed || marked[SENDER];
#endif
     if
     :: d_step { failed; end_receive(FAILED) }
     :: d_step {
          !failed;
          PROPERTY(RIGHT_BYTES, first == next && second == next);
          PROPERTY(FATES_AGREE, sent[next] == NONE);
          end_receive(RECEIVED)
        }
#ifndef DONE_BEFORE_PULL
        /* A plain store: nobody else writes a claimed word while this process lives. */
        store(RECEIVER, WORD, IN(DONE, generation))
#endif
     fi
  fi;
  generation = 0
}

#ifdef RECEIVER_IGNORES_DEATH
#define RECEIVER_SEES_GONE memory[LEFT(SENDER)]
#else
#define RECEIVER_SEES_GONE gone(SENDER)
#endif

proctype receiver() {
  byte next = 1, leaves_at, generation, source, first, second, value;
  bool swapped, failed;

  {
    /* It leaves before some message, or takes them all: decided beforehand, for the same reason. */
    select (leaves_at : 1 .. MESSAGES + 1);
    do
    :: next == leaves_at -> break
    :: next < leaves_at && memory[PACKET(next)] ->
       generation = descriptor_generation[next];
       receive();
#ifdef RETRY_CLAIM
       if
       :: got[next] == GIVEN_UP
       :: else -> next++
       fi
#else
       next++
#endif
    :: next < leaves_at && !memory[PACKET(next)] && RECEIVER_SEES_GONE -> break
    od;
    store(RECEIVER, LEFT(RECEIVER), 1);
    finished[RECEIVER] = true
  } unless {
    killed[RECEIVER]
  }
}

#define may_kill(rank) (deaths < DEATHS && !killed[rank] && !marked[rank] && !finished[rank])

#ifdef MARK_EARLY
#define kill(rank) \
  d_step { may_kill(rank) -> marked[rank] = true; deaths++ } killed[rank] = true
#else
#define kill(rank) \
  d_step { may_kill(rank) -> killed[rank] = true; deaths++ }
#endif

/* It may stop at any time: a death still to come must not hide that somebody waits for ever. */
proctype killer() {
end:
  do
  :: kill(SENDER)
  :: kill(RECEIVER)
  :: d_step { deaths < DEATHS -> deaths = DEATHS }
  od
}

/* The marks are the launcher's stores: one that reaches memory late is a mark that comes late. */
proctype launcher() {
end:
  do
  :: d_step {
       killed[SENDER] && !marked[SENDER] && !reaped[SENDER] && drained(SENDER);
#ifdef REAP_BEFORE_MARK
       reaped[SENDER] = true
     }
     marked[SENDER] = true
#else
       marked[SENDER] = true
     }
#ifdef REAP_EARLY
     reaped[SENDER] = true
#endif
#endif
  :: d_step {
       killed[RECEIVER] && !marked[RECEIVER] && drained(RECEIVER);
       marked[RECEIVER] = true
     }
  od
}

init {
  byte m;

  atomic {
    run hardware(SENDER);
    run hardware(RECEIVER);
    run killer();
    run launcher();
    run sender();
    run receiver()
  }
  timeout; /* nothing can move any more */
  PROPERTY(NOBODY_WAITS, (finished[SENDER] || killed[SENDER]) &&
    (finished[RECEIVER] || killed[RECEIVER]));
  do
  :: m < MESSAGES ->
     m++;
     if
     :: killed[SENDER] || killed[RECEIVER]
     :: else ->
        PROPERTY(FATES_AGREE, (sent[m] == RECEIVED) == (got[m] == RECEIVED));
        PROPERTY(FATES_AGREE, sent[m] == RECEIVED || sent[m] == GIVEN_UP);
        PROPERTY(FATES_AGREE, got[m] != FAILED)
     fi
  :: else -> break
  od
}
