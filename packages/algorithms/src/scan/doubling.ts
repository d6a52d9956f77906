import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

/** Hillis, Steele: Data parallel algorithms (1986). */
export const scanDoubling: Algorithm = {
  name: 'doubling',
  operation: 'scan',
  ordered: true,
  steps:
    'In round k each rank sends what it has combined, the operands of up to 2^k ranks that end with its own, to the rank 2^k above, and puts what comes from 2^k below to the left of it.',
  cost: '⌈log₂ p⌉ (α + n β + n γ)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    let own = IN;
    let spare: number | undefined;
    if (rank === 0) b.copy(region(IN, 0), region(OUT, 0));
    for (let distance = 1; distance < size; distance *= 2) {
      const sends = rank + distance < size;
      if (sends) b.send(rank + distance, region(own, 0));
      if (rank < distance) continue;
      // What is being sent may not be overwritten, and IN may be OUT.
      const done = rank < 2 * distance;
      const into: number = done && !(sends && own === IN) ? OUT : (spare ?? b.scratch(even(1), IN));
      b.recvReduce(rank - distance, region(own, 0), region(into, 0), 'left');
      spare = own === IN ? undefined : own;
      own = into;
      b.round();
      if (done && own !== OUT) b.copy(region(own, 0), region(OUT, 0));
    }
    return b.build();
  },
};
