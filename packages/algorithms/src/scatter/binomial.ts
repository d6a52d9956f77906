import type { Algorithm } from '../algorithm.ts';
import { even, region, ring, ScheduleBuilder } from '../builder.ts';
import { branchesFromFar, parentOf, rankAt, subtreeOf, turned } from '../patterns/binomial.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const scatterBinomial: Algorithm = {
  name: 'binomial',
  operation: 'scatter',
  ordered: true,
  steps:
    'A binomial tree turned so that the root is its top: each rank gets the blocks of its subtree from its parent as one message and sends each child those of its subtree, the largest first.',
  cost: '⌈log₂ p⌉ α + (p − 1) n β',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(size), even(1));
    const position = turned(rank, root, size);
    const branches = branchesFromFar(position, size);
    if (position === 0) {
      for (const { child, positions } of branches) {
        const peer = rankAt(child, root, size);
        b.send(peer, ring(IN, peer, positions, size));
      }
      b.copy(region(IN, root), region(OUT, 0));
      return b.build();
    }
    const parent = rankAt(parentOf(position), root, size);
    if (branches.length === 0) {
      b.recv(parent, region(OUT, 0));
      return b.build();
    }
    const blocks = subtreeOf(position, size);
    const passing = b.scratch(even(blocks), OUT);
    b.recv(parent, region(passing, 0, blocks));
    b.round();
    for (const { child, positions } of branches) {
      b.send(rankAt(child, root, size), region(passing, child - position, positions));
    }
    b.copy(region(passing, 0), region(OUT, 0));
    return b.build();
  },
};
