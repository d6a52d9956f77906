import type { Algorithm } from '../algorithm.ts';
import { even, ScheduleBuilder } from '../builder.ts';
import type { Schedule } from '../schedule.ts';

/** Dissemination without messages: each rank counts its rounds where the others can see it. */
export const barrierCounters: Algorithm = {
  name: 'counters',
  operation: 'barrier',
  ordered: true,
  area: true,
  steps:
    'In round k each rank adds one to its counter in the collective area and waits until the counter of the rank 2^k below it shows k + 1. After the last round each has heard, directly or not, from all. Needs a communicator that has a collective area.',
  cost: '⌈log₂ p⌉ times the way of one word from core to core; no message',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(0), even(0));
    for (let distance = 1, round = 1; distance < size; distance *= 2, round += 1) {
      b.round();
      b.publish();
      b.await((rank - distance + size) % size, round);
    }
    return b.build();
  },
};
