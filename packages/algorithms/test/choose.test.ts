import { expect, test } from 'vitest';
import { algorithmsOf, COLLECTIVES, choose, findAlgorithm, type Situation } from '../src/index.ts';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 16, 33, 64, 128, 1000];
const BYTES = [0, 1, 8, 255, 256, 257, ...Array.from({ length: 16 }, (_, k) => 2 ** (k + 9))];
const SITUATIONS: readonly Situation[] = SIZES.flatMap((size) =>
  BYTES.flatMap((bytes) =>
    [true, false].flatMap((commutative) =>
      [true, false].map((area) => ({ size, bytes, commutative, area })),
    ),
  ),
);

test('names are unique within an operation, and found', () => {
  for (const operation of COLLECTIVES) {
    const algorithms = algorithmsOf(operation);
    expect(algorithms.length).toBeGreaterThan(0);
    expect(new Set(algorithms.map(({ name }) => name)).size).toBe(algorithms.length);
    for (const algorithm of algorithms) {
      expect(algorithm.operation).toBe(operation);
      expect(findAlgorithm(operation, algorithm.name)).toBe(algorithm);
    }
    expect(findAlgorithm(operation, 'by-pigeon')).toBeUndefined();
  }
});

test('what is chosen belongs to the operation, keeps order where it must, and is linear only among few', () => {
  for (const operation of COLLECTIVES) {
    for (const situation of SITUATIONS) {
      const algorithm = choose(operation, situation);
      expect(algorithmsOf(operation)).toContain(algorithm);
      if (!situation.commutative) expect(algorithm.ordered).toBe(true);
      if (situation.size > 4) expect(algorithm.name).not.toContain('linear');
    }
  }
});

test('without a collective area nothing is chosen that needs one', () => {
  const needs = new Set(['publish', 'await', 'copyIn', 'copyOut']);
  for (const operation of COLLECTIVES) {
    const chosen = new Set(
      SITUATIONS.filter(({ area }) => !area).map((situation) => choose(operation, situation)),
    );
    for (const algorithm of chosen) {
      const { steps } = algorithm.schedule(4, 1, 0);
      expect(steps.filter(({ kind }) => needs.has(kind))).toEqual([]);
    }
  }
});

test('every algorithm is chosen for something', () => {
  for (const operation of COLLECTIVES) {
    const chosen = new Set(SITUATIONS.map((situation) => choose(operation, situation)));
    expect(algorithmsOf(operation).filter((algorithm) => !chosen.has(algorithm))).toEqual([]);
  }
});
