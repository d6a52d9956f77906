// Groups and the extents of grids, against slow and obvious models. No ranks are needed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../packages/engine/src/index.ts';
import { IDENT, SIMILAR, UNEQUAL } from '../packages/runtime/src/comparison.ts';
import { Group, type RankRange } from '../packages/runtime/src/group.ts';
import { dimsCreate } from '../packages/runtime/src/topologies/grid.ts';

const PROC_NULL = -2;
const UNDEFINED = -3;
const WORLD = 24;
const engine = { rank: 5, size: WORLD } as Engine;

const runs = process.env.ONECOPY_TEST_FULL === '1' ? 20_000 : 300;
const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`groups: ONECOPY_TEST_SEED=${seed}`);
const settings = { seed, numRuns: runs } as const;

/** World ranks in any order, none twice. */
const list = fc.uniqueArray(fc.integer({ min: 0, max: WORLD - 1 }), { maxLength: WORLD });

function group(worldRanks: readonly number[]): Group {
  return Group.of(engine, Int32Array.from(worldRanks));
}

function expectMembers(got: Group, expected: readonly number[]): void {
  expect([...got.toWorldRanks()]).toEqual(expected);
  expect(got.size).toBe(expected.length);
  const rank = expected.indexOf(engine.rank);
  expect(got.rank).toBe(rank < 0 ? UNDEFINED : rank);
  for (let world = 0; world < WORLD; world += 1) {
    const each = expected.indexOf(world);
    expect(got.fromWorld(world)).toBe(each < 0 ? UNDEFINED : each);
  }
}

describe('groups agree with lists:', () => {
  test('union, intersection, difference', () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        expectMembers(group(a).union(group(b)), [...a, ...b.filter((each) => !a.includes(each))]);
        expectMembers(
          group(a).intersection(group(b)),
          a.filter((each) => b.includes(each)),
        );
        expectMembers(
          group(a).difference(group(b)),
          a.filter((each) => !b.includes(each)),
        );
      }),
      settings,
    );
  });

  test('incl and excl', () => {
    const chosen = list.chain((a) => fc.tuple(fc.constant(a), fc.shuffledSubarray([...a.keys()])));
    fc.assert(
      fc.property(chosen, ([a, ranks]) => {
        expectMembers(
          group(a).incl(ranks),
          ranks.map((rank) => a[rank] as number),
        );
        expectMembers(
          group(a).excl(ranks),
          a.filter((_, rank) => !ranks.includes(rank)),
        );
      }),
      settings,
    );
  });

  test('ranges, also such as are refused', () => {
    const range = fc.tuple(
      fc.integer({ min: -1, max: WORLD }),
      fc.integer({ min: -1, max: WORLD }),
      fc.integer({ min: -4, max: 4 }),
    );
    fc.assert(
      fc.property(list, fc.array(range, { maxLength: 3 }), (a, ranges) => {
        const ranks: number[] = [];
        let wrong = false;
        for (const [first, last, stride] of ranges) {
          const outside = [first, last].some((each) => each < 0 || each >= a.length);
          wrong ||= stride === 0 || outside;
          // As the standard has it: first + i stride, for i to the floor of (last - first) / stride.
          const steps = stride === 0 ? -1 : Math.floor((last - first) / stride);
          for (let i = 0; i <= steps; i += 1) ranks.push(first + i * stride);
        }
        wrong ||= new Set(ranks).size !== ranks.length;
        const given: readonly RankRange[] = ranges;
        if (wrong) {
          expect(() => group(a).rangeIncl(given)).toThrow(/rangeIncl: /);
          expect(() => group(a).rangeExcl(given)).toThrow(/rangeExcl: /);
          return;
        }
        expectMembers(
          group(a).rangeIncl(given),
          ranks.map((rank) => a[rank] as number),
        );
        expectMembers(
          group(a).rangeExcl(given),
          a.filter((_, rank) => !ranks.includes(rank)),
        );
      }),
      settings,
    );
  });

  test('translateRanks and compare', () => {
    const pairs = fc.oneof(
      fc.tuple(list, list),
      list.chain((a) => fc.tuple(fc.constant(a), fc.shuffledSubarray(a, { minLength: a.length }))),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const ranks = [...a.keys(), PROC_NULL];
        const expected = a.map((each) => (b.includes(each) ? b.indexOf(each) : UNDEFINED));
        expect(group(a).translateRanks(ranks, group(b))).toEqual([...expected, PROC_NULL]);
        const identical = JSON.stringify(a) === JSON.stringify(b);
        const similar = JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
        expect(group(a).compare(group(b))).toBe(identical ? IDENT : similar ? SIMILAR : UNEQUAL);
      }),
      settings,
    );
  });

  test('the group of everybody is like any other', () => {
    const everybody = Group.everybody(engine);
    expectMembers(everybody, [...Array(WORLD).keys()]);
    expect(everybody.compare(group([...Array(WORLD).keys()]))).toBe(IDENT);
    expectMembers(
      everybody.difference(group([3])),
      [...Array(WORLD).keys()].filter((each) => each !== 3),
    );
  });

  test('the empty group', () => {
    expect(Group.empty.size).toBe(0);
    expect(Group.empty.rank).toBe(UNDEFINED);
    expect(group([])).toBe(Group.empty);
    expectMembers(Group.empty.union(group([5, 1])), [5, 1]);
    expect(Group.empty.compare(group([1]).excl([0]))).toBe(IDENT);
  });
});

// ------------------------------------------------------------------------------------------------------- dimsCreate

/** All ways to write n as so many factors that do not increase. */
function waysOf(n: number, count: number, most: number = n): number[][] {
  if (count === 0) return n === 1 ? [[]] : [];
  const ways: number[][] = [];
  for (let largest = 1; largest <= Math.min(n, most); largest += 1) {
    if (n % largest !== 0) continue;
    for (const rest of waysOf(n / largest, count - 1, largest)) ways.push([largest, ...rest]);
  }
  return ways;
}

describe('dimsCreate', () => {
  test('gives extents that do not increase, none of whose like is more even', () => {
    for (let n = 1; n <= 400; n += 1) {
      for (let count = 1; count <= 4; count += 1) {
        const ways = waysOf(n, count).sort((a, b) => {
          const at = a.findIndex((each, i) => each !== b[i]);
          return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
        });
        expect(dimsCreate(n, count)).toEqual(ways[0]);
      }
    }
  });

  test('keeps what is given', () => {
    expect(dimsCreate(6, [3, 2])).toEqual([3, 2]);
    expect(dimsCreate(12, [0, 2, 0])).toEqual([3, 2, 2]);
    expect(dimsCreate(7, [0])).toEqual([7]);
    expect(dimsCreate(6, [0, 3, 0])).toEqual([2, 3, 1]);
    expect(dimsCreate(1, 0)).toEqual([]);
    expect(() => dimsCreate(6, 0)).toThrow(/ERR_DIMS|make no grid/);
  });

  test('finds the examples of the standard', () => {
    expect(dimsCreate(6, [0, 0])).toEqual([3, 2]);
    expect(dimsCreate(7, [0, 0])).toEqual([7, 1]);
    expect(dimsCreate(6, [0, 3, 0])).toEqual([2, 3, 1]);
    expect(() => dimsCreate(7, [0, 3, 0])).toThrow(/make no grid/);
  });

  test('large numbers take no time', () => {
    expect(dimsCreate(4096, 3)).toEqual([16, 16, 16]);
    expect(dimsCreate(2 ** 30, 6)).toEqual([32, 32, 32, 32, 32, 32]);
    expect(dimsCreate(2 ** 31 - 1, 2)).toEqual([2 ** 31 - 1, 1]);
  });
});
