import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import type { Schedule } from '../schedule.ts';

/** Everybody looks at everybody: one round, so a rank that shares its core must be given it only once more. */
export const barrierFlat: Algorithm = {
  name: 'flat',
  operation: 'barrier',
  ordered: true,
  area: true,
  steps:
    'Each rank shows in the collective area that it has come, and waits until it sees the same of all others. Needs a communicator that has a collective area.',
  cost: 'the way of one word from core to core, p − 1 words read at the same time; no message',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(0), even(0));
    if (size > 1) {
      b.round();
      b.publish();
      for (let step = 1; step < size; step += 1) b.await((rank + step) % size, 1);
    }
    return b.build();
  },
};
