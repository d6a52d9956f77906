/*
 * Doorbell: how a rank goes to sleep and is woken, with a system call only when it sleeps.
 *
 * The owner's `armed` word lies in its rank segment: the owner alone writes it. Every event is a
 * counter with one writer (a sender's "done" or "news" word; the launcher's "news" word in the job
 * segment). The bell is an eventfd. Senders may be killed between any two instructions; the
 * launcher then marks them dead, bumps its own news word and rings.
 *
 *   NO_LOST_WAKE_UP  the owner is never asleep for good while a word it has not consumed is visible
 *   EVENTS_CONSUMED  when the owner has finished, it has consumed every event, those of the dead
 *                    too
 *   DEATH_IS_LEARNT  the owner is never asleep for good while a sender it waits for is dead
 *   OWNER_FINISHES   the owner waits for ever in no other way either (a read of an empty bell)
 *   ALWAYS_ENDS      no execution goes round for ever (checked as the absence of cycles): every
 *                    wake-up has a cause, a sleeping owner uses no processor
 *
 * model - holds
 *   two events and one, one death
 * model EVENTS_0=1+DEATHS=2 holds
 *   both senders may be killed
 * model EVENTS_0=1 holds ALWAYS_ENDS
 * full EVENTS_1=2+DEATHS=2 holds
 *
 * variant DRAIN_THEN_DISARM holds
 *   the order of disarm and drain is a matter of cost only
 * variant NEVER_DISARM holds
 *   so is disarming at all
 * variant LAUNCHER_LOOKS_AT_ARMED holds
 *   the launcher may ring as the senders do
 *
 * mutant OWNER_NO_FENCE breaks NO_LOST_WAKE_UP
 *   arming is a plain store
 * mutant SENDER_NO_FENCE breaks NO_LOST_WAKE_UP
 *   bumping the word is a plain store
 * mutant NO_SECOND_LOOK breaks NO_LOST_WAKE_UP
 *   the owner sleeps right after arming
 * mutant RING_BEFORE_WORD breaks NO_LOST_WAKE_UP
 *   the sender looks at `armed` before it bumps its word
 * mutant DRAIN_BEFORE_SLEEP breaks NO_LOST_WAKE_UP
 *   the bell is drained between second look and poll
 * mutant LAUNCHER_SILENT breaks DEATH_IS_LEARNT
 *   death is marked and news bumped, but nobody rings
 * mutant LAUNCHER_NO_NEWS breaks DEATH_IS_LEARNT
 *   death is marked and rung, but news is not bumped
 * mutant NEWS_BEFORE_MARK breaks DEATH_IS_LEARNT
 *   news is bumped before the mark is written
 * mutant LAUNCHER_RINGS_FIRST breaks DEATH_IS_LEARNT
 *   the bell rings before mark and news are written
 * mutant NO_LAST_LOOK breaks EVENTS_CONSUMED
 *   seeing a death, the owner does not look once more
 * mutant BLOCKING_DRAIN breaks OWNER_FINISHES
 *   the eventfd was made without EFD_NONBLOCK
 * mutant NEVER_DRAIN breaks ALWAYS_ENDS
 *   the bell stays rung, poll never sleeps again
 */
#define NO_LOST_WAKE_UP 1
#define EVENTS_CONSUMED 2
#define DEATH_IS_LEARNT 3
#define OWNER_FINISHES 4
#include "property.pml"

#define SENDERS 2
/* Bumps of either sender, and how many are killed at most. */
#ifndef EVENTS_0
#define EVENTS_0 2
#endif
#ifndef EVENTS_1
#define EVENTS_1 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

#define OWNER SENDERS /* who has which store buffer; sender i has buffer i */
#define LAUNCHER (SENDERS + 1)
#define CPUS (SENDERS + 2)
#define DEPTH 2

#define EVENT(i) (i) /* words of shared memory */
#define DEAD(i) (SENDERS + (i))
#define NEWS (2 * SENDERS)
#define ARMED (2 * SENDERS + 1)
#define WORDS (2 * SENDERS + 2)
#include "tso.pml"

bool bell; /* the eventfd; a read takes the whole count, so one bit is all there is to know */
bool other_came; /* poll has returned for the sake of another descriptor: once is enough */
bool killed[SENDERS];
byte deaths;

byte consumed[SENDERS]; /* the owner's own copies */
bool known_dead[SENDERS];
byte news_seen;
bool asleep, owner_finished;

inline ring(cpu) {
  d_step {
    drained(cpu);
    bell = true
  }
}

inline bump(i, n) {
#ifdef SENDER_NO_FENCE
  store(i, EVENT(i), n)
#else
  store_seq_cst(i, EVENT(i), n)
#endif
}

/* What a process does on its own after a load is one step with the load, to keep states few. */
proctype sender(byte me; byte events) {
  byte n;
  bool must_ring;

  {
    do
    :: !must_ring && n < events ->
#ifdef RING_BEFORE_WORD
       d_step { fetch(me, ARMED, must_ring) }
       if
       :: must_ring -> ring(me); must_ring = false
       :: else
       fi;
       n++;
       bump(me, n)
#else
       atomic {
         n++;
         bump(me, n)
       }
       d_step { fetch(me, ARMED, must_ring) }
#endif
    :: d_step {
         must_ring && drained(me);
         bell = true;
         must_ring = false
       }
    :: !must_ring && n == events -> break
    od
  } unless {
    killed[me]
  }
}

/* It may stop at any time: a death still to come must not hide that somebody waits for ever. */
proctype killer() {
end:
  do
  :: d_step { deaths < DEATHS && !killed[0] -> killed[0] = true; deaths++ }
  :: d_step { deaths < DEATHS && !killed[1] -> killed[1] = true; deaths++ }
  :: d_step { deaths < DEATHS -> deaths = DEATHS }
  od
}

inline launcher_rings() {
#ifdef LAUNCHER_LOOKS_AT_ARMED
  d_step { fetch(LAUNCHER, ARMED, armed) }
  if
  :: armed -> ring(LAUNCHER); armed = false
  :: else
  fi
#else
  ring(LAUNCHER)
#endif
}

/* A pidfd is readable only when the last store of the dead is in memory. */
#define death_to_mark(i) (killed[i] && !marked[i] && drained(i))

proctype launcher() {
  bool marked[SENDERS];
  byte dead, news;
  bool armed;
end:
  do
  :: atomic {
       if
       :: death_to_mark(0) -> dead = 0
       :: death_to_mark(1) -> dead = 1
       fi;
       marked[dead] = true;
       news++
     }
#ifdef LAUNCHER_RINGS_FIRST
     launcher_rings();
#endif
#ifdef NEWS_BEFORE_MARK
     store(LAUNCHER, NEWS, news);
     store(LAUNCHER, DEAD(dead), 1);
#else
     store(LAUNCHER, DEAD(dead), 1);
#ifndef LAUNCHER_NO_NEWS
     store_seq_cst(LAUNCHER, NEWS, news);
#endif
#endif
#if !defined(LAUNCHER_SILENT) && !defined(LAUNCHER_RINGS_FIRST)
     launcher_rings();
#endif
     dead = 0
  od
}

#define settled(i, events) (consumed[i] == (events) || known_dead[i])
#define all_settled (settled(0, EVENTS_0) && settled(1, EVENTS_1))

inline look_at(i) {
  d_step {
    fetch(OWNER, EVENT(i), value);
    found = found || value != consumed[i];
    consumed[i] = value;
    value = 0
  }
}

inline look_at_death(i) {
  d_step {
    fetch(OWNER, DEAD(i), value);
    dies = value && !known_dead[i];
    value = 0
  }
  if
  :: dies ->
     d_step {
#ifndef NO_LAST_LOOK
       fetch(OWNER, EVENT(i), value);
       consumed[i] = value;
       value = 0;
#endif
       known_dead[i] = true;
       done = all_settled;
       dies = false
     }
  :: else
  fi
}

/* A rank takes all there is and then looks at the deaths only when news says that there is some. */
inline look() {
  look_at(0);
  look_at(1);
  d_step {
    fetch(OWNER, NEWS, value);
    news = (value != news_seen);
    news_seen = value;
    found = found || news;
    done = all_settled;
    value = 0
  }
  if
  :: news ->
     news = false;
     look_at_death(0);
     look_at_death(1)
  :: else
  fi
}

inline disarm() {
#ifdef NEVER_DISARM
  skip
#else
  store(OWNER, ARMED, 0) /* no fence: at worst a sender rings once for nothing */
#endif
}

#ifdef BLOCKING_DRAIN
#define can_drain (drained(OWNER) && bell)
#else
#define can_drain drained(OWNER)
#endif

inline drain() {
#ifdef NEVER_DRAIN
  skip
#else
  d_step {
    can_drain;
    bell = false
  }
#endif
}

/*
 * One look per turn: the look after arming is the look of the next turn. More looks before arming
 * (the spin, the yields) only choose when the first of them happens.
 */
proctype owner() {
  byte value;
  bool found, armed, news, dies, done;

  do
  :: done -> break
  :: else ->
     found = false;
#ifdef NO_SECOND_LOOK
     if
     :: armed
     :: else -> look()
     fi;
#else
     look();
#endif
     if
     :: found && armed -> disarm(); armed = false
     :: found && !armed
     :: !found && !armed ->
#ifdef OWNER_NO_FENCE
        store(OWNER, ARMED, 1);
#else
        store_seq_cst(OWNER, ARMED, 1);
#endif
        armed = true
     :: !found && armed ->
#ifdef DRAIN_BEFORE_SLEEP
        drain();
#endif
        if
        :: d_step { drained(OWNER); asleep = true }
           d_step { bell; asleep = false }
        :: d_step { drained(OWNER) && !other_came -> other_came = true }
        fi;
#ifdef DRAIN_THEN_DISARM
        drain();
        disarm();
#else
        disarm();
        drain();
#endif
        armed = false
     fi
  od;
  owner_finished = true
}

init {
  atomic {
    run hardware(0);
    run hardware(1);
    run hardware(OWNER);
    run hardware(LAUNCHER);
    run killer();
    run launcher();
    run sender(0, EVENTS_0);
    run sender(1, EVENTS_1);
    run owner()
  }
  timeout; /* Nothing can move any more. What is asleep now sleeps for ever. */
  PROPERTY(NO_LOST_WAKE_UP, !(asleep && (memory[EVENT(0)] != consumed[0] ||
    memory[EVENT(1)] != consumed[1] || memory[NEWS] != news_seen)));
  PROPERTY(DEATH_IS_LEARNT, !(asleep && (killed[0] && !settled(0, EVENTS_0) ||
    killed[1] && !settled(1, EVENTS_1))));
  PROPERTY(OWNER_FINISHES, owner_finished);
  PROPERTY(EVENTS_CONSUMED, !owner_finished ||
    consumed[0] == memory[EVENT(0)] && consumed[1] == memory[EVENT(1)])
}
