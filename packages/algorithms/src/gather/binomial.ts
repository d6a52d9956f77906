import type { Algorithm } from '../algorithm.ts';
import { even, region, ring, ScheduleBuilder } from '../builder.ts';
import { branchesOf, parentOf, rankAt, subtreeOf, turned } from '../patterns/binomial.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const gatherBinomial: Algorithm = {
  name: 'binomial',
  operation: 'gather',
  ordered: true,
  steps:
    'A binomial tree turned so that the root is its top: each rank collects the blocks of its subtree, which are neighbours, and sends them to its parent as one message.',
  cost: '⌈log₂ p⌉ α + (p − 1) n β',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(size));
    const position = turned(rank, root, size);
    const branches = branchesOf(position, size);
    if (position === 0) {
      for (const { child, positions } of branches) {
        const peer = rankAt(child, root, size);
        b.recv(peer, ring(OUT, peer, positions, size));
      }
      b.copy(region(IN, 0), region(OUT, root));
      return b.build();
    }
    const parent = rankAt(parentOf(position), root, size);
    if (branches.length === 0) {
      b.send(parent, region(IN, 0));
      return b.build();
    }
    const blocks = subtreeOf(position, size);
    const collected = b.scratch(even(blocks), IN);
    b.copy(region(IN, 0), region(collected, 0));
    for (const { child, positions } of branches) {
      b.recv(rankAt(child, root, size), region(collected, child - position, positions));
    }
    b.round();
    b.send(parent, region(collected, 0, blocks));
    return b.build();
  },
};
