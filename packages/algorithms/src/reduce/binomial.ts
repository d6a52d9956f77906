import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder } from '../builder.ts';
import { branchesOf, parentOf, rankAt, turned } from '../patterns/binomial.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

/** Turned to the root, so operands go in the order root, root + 1, …, root - 1: for commutative operators. */
export const reduceBinomial: Algorithm = {
  name: 'binomial',
  operation: 'reduce',
  ordered: false,
  steps:
    'A binomial tree turned so that the root is its top: each rank combines what its children send, nearest first, with its own operand and sends the result to its parent.',
  cost: '⌈log₂ p⌉ (α + n β + n γ)',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    reduceTowards(b, root, rank === root ? OUT : undefined);
    return b.build();
  },
};

export const reduceBinomialOrdered: Algorithm = {
  name: 'binomial-ordered',
  operation: 'reduce',
  ordered: true,
  steps:
    'A binomial tree with rank 0 as its top, so that each subtree is a contiguous range of ranks and operands keep their order; rank 0 then sends the result to the root.',
  cost: '⌈log₂ p⌉ (α + n β + n γ); + α + n β when the root is not rank 0',
  schedule(size: number, rank: number, root: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    const result = reduceTowards(b, 0, rank === root && rank === 0 ? OUT : undefined);
    if (root !== 0) {
      // The root's own operand is away by now: it may lie where the result comes.
      b.round();
      if (rank === 0) b.send(root, region(result, 0));
      if (rank === root) b.recv(0, region(OUT, 0));
    }
    return b.build();
  },
};

/** Combines into `into`, or scratch where it is needed; returns the buffer that holds what the rank's subtree makes. */
function reduceTowards(b: ScheduleBuilder, top: number, into: number | undefined): number {
  const { size, rank } = b;
  const position = turned(rank, top, size);
  let own = IN;
  for (const { child } of branchesOf(position, size)) {
    const target: number = own !== IN ? own : (into ?? b.scratch(even(1), IN));
    const peer = rankAt(child, top, size);
    b.recvReduce(peer, region(own, 0), region(target, 0), 'right');
    b.round();
    own = target;
  }
  if (position !== 0) b.send(rankAt(parentOf(position), top, size), region(own, 0));
  else if (own === IN && into !== undefined) b.copy(region(IN, 0), region(into, 0));
  return own;
}
