import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

/** Hensgen, Finkel, Manber: Two algorithms for barrier synchronization (1988). */
export const barrierDissemination: Algorithm = {
  name: 'dissemination',
  operation: 'barrier',
  ordered: true,
  steps:
    'In round k each rank sends an empty message to the rank 2^k above it and waits for the one from 2^k below. After the last round each has heard, directly or not, from all.',
  cost: '⌈log₂ p⌉ α',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(0), even(0));
    for (let distance = 1; distance < size; distance *= 2) {
      b.round();
      b.send((rank + distance) % size, region(IN, 0, 0));
      b.recv((rank - distance + size) % size, region(OUT, 0, 0));
    }
    return b.build();
  },
};
