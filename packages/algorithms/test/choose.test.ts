import { expect, test } from 'vitest';
import { algorithmsOf, COLLECTIVES, choose, findAlgorithm } from '../src/index.ts';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 16, 33, 64, 128, 1000];
const BYTES = [0, 1, 8, 255, 256, 257, ...Array.from({ length: 16 }, (_, k) => 2 ** (k + 9))];

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
    for (const size of SIZES) {
      for (const bytes of BYTES) {
        for (const commutative of [true, false]) {
          const algorithm = choose(operation, { size, bytes, commutative });
          expect(algorithmsOf(operation)).toContain(algorithm);
          if (!commutative) expect(algorithm.ordered).toBe(true);
          if (size > 4) expect(algorithm.name).not.toContain('linear');
        }
      }
    }
  }
});

test('every algorithm is chosen for something', () => {
  for (const operation of COLLECTIVES) {
    const chosen = new Set(
      SIZES.flatMap((size) =>
        BYTES.flatMap((bytes) =>
          [true, false].map((commutative) => choose(operation, { size, bytes, commutative })),
        ),
      ),
    );
    expect([...chosen].map(({ name }) => name).sort()).toEqual(
      algorithmsOf(operation)
        .map(({ name }) => name)
        .sort(),
    );
  }
});
