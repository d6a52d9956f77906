/*
 * Connect: how two ranks get a channel on first use, through the launcher's broker thread.
 *
 * A rank that needs a peer asks for it on its control socket. The launcher makes each unordered
 * pair once and has a PEER packet, with descriptors, for both ends. Each rank has at most one such
 * packet not acknowledged; the others wait in the launcher's queue. After each packet the launcher
 * bumps the news word in the rank's line of the job segment and rings its doorbell. A rank's
 * progress pass compares news with what it has seen, reads its control socket until it is empty,
 * and acknowledges.
 *
 * Memory is sequentially consistent here: every store that matters is followed by a system call of
 * the same process before anything relies on it. The bell is always rung; that ringing it only when
 * it is armed comes to the same is what doorbell.pml shows. A rank sleeps on its doorbell alone.
 *
 * A sends to B, B sends to A, each of them or not; B receives from A in any case, so it may wait
 * for a message that never comes from a rank that leaves. With three ranks A sends to B alone, and
 * C asks for A and never looks again. Any rank may be killed at any time.
 *
 *   PAIR_MADE_ONCE     the launcher makes an unordered pair at most once
 *   SAME_PAIR          what the two ends of a pair were given is the same object
 *   ONE_RIGHTS_PACKET  at most one packet with descriptors is under way to a rank
 *   MESSAGE_ARRIVES    a message that was sent is received by a rank that waits for it, even if it
 *                      was sent before the receiver had its end, and even if the sender has gone
 *                      since
 *   LEFT_IS_NOT_DEAD   a rank that left is never marked dead
 *   NOBODY_WAITS       nobody waits for ever: for an answer, a message, a gone rank; nor the
 *                      launcher
 *   ALWAYS_ENDS        no execution goes round for ever
 *
 * model DEATHS=2 holds
 *   two ranks
 * model THREE_RANKS holds
 *   A has two packets coming
 * model - holds ALWAYS_ENDS
 * full THREE_RANKS+DEATHS=2 holds
 *
 * mutant NO_DEDUPE breaks PAIR_MADE_ONCE
 *   both ask, two pairs are made
 * mutant NO_DEDUPE breaks SAME_PAIR
 *   and the ends differ
 * mutant THREE_RANKS+NO_ACK_GATE breaks ONE_RIGHTS_PACKET
 *   packets go out as they come
 * mutant AWAIT_ACK breaks NOBODY_WAITS
 *   the launcher waits for the ack of a dead rank
 * mutant NO_REFUSED breaks NOBODY_WAITS
 *   asking for a gone rank gets no answer
 * mutant NO_NEWS breaks NOBODY_WAITS
 *   the rank wakes, sees no news and sleeps on
 * mutant NO_RING breaks NOBODY_WAITS
 *   news is bumped, the sleeping rank does not see it
 * mutant NEWS_BEFORE_PACKET breaks NOBODY_WAITS
 *   the rank finds its socket empty, then the packet comes
 * mutant SEEN_AFTER_READ breaks NOBODY_WAITS
 *   news that came while it read the socket is swallowed
 * mutant NEW_PAIR_NOT_LOOKED_AT breaks NOBODY_WAITS
 *   the sender's ring came before the PEER packet
 * mutant DEATH_WITHOUT_NEWS breaks NOBODY_WAITS
 *   a rank is marked dead, its peers are not woken
 * mutant DROP_PEER_OF_GONE breaks NOBODY_WAITS
 *   a queued PEER is dropped when the other end is gone
 * mutant FAIL_WITHOUT_ASKING breaks MESSAGE_ARRIVES
 *   the sender left; its message waits in a channel whose PEER packet is still under way
 * mutant NO_LAST_LOOK breaks MESSAGE_ARRIVES
 *   the peer is gone, its channel is not read once more
 * mutant NEVER_DRAIN breaks ALWAYS_ENDS
 *   the bell stays rung, poll never sleeps again
 * mutant DEAD_BEFORE_READ breaks LEFT_IS_NOT_DEAD
 *   the pidfd is believed before the socket is read empty
 */
#define PAIR_MADE_ONCE 1
#define SAME_PAIR 2
#define ONE_RIGHTS_PACKET 3
#define MESSAGE_ARRIVES 4
#define LEFT_IS_NOT_DEAD 5
#define NOBODY_WAITS 6
#include "property.pml"

#ifndef DEATHS
#define DEATHS 1
#endif

#define RANKS 3
#define A 0
#define B 1
#define C 2
#define NOBODY RANKS

/* With three ranks some steps that are two with two ranks are one, to keep the search small. */
#ifdef THREE_RANKS
#define TOGETHER atomic
#else
#define TOGETHER
#endif

mtype = { CONNECT, ACK, LEAVE, PEER, REFUSED, RUNNING, LEFT, DEAD };

#ifdef NO_DEDUPE
#define PAIRS_AT_MOST 6
#define QUEUED_AT_MOST 6
#else
#define PAIRS_AT_MOST 3
#define QUEUED_AT_MOST 3
#endif

/* Sockets: what is in them outlives its sender. The launcher writes only where there is room. */
chan control[RANKS] = [2] of { mtype, byte };
chan inbox[RANKS] = [2] of { mtype, byte, byte };

/* The job segment, and the bells. `news` says that the word differs from what the rank has seen. */
mtype status[RANKS] = RUNNING;
bool news[RANKS];
bool bell[RANKS];

/* The launcher's own. */
chan queue[RANKS] = [QUEUED_AT_MOST] of { mtype, byte, byte };
bool unacknowledged[RANKS];
byte pairs;          /* made so far, which is also the name of the newest */
byte pair_of[RANKS]; /* by the sum of the two ranks less one: AB 0, AC 1, BC 2 */

#define index(x, y) ((x) + (y) - 1)

/* A channel holds one message each way: mail[to]. It outlives both ends. */
typedef Channel {
  bool mail[RANKS]
};
Channel channel[PAIRS_AT_MOST + 1];

/* For the properties alone. */
byte rights_under_way[RANKS];
byte first_given[RANKS]; /* by index: the pair that the end which came first was given */

bool killed[RANKS], exited[RANKS];
byte deaths;

/* Nobody is there to see its news or to hear its bell. */
#define is_over(who) (killed[who] || exited[who])

/* ---- a rank ---- */

inline take_packets() {
  do
  :: d_step {
       inbox[me]?PEER(peer, pair);
       rights_under_way[me]--;
       PROPERTY(SAME_PAIR, !first_given[index(me, peer)] || first_given[index(me, peer)] == pair);
       first_given[index(me, peer)] = pair;
       pair_with[peer] = pair;
       peer = 0;
       pair = 0
     }
     control[me]!ACK(me)
  :: d_step {
       inbox[me]?REFUSED(peer, pair);
       refused[peer] = true;
       peer = 0
     }
  :: empty(inbox[me]) -> break
  od
}

/* A progress pass. What has been seen is noted before the socket is read: nothing falls between. */
inline progress() {
#ifdef SEEN_AFTER_READ
  take_packets();
  news[me] = false
#else
  news[me] = false;
  take_packets()
#endif
}

inline sleep() {
  d_step {
    bell[me];
#ifndef NEVER_DRAIN
    bell[me] = false
#endif
  }
}

#define should_ask(peer) (!pair_with[peer] && !refused[peer] && !asked[peer])
#define still_to_send (!pair_with[to] && !refused[to] && asked[to])

/* A rank sleeps only after a pass that found nothing; after any other it looks at it all again. */
inline send_message() {
  do
  :: TOGETHER {
       d_step {
         pair_with[to];
         channel[pair_with[to]].mail[to] = true
       }
       bell[to] = !is_over(to)
     }
     break
  :: !pair_with[to] && refused[to] -> break
  :: d_step { should_ask(to); asked[to] = true } control[me]!CONNECT(to)
  :: still_to_send && news[me] -> TOGETHER { progress() }
  :: still_to_send && !news[me] -> sleep()
  od
}

/* Without a pair that is channel 0, which nobody uses. */
#define mail_from(peer) channel[pair_with[peer]].mail[me]

/*
 * That a peer is gone and no channel to it is known proves nothing: the packet with the channel,
 * and in it the message, may still be under way. Only the launcher's refusal says that there never
 * was one.
 */
#ifdef FAIL_WITHOUT_ASKING
#define fails (!found && gone)
#define asks false
#else
#define fails (!found && gone && (pair_with[from] || refused[from]))
#define asks (!found && gone && should_ask(from))
#endif
#define waits (!found && !fails && !asks)

inline receive_message() {
  do
  :: TOGETHER {
#ifdef NO_LAST_LOOK
       found = mail_from(from);
       gone = (status[from] != RUNNING)
#else
       gone = (status[from] != RUNNING);
       found = mail_from(from)
#endif
     }
     if
     :: d_step { found; channel[pair_with[from]].mail[me] = false } break
     :: d_step {
          fails;
          PROPERTY(MESSAGE_ARRIVES, !channel[pair_of[index(from, me)]].mail[me])
        }
        break
     :: d_step { asks; asked[from] = true } control[me]!CONNECT(from)
     :: waits && news[me] ->
        TOGETHER { progress() }
#ifdef NEW_PAIR_NOT_LOOKED_AT
        sleep()
#endif
     :: waits && !news[me] -> sleep()
     fi
  od
}

/* What nobody will look at again is zeroed, so that it tells no states apart. */
inline forget() {
  news[me] = false;
  bell[me] = false;
  gone = false;
  found = false;
  to = 0;
  from = 0;
  pair = 0;
  peer = 0;
  do
  :: peer < RANKS ->
     asked[peer] = false;
     refused[peer] = false;
     pair_with[peer] = 0;
     peer++
  :: else -> break
  od;
  peer = 0
}

/* It sends first, then receives; the peers may be NOBODY. */
proctype rank(byte me; byte to; byte from) {
  bool asked[RANKS], refused[RANKS];
  byte pair_with[RANKS];
  bool gone, found;
  byte peer, pair;

  {
    if
    :: to != NOBODY -> send_message()
    :: else
    fi;
    if
    :: from != NOBODY -> receive_message()
    :: else
    fi;
    control[me]!LEAVE(me);
    d_step {
      exited[me] = true;
      forget()
    }
  } unless {
    d_step {
      killed[me];
      forget()
    }
  }
}

/* Asks for A and never looks again: it never acknowledges, and leaves or dies at some time. */
proctype stranger(byte me) {
  {
    control[me]!CONNECT(A);
    control[me]!LEAVE(me);
    d_step {
      exited[me] = true;
      news[me] = false;
      bell[me] = false
    }
  } unless {
    d_step {
      killed[me];
      news[me] = false;
      bell[me] = false
    }
  }
}

#define kill(who) \
  d_step { deaths < DEATHS && !killed[who] && !exited[who] -> killed[who] = true; deaths++ }

/* It may stop at any time: a death still to come must not hide that somebody waits for ever. */
proctype killer() {
end:
  do
  :: kill(A)
  :: kill(B)
  :: kill(C)
  :: d_step { deaths < DEATHS -> deaths = DEATHS }
  od
}

/* ---- the launcher ---- */

/* On CONNECT. Where the pair is made, its packet is there, or under way, or in the queue. */
inline connect(asker, peer) {
  if
#ifndef NO_DEDUPE
  :: pair_of[index(asker, peer)]
#endif
  :: !pair_of[index(asker, peer)] && status[peer] != RUNNING ->
#ifdef NO_REFUSED
     skip
#else
     queue[asker]!REFUSED(peer, 0)
#endif
  :: else ->
     PROPERTY(PAIR_MADE_ONCE, !pair_of[index(asker, peer)]);
     pairs++;
     pair_of[index(asker, peer)] = pairs;
     queue[asker]!PEER(peer, pairs);
     queue[peer]!PEER(asker, pairs)
  fi
}

#ifdef NO_NEWS
#define bump_news(who) skip
#else
#define bump_news(who) news[who] = !is_over(who)
#endif
#ifdef NO_RING
#define ring(who) skip
#else
#define ring(who) bell[who] = !is_over(who)
#endif

#ifdef NO_ACK_GATE
#define may_go(who) true
#else
#define may_go(who) (!unacknowledged[who] || queue[who]?[REFUSED, _, _])
#endif
#define sendable(who) \
  (status[who] == RUNNING && nempty(queue[who]) && nfull(inbox[who]) && may_go(who))

inline deliver(who) {
  queue[who]?what, peer, pair;
  inbox[who]!what, peer, pair;
  if
  :: what == PEER ->
     rights_under_way[who]++;
     unacknowledged[who] = true;
     PROPERTY(ONE_RIGHTS_PACKET, rights_under_way[who] <= 1)
  :: else
  fi
}

#ifdef DEAD_BEFORE_READ
#define has_died(who) ((killed[who] || exited[who]) && status[who] == RUNNING)
#else
#define has_died(who) \
  ((killed[who] || exited[who]) && status[who] == RUNNING && empty(control[who]))
#endif

inline next_peer() {
  do
  :: peer < RANKS && (peer == r || is_over(peer)) -> peer++
  :: else -> break
  od
}

/* What the kernel and the launcher hold for the rank goes; its peers' queues stay as they are. */
inline set_gone(who, how) {
  status[who] = how;
  do
  :: inbox[who]?_, _, _
  :: queue[who]?_, _, _
  :: empty(inbox[who]) && empty(queue[who]) -> break
  od;
  rights_under_way[who] = 0;
  unacknowledged[who] = false;
#ifdef DROP_PEER_OF_GONE
  peer = 0;
  do
  :: peer < RANKS ->
     if
     :: queue[peer]??[PEER, eval(who), _] -> queue[peer]??PEER, eval(who), _
     :: else
     fi;
     peer++
  :: else -> break
  od;
#endif
#ifdef DEATH_WITHOUT_NEWS
  peer = RANKS
#else
  peer = 0;
  next_peer()
#endif
}

inline tell_peers() {
  TOGETHER {
    do
    :: d_step { peer < RANKS; bump_news(peer) }
       d_step {
         ring(peer);
         peer++;
         next_peer();
         skip
       }
    :: d_step { peer == RANKS; r = 0; peer = 0 } break
    od
  }
}

/* One thread. It waits for no one rank: whatever can be done next, whoever it is for, is done. */
proctype launcher() {
  byte r, peer, pair;
  mtype what;
end:
  do
  :: atomic {
       if
       :: control[A]?CONNECT(peer) -> r = A
       :: control[B]?CONNECT(peer) -> r = B
       :: control[C]?CONNECT(peer) -> r = C
       fi;
       connect(r, peer);
       r = 0;
       peer = 0
     }
  :: d_step { control[A]?ACK(_); unacknowledged[A] = false }
  :: d_step { control[B]?ACK(_); unacknowledged[B] = false }
  :: d_step { control[C]?ACK(_); unacknowledged[C] = false }
  :: atomic {
       if
       :: sendable(A) -> r = A
       :: sendable(B) -> r = B
       :: sendable(C) -> r = C
       fi;
#ifdef NEWS_BEFORE_PACKET
       bump_news(r)
     }
     ring(r);
     d_step { deliver(r) }
#else
       deliver(r)
     }
     TOGETHER {
       bump_news(r);
       ring(r)
     }
#endif
#ifdef AWAIT_ACK
     if
     :: what == PEER -> control[r]??ACK(_); unacknowledged[r] = false
     :: else
     fi;
#endif
     atomic {
       r = 0;
       peer = 0;
       pair = 0;
       what = 0
     }
  :: atomic {
       if
       :: control[A]?LEAVE(_) -> r = A
       :: control[B]?LEAVE(_) -> r = B
       :: control[C]?LEAVE(_) -> r = C
       fi;
       set_gone(r, LEFT)
     }
     tell_peers()
  :: atomic {
       if
       :: has_died(A) -> r = A
       :: has_died(B) -> r = B
       :: has_died(C) -> r = C
       fi;
       PROPERTY(LEFT_IS_NOT_DEAD, !exited[r]);
       set_gone(r, DEAD)
     }
     tell_peers()
  od
}

#define ended(who) ((exited[who] || killed[who]) && status[who] != RUNNING)

init {
  byte a_to = NOBODY, a_from = NOBODY, b_to = NOBODY;

  atomic {
    run killer();
    run launcher();
#ifdef THREE_RANKS
    a_to = B;
    run stranger(C);
#else
    exited[C] = true;
    status[C] = LEFT;
    if
    :: a_to = B
    :: true
    fi;
    if
    :: b_to = A; a_from = B
    :: true
    fi;
#endif
    run rank(A, a_to, a_from);
    run rank(B, b_to, A)
  }
  timeout; /* nothing can move any more */
  PROPERTY(NOBODY_WAITS, ended(A) && ended(B) && ended(C))
}
