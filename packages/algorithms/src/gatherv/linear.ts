import type { Algorithm } from '../algorithm.ts';
import { even, placed, ScheduleBuilder } from '../builder.ts';
import { gatherDirectly } from '../patterns/rooted.ts';
import type { Schedule } from '../schedule.ts';

export const gathervLinear: Algorithm = {
  name: 'linear',
  operation: 'gatherv',
  ordered: true,
  steps: 'Every rank sends its block to the root, which receives each in its place.',
  cost: '(p − 1) α + n β, n all blocks but the root’s together',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), placed(size));
    gatherDirectly(b, root);
    return b.build();
  },
};
