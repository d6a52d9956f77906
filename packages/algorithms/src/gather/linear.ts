import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import { gatherDirectly } from '../patterns/rooted.ts';
import type { Schedule } from '../schedule.ts';

export const gatherLinear: Algorithm = {
  name: 'linear',
  operation: 'gather',
  ordered: true,
  steps: 'Every rank sends its block to the root, which receives each in its place.',
  cost: '(p − 1) (α + n β)',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(size));
    gatherDirectly(b, root);
    return b.build();
  },
};
