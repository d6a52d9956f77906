import type { Algorithm } from '../algorithm.ts';
import { even, placed, ScheduleBuilder } from '../builder.ts';
import { gatherByDoubling } from '../patterns/gathering.ts';
import type { Schedule } from '../schedule.ts';

/** Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications (1997). */
export const allgathervBruck: Algorithm = {
  name: 'bruck',
  operation: 'allgatherv',
  ordered: true,
  steps:
    'In round k each rank sends all it has, at most 2^k blocks from its own on, to the rank 2^k below it, and gets as much from 2^k above. Blocks come straight to their places.',
  cost: '⌈log₂ p⌉ α + (n − own) β, n all blocks together',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), placed(size));
    gatherByDoubling(b);
    return b.build();
  },
};
