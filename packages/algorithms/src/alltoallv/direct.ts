import type { Algorithm } from '../algorithm.ts';
import { placed, ScheduleBuilder } from '../builder.ts';
import { exchangeDirectly } from '../patterns/exchange.ts';
import type { Schedule } from '../schedule.ts';

export const alltoallvDirect: Algorithm = {
  name: 'direct',
  operation: 'alltoallv',
  ordered: true,
  steps:
    'Every rank posts a receive for each other rank, then sends each its block, beginning with the next rank. Empty blocks travel as empty messages.',
  cost: '(p − 1) α + m β, m the most that one rank sends or receives',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, placed(size), placed(size));
    exchangeDirectly(b);
    return b.build();
  },
};
