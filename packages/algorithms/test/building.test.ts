import { expect, test } from 'vitest';
import { algorithmsOf, COLLECTIVES } from '../src/index.ts';

const SIZE = 128;
const REPETITIONS = 50;

// How long it takes is printed, not asserted: a schedule is built once per call signature and kept.
test('schedules of 128 ranks stay small', () => {
  const lines: string[] = [];
  for (const operation of COLLECTIVES) {
    for (const algorithm of algorithmsOf(operation)) {
      let most = 0;
      for (let rank = 0; rank < SIZE; rank += 1) {
        const { steps } = algorithm.schedule(SIZE, rank, 5);
        const edges = steps.reduce((sum, { after }) => sum + after.length, 0);
        most = Math.max(most, steps.length);
        // Edges cost as much as steps: joins keep them from growing with the square.
        expect(edges).toBeLessThanOrEqual(2 * steps.length);
      }
      expect(most).toBeLessThanOrEqual(3 * SIZE);
      const start = performance.now();
      for (let turn = 0; turn < REPETITIONS; turn += 1) algorithm.schedule(SIZE, turn, 5);
      const each = (1000 * (performance.now() - start)) / REPETITIONS;
      lines.push(`${operation} ${algorithm.name}: ${most} steps, ${each.toFixed(0)} us`);
    }
  }
  console.log(`schedules of ${SIZE} ranks, most steps of a rank and time to build one:`);
  console.log(lines.join('\n'));
});
