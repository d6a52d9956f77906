import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const exscanDoubling: Algorithm = {
  name: 'doubling',
  operation: 'exscan',
  ordered: true,
  steps:
    'As scan: in round k each rank sends what it has combined, its own operand included, to the rank 2^k above. What comes from 2^k below is put to the left of that, and to the left of the result, which leaves the own operand out.',
  cost: '⌈log₂ p⌉ (α + n β + 2 n γ)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    let own = IN;
    let incoming: number | undefined;
    let inclusive: number | undefined;
    for (let distance = 1; distance < size; distance *= 2) {
      if (rank + distance < size) b.send(rank + distance, region(own, 0));
      if (rank < distance) continue;
      incoming ??= b.scratch(even(1), IN);
      b.recv(rank - distance, region(incoming, 0));
      b.round();
      const sendsAgain = rank + 2 * distance < size;
      if (sendsAgain) {
        inclusive ??= b.scratch(even(1), IN);
        b.reduce(region(incoming, 0), region(own, 0), region(inclusive, 0), 'left');
        own = inclusive;
      }
      if (distance === 1) {
        // OUT may be IN, which is used until here.
        b.round();
        b.copy(region(incoming, 0), region(OUT, 0));
      } else {
        b.reduce(region(incoming, 0), region(OUT, 0), region(OUT, 0), 'left');
      }
      b.round();
    }
    return b.build();
  },
};
