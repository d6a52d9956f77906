import type { Algorithm } from '../algorithm.ts';
import { counted, even, placed, region, ring, ScheduleBuilder } from '../builder.ts';
import {
  type Branch,
  branchesOf,
  parentOf,
  rankAt,
  subtreeOf,
  turned,
} from '../patterns/binomial.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const gathervBinomial: Algorithm = {
  name: 'binomial',
  operation: 'gatherv',
  ordered: true,
  steps:
    'A binomial tree turned so that the root is its top. Only the root knows all lengths, so each rank first sends its parent, unless that is the root, the lengths of its subtree’s blocks; then blocks go up as in gather, each subtree’s as one message.',
  cost: '(2 ⌈log₂ p⌉ − 1) α + n β, n all blocks but the root’s together',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), placed(size));
    const position = turned(rank, root, size);
    const branches = branchesOf(position, size);
    if (position === 0) {
      for (const { child, positions } of branches) {
        const peer = rankAt(child, root, size);
        b.recv(peer, ring(OUT, peer, positions, size));
      }
      b.copy(region(IN, 0), region(OUT, root));
    } else {
      collect(b, root, position, branches);
    }
    return b.build();
  },
};

function collect(
  b: ScheduleBuilder,
  root: number,
  position: number,
  branches: readonly Branch[],
): void {
  const { size } = b;
  const parent = rankAt(parentOf(position), root, size);
  if (parent === root && branches.length === 0) {
    b.send(parent, region(IN, 0));
    return;
  }
  const blocks = subtreeOf(position, size);
  const lengths = b.scratch(even(blocks), 'lengths');
  b.measure(region(IN, 0), region(lengths, 0));
  for (const { child, positions } of branches) {
    b.recv(rankAt(child, root, size), region(lengths, child - position, positions));
  }
  b.round();
  if (parent !== root) b.send(parent, region(lengths, 0, blocks));
  if (branches.length === 0) {
    b.send(parent, region(IN, 0));
    return;
  }
  const collected = b.scratch(counted(blocks, lengths), IN);
  b.copy(region(IN, 0), region(collected, 0));
  for (const { child, positions } of branches) {
    b.recv(rankAt(child, root, size), region(collected, child - position, positions));
  }
  b.round();
  b.send(parent, region(collected, 0, blocks));
}
