import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import { gatherByPulling } from '../patterns/gathering.ts';
import type { Schedule } from '../schedule.ts';

export const allgatherPull: Algorithm = {
  name: 'pull',
  operation: 'allgather',
  ordered: true,
  steps:
    'Each rank exposes its block to every other and pulls all others, beginning with the next rank so that no source is crowded. No block is moved more than once.',
  cost: '(p − 1) (α + n β)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(size));
    gatherByPulling(b);
    return b.build();
  },
};
