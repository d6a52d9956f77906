import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const alltoallPull: Algorithm = {
  name: 'pull',
  operation: 'alltoall',
  ordered: true,
  steps:
    'Every rank exposes its whole send buffer to every other, one and the same description for all, and pulls its block out of each, beginning with the next rank.',
  cost: '(p − 1) (α + n β)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(size), even(size));
    const all = region(IN, 0, size);
    const own = region(IN, rank);
    for (let distance = 1; distance < size; distance += 1) {
      const source = (rank + distance) % size;
      b.expose((rank - distance + size) % size, all);
      b.pull(b.accept(source, all), own, region(OUT, source));
    }
    b.copy(own, region(OUT, rank));
    return b.build();
  },
};
