import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { branchesFromFar, parentOf, rankAt, turned } from '../patterns/binomial.ts';
import { OUT, type Schedule } from '../schedule.ts';

export const bcastBinomial: Algorithm = {
  name: 'binomial',
  operation: 'bcast',
  ordered: true,
  steps:
    'A binomial tree turned so that the root is its top: each rank gets the message from its parent and sends it on to its children, the one with the largest subtree first.',
  cost: '⌈log₂ p⌉ (α + n β)',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    const message = region(OUT, 0);
    const position = turned(rank, root, size);
    if (position !== 0) b.recv(rankAt(parentOf(position), root, size), message);
    b.round();
    for (const { child } of branchesFromFar(position, size)) {
      b.send(rankAt(child, root, size), message);
    }
    return b.build();
  },
};
