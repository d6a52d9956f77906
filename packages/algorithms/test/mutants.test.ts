import { describe, expect, test } from 'vitest';
import {
  type CollectiveName,
  even,
  findAlgorithm,
  IN,
  OUT,
  region,
  type Schedule,
  ScheduleBuilder,
  type Side,
  type Step,
  type StepKind,
} from '../src/index.ts';
import {
  type Check,
  check,
  type Problem,
  SimulationError,
  schedulesOf,
} from '../src/simulator/index.ts';

// Schedules with one thing wrong: each must be found, and by the check that is there for it.

interface Mutant {
  readonly what: string;
  readonly by: Check;
  readonly operation: CollectiveName;
  readonly algorithm: string;
  readonly size: number;
  readonly count?: number;
  readonly inPlace?: boolean;
  /** What the message must say. */
  readonly says?: RegExp;
  readonly mutate: (schedules: Schedule[]) => Schedule[];
}

/** Replaces one rank's k-th step of a kind. */
function change<K extends StepKind>(
  schedules: Schedule[],
  rank: number,
  kind: K,
  k: number,
  changed: (step: Step & { kind: K }) => Step,
): Schedule[] {
  return schedules.map((schedule) => {
    if (schedule.rank !== rank) return schedule;
    let seen = -1;
    let found = false;
    const steps = schedule.steps.map((step) => {
      if (step.kind !== kind) return step;
      seen += 1;
      if (seen !== k) return step;
      found = true;
      return changed(step as Step & { kind: K });
    });
    if (!found) throw new Error(`rank ${rank} has no ${kind} ${k}`);
    return { ...schedule, steps };
  });
}

/** Adds steps to the end of a rank's schedule. */
function append(schedules: Schedule[], rank: number, ...added: Step[]): Schedule[] {
  return schedules.map((schedule) =>
    schedule.rank === rank ? { ...schedule, steps: [...schedule.steps, ...added] } : schedule,
  );
}

function without(schedules: Schedule[], rank: number, kind: StepKind): Schedule[] {
  return schedules.map((schedule) => {
    if (schedule.rank !== rank) return schedule;
    const gone = schedule.steps.findIndex((step) => step.kind === kind);
    const steps = schedule.steps
      .filter((_, id) => id !== gone)
      .map((step) => ({
        ...step,
        after: step.after.filter((id) => id !== gone).map((id) => (id > gone ? id - 1 : id)),
      }));
    return { ...schedule, steps };
  });
}

const other = (side: Side): Side => (side === 'left' ? 'right' : 'left');

const MUTANTS: Mutant[] = [
  {
    what: 'a predecessor missing: pulled into what the partner may still be reading',
    by: 'race',
    operation: 'allreduce',
    algorithm: 'rabenseifner',
    size: 4,
    inPlace: true,
    mutate: (schedules) =>
      change(schedules, 1, 'pull', 1, (step) => ({ ...step, after: [step.exposure] })),
  },
  {
    what: 'a predecessor missing: a block sent on before it is there',
    by: 'uninitialised',
    operation: 'scatter',
    algorithm: 'binomial',
    size: 8,
    mutate: (schedules) => change(schedules, 4, 'send', 0, (step) => ({ ...step, after: [] })),
  },
  {
    what: 'an operand overwritten while it is being sent',
    by: 'race',
    operation: 'allreduce',
    algorithm: 'recursive-doubling',
    size: 2,
    inPlace: true,
    mutate: (schedules) =>
      without(
        change(schedules, 0, 'recvReduce', 0, (step) => ({ ...step, into: region(OUT, 0) })),
        0,
        'copy',
      ),
  },
  {
    what: 'a result overwritten: two blocks received into one place',
    by: 'race',
    operation: 'alltoall',
    algorithm: 'direct',
    size: 5,
    mutate: (schedules) =>
      change(schedules, 3, 'recv', 1, (step) => ({ ...step, into: region(OUT, 0) })),
  },
  {
    what: 'operands swapped',
    by: 'result',
    operation: 'scan',
    algorithm: 'doubling',
    size: 6,
    mutate: (schedules) =>
      change(schedules, 5, 'recvReduce', 1, (step) => ({
        ...step,
        incoming: other(step.incoming),
      })),
  },
  {
    what: 'a contribution counted twice',
    by: 'result',
    operation: 'reduce',
    algorithm: 'binomial',
    size: 4,
    mutate: (schedules) =>
      append(schedules, 0, {
        kind: 'reduce',
        from: region(IN, 0),
        own: region(OUT, 0),
        into: region(OUT, 0),
        incoming: 'left',
        after: schedules[0]!.steps.map((_, id) => id),
      }),
  },
  {
    what: 'two elements of different places combined',
    by: 'result',
    operation: 'reduceScatterBlock',
    algorithm: 'halving',
    size: 4,
    says: /combined with/,
    mutate: (schedules) =>
      change(schedules, 2, 'send', 0, (step) => ({ ...step, from: region(IN, 0, 2) })),
  },
  {
    what: 'memory beside the result written',
    by: 'result',
    operation: 'exscan',
    algorithm: 'doubling',
    size: 3,
    mutate: (schedules) =>
      append(schedules, 0, { kind: 'copy', from: region(IN, 0), into: region(OUT, 0), after: [] }),
  },
  {
    what: 'a wrong peer',
    by: 'deadlock',
    operation: 'barrier',
    algorithm: 'dissemination',
    size: 5,
    says: /rank \d step \d+ \(recv from \d\) waits/,
    mutate: (schedules) => change(schedules, 2, 'send', 1, (step) => ({ ...step, peer: 0 })),
  },
  {
    what: 'each waits for the other to send first',
    by: 'deadlock',
    operation: 'allreduce',
    algorithm: 'recursive-doubling',
    size: 2,
    says: /recvReduce from 1.*has not started.*recvReduce from 0.*has not started/,
    mutate: (schedules) => schedules.map((schedule) => firstReceive(schedule)),
  },
  {
    what: 'each receives only when its own message is through, which eager sends hide',
    by: 'deadlock',
    operation: 'alltoall',
    algorithm: 'direct',
    size: 2,
    says: /send to 1.*has not started.*send to 0.*has not started/,
    mutate: () => [0, 1].map((rank) => headOn(rank)),
  },
  {
    what: 'a message that nobody receives',
    by: 'unmatched',
    operation: 'bcast',
    algorithm: 'binomial',
    size: 4,
    mutate: (schedules) => without(schedules, 3, 'recv'),
  },
  {
    what: 'a message that meets an accept',
    by: 'unmatched',
    operation: 'bcast',
    algorithm: 'exposure-tree',
    size: 3,
    mutate: (schedules) => change(schedules, 0, 'expose', 0, (step) => ({ ...step, kind: 'send' })),
  },
  {
    what: 'a message longer than what is received',
    by: 'length',
    operation: 'gather',
    algorithm: 'binomial',
    size: 4,
    mutate: (schedules) =>
      change(schedules, 0, 'recv', 1, (step) => ({ ...step, into: region(OUT, 2, 1) })),
  },
  {
    what: 'a block beyond the end of its buffer',
    by: 'bounds',
    operation: 'allgather',
    algorithm: 'bruck',
    size: 3,
    mutate: (schedules) =>
      change(schedules, 2, 'recv', 0, (step) => ({ ...step, into: region(OUT, 3) })),
  },
  {
    what: 'a buffer that is not bound',
    by: 'bounds',
    operation: 'gather',
    algorithm: 'linear',
    size: 3,
    mutate: (schedules) =>
      append(schedules, 1, { kind: 'copy', from: region(IN, 0), into: region(OUT, 1), after: [] }),
  },
  {
    what: 'the send buffer written',
    by: 'bounds',
    operation: 'allreduce',
    algorithm: 'recursive-doubling',
    size: 4,
    says: /writes into IN of rank 1/,
    mutate: (schedules) =>
      change(schedules, 1, 'recvReduce', 0, (step) => ({ ...step, into: region(IN, 0) })),
  },
  {
    what: 'a part outside of the exposure',
    by: 'bounds',
    operation: 'allreduce',
    algorithm: 'rabenseifner',
    size: 4,
    mutate: (schedules) =>
      change(schedules, 0, 'pull', 0, (step) => ({ ...step, part: region(OUT, 2) })),
  },
  {
    what: 'a pull that does not wait for its exposure',
    by: 'form',
    operation: 'allgather',
    algorithm: 'pull',
    size: 3,
    mutate: (schedules) => change(schedules, 0, 'pull', 1, (step) => ({ ...step, after: [] })),
  },
  {
    what: 'one that does not publish as often as it says',
    by: 'publish',
    operation: 'barrier',
    algorithm: 'dissemination',
    size: 2,
    mutate: (schedules) => append(schedules, 1, { kind: 'publish', after: [] }),
  },
];

/** Sends only after the receive. */
function firstReceive(schedule: Schedule): Schedule {
  const b = new ScheduleBuilder(schedule.size, schedule.rank, even(1), even(1));
  const own = b.scratch(even(1), IN);
  const peer = 1 - schedule.rank;
  b.recvReduce(peer, region(IN, 0), region(own, 0), schedule.rank === 0 ? 'right' : 'left');
  b.round();
  b.send(peer, region(IN, 0));
  b.copy(region(own, 0), region(OUT, 0));
  return b.build();
}

/** An exchange between two ranks where both wait for the end of their send. */
function headOn(rank: number): Schedule {
  const b = new ScheduleBuilder(2, rank, even(2), even(2));
  b.copy(region(IN, rank), region(OUT, rank));
  b.send(1 - rank, region(IN, 1 - rank));
  b.round();
  b.recv(1 - rank, region(OUT, 1 - rank));
  return b.build();
}

function failure(schedules: Schedule[], problem: Problem): SimulationError | undefined {
  try {
    check(schedules, problem);
  } catch (error) {
    if (error instanceof SimulationError) return error;
    throw error;
  }
  return undefined;
}

describe('found:', () => {
  test.each(MUTANTS)('$what ($by)', (mutant) => {
    const { operation, size, inPlace = false, count = 3 } = mutant;
    const algorithm = findAlgorithm(operation, mutant.algorithm);
    if (algorithm === undefined) throw new Error(`no ${mutant.algorithm}`);
    const problem = {
      operation,
      size,
      root: 0,
      count: operation === 'barrier' ? 0 : count,
      inPlace,
    };
    const sound = schedulesOf(algorithm, problem);
    expect(failure(sound, problem)).toBeUndefined();

    const found = failure(mutant.mutate(sound), problem);
    expect(found?.message).toMatch(mutant.says ?? /./);
    expect(found?.check).toBe(mutant.by);
  });
});
