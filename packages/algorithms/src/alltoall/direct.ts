import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import { exchangeDirectly } from '../patterns/exchange.ts';
import type { Schedule } from '../schedule.ts';

export const alltoallDirect: Algorithm = {
  name: 'direct',
  operation: 'alltoall',
  ordered: true,
  steps:
    'Every rank posts a receive for each other rank, then sends each its block, beginning with the next rank.',
  cost: '(p − 1) (α + n β)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(size), even(size));
    exchangeDirectly(b);
    return b.build();
  },
};
