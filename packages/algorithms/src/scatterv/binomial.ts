import type { Algorithm } from '../algorithm.ts';
import { counted, even, placed, region, ring, ScheduleBuilder } from '../builder.ts';
import {
  type Branch,
  branchesFromFar,
  parentOf,
  rankAt,
  subtreeOf,
  turned,
} from '../patterns/binomial.ts';
import { IN, OUT, type Schedule, type StepId } from '../schedule.ts';

export const scattervBinomial: Algorithm = {
  name: 'binomial',
  operation: 'scatterv',
  ordered: true,
  steps:
    'A binomial tree turned so that the root is its top. Only the root knows all lengths, so a rank that has children first gets the lengths of its subtree’s blocks from its parent; then blocks go down as in scatter, each subtree’s as one message.',
  cost: '(2 ⌈log₂ p⌉ − 1) α + n β, n all blocks but the root’s together',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, placed(size), even(1));
    const position = turned(rank, root, size);
    const branches = branchesFromFar(position, size);
    if (position === 0) share(b, root, branches);
    else if (branches.length > 0) pass(b, root, position, branches);
    else b.recv(rankAt(parentOf(position), root, size), region(OUT, 0));
    return b.build();
  },
};

/** The root's part. */
function share(b: ScheduleBuilder, root: number, branches: readonly Branch[]): void {
  const { size } = b;
  let measured: StepId[] = [];
  let lengths: number | undefined;
  for (const { child, positions } of branches) {
    const peer = rankAt(child, root, size);
    if (positions > 1) {
      if (lengths === undefined) {
        lengths = b.scratch(even(size), 'lengths');
        measured = [b.measure(ring(IN, root, size, size), region(lengths, 0, size))];
      }
      b.send(peer, region(lengths, child, positions), measured);
    }
    b.send(peer, ring(IN, peer, positions, size));
  }
  b.copy(region(IN, root), region(OUT, 0));
}

/** The part of a rank between the root and others. */
function pass(
  b: ScheduleBuilder,
  root: number,
  position: number,
  branches: readonly Branch[],
): void {
  const { size } = b;
  const parent = rankAt(parentOf(position), root, size);
  const blocks = subtreeOf(position, size);
  const lengths = b.scratch(even(blocks), 'lengths');
  const passing = b.scratch(counted(blocks, lengths), OUT);
  const known = [b.recv(parent, region(lengths, 0, blocks))];
  const there = [b.recv(parent, region(passing, 0, blocks), known)];
  for (const { child, positions } of branches) {
    const peer = rankAt(child, root, size);
    const place = child - position;
    if (positions > 1) b.send(peer, region(lengths, place, positions), known);
    b.send(peer, region(passing, place, positions), there);
  }
  b.copy(region(passing, 0), region(OUT, 0), there);
}
