import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import { scatterDirectly } from '../patterns/rooted.ts';
import type { Schedule } from '../schedule.ts';

export const scatterLinear: Algorithm = {
  name: 'linear',
  operation: 'scatter',
  ordered: true,
  steps: 'The root sends each rank its block, beginning with the next rank.',
  cost: '(p − 1) (α + n β)',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(size), even(1));
    scatterDirectly(b, root);
    return b.build();
  },
};
