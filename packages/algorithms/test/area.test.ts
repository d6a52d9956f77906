import { expect, test } from 'vitest';
import { even, IN, OUT, region, type Schedule, ScheduleBuilder } from '../src/index.ts';
import { check, roundsOf } from '../src/simulator/index.ts';

// Steps of the collective area, in schedules made by hand.

const SIZE = 5;

function allRanks(schedule: (rank: number) => Schedule): Schedule[] {
  return Array.from({ length: SIZE }, (_, rank) => schedule(rank));
}

function others(rank: number): number[] {
  return [...new Array(SIZE).keys()].filter((other) => other !== rank);
}

test('a barrier by counters', () => {
  const schedules = allRanks((rank) => {
    const b = new ScheduleBuilder(SIZE, rank, even(0), even(0));
    b.publish();
    for (const other of others(rank)) b.await(other, 1);
    return b.build();
  });
  const problem = { operation: 'barrier', size: SIZE, root: 0, count: 0, inPlace: false } as const;
  const run = check(schedules, problem);
  // Each looks at one counter after the other.
  expect(roundsOf(run)).toBe(SIZE - 1);
});

const ALLREDUCE = {
  operation: 'allreduce',
  size: SIZE,
  root: 0,
  count: 7,
  inPlace: true,
} as const;

/** Everybody combines everybody's cell, in order; a second counter says that nobody reads any more. */
function allreduceByCells(rank: number, waits: boolean): Schedule {
  const b = new ScheduleBuilder(SIZE, rank, even(1), even(1));
  const incoming = b.scratch(even(1), IN);
  const sum = b.scratch(even(1), IN);
  b.copyIn(region(IN, 0));
  b.round();
  b.publish();
  b.round();
  for (let other = 0; other < SIZE; other += 1) {
    if (waits && other !== rank) b.await(other, 1);
    b.round();
    b.copyOut(other, region(other === 0 ? sum : incoming, 0));
    b.round();
    if (other > 0) b.reduce(region(incoming, 0), region(sum, 0), region(sum, 0), 'right');
    b.round();
  }
  b.copy(region(sum, 0), region(OUT, 0));
  b.publish();
  b.round();
  for (const other of others(rank)) b.await(other, 2);
  return b.build();
}

test('an allreduce through cells', () => {
  check(
    allRanks((rank) => allreduceByCells(rank, true)),
    ALLREDUCE,
  );
});

test('a cell read before it is published is found', () => {
  const hasty = allRanks((rank) => allreduceByCells(rank, rank !== 3));
  expect(() => check(hasty, ALLREDUCE)).toThrow(/race|uninitialised/);
});

test('a counter that is never reached is found', () => {
  const schedules = allRanks((rank) => {
    const b = new ScheduleBuilder(SIZE, rank, even(0), even(0));
    b.publish();
    if (rank === 0) b.await(1, 2);
    return b.build();
  });
  const problem = { operation: 'barrier', size: SIZE, root: 0, count: 0, inPlace: false } as const;
  expect(() => check(schedules, problem)).toThrow(/publish: .*waits for ever/);
});
