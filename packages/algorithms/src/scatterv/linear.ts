import type { Algorithm } from '../algorithm.ts';
import { even, placed, ScheduleBuilder } from '../builder.ts';
import { scatterDirectly } from '../patterns/rooted.ts';
import type { Schedule } from '../schedule.ts';

export const scattervLinear: Algorithm = {
  name: 'linear',
  operation: 'scatterv',
  ordered: true,
  steps: 'The root sends each rank its block, beginning with the next rank.',
  cost: '(p − 1) α + n β, n all blocks but the root’s together',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, placed(size), even(1));
    scatterDirectly(b, root);
    return b.build();
  },
};
