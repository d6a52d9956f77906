import type { Algorithm } from '../algorithm.ts';
import { region, ScheduleBuilder, sideOf, split } from '../builder.ts';
import { Fold } from '../patterns/fold.ts';
import { halvingsOf, partsIn } from '../patterns/halving.ts';
import { IN, OUT, type Schedule, type StepId } from '../schedule.ts';

/** Rabenseifner: A new optimized MPI reduce algorithm (1997). */
export const reduceHalving: Algorithm = {
  name: 'halving',
  operation: 'reduce',
  ordered: true,
  steps:
    'Reduce-scatter by recursive halving, nearest partner first: each of two partners reads the half it goes on with straight out of the other’s memory and combines it on the way. Then the parts are gathered along the same partners backwards, always by the one on the root’s side. When p is not a power of two, the surplus ranks first let their neighbours combine their values; the root is never one of them.',
  cost: '2 ⌊log₂ p⌋ α + 2 (1 − 1/p′) n β + (1 − 1/p′) n γ with p′ = 2^⌊log₂ p⌋; + α + n β + n γ when p is not a power of 2',
  schedule(size: number, rank: number, root: number): Schedule {
    const fold = new Fold(size, root);
    const parts = fold.positions;
    const b = new ScheduleBuilder(size, rank, split(parts), split(parts));
    const operand = region(IN, 0, parts);
    if (size === 1) {
      b.copy(operand, region(OUT, 0, parts));
      return b.build();
    }
    const partner = fold.partnerOf(rank);
    if (partner !== undefined && !fold.survives(rank)) {
      b.expose(partner, operand);
      return b.build();
    }

    const result = rank === root ? OUT : b.scratch(split(parts), IN);
    let own = IN;
    let ready: StepId[] = [];
    if (partner !== undefined) {
      const exposure = b.accept(partner, operand);
      const whole = region(result, 0, parts);
      ready = [b.pullReduce(exposure, operand, operand, whole, sideOf(partner, rank))];
      own = result;
    }
    const position = fold.positionOf(rank);
    const halvings = halvingsOf(position, parts);
    const exposed: StepId[] = [];
    for (const { peer: other, kept, given } of halvings) {
      const peer = fold.rankAt(other);
      const mine = partsIn(own, kept);
      exposed.push(b.expose(peer, partsIn(own, given), ready));
      const exposure = b.accept(peer, mine, ready);
      const into = partsIn(result, kept);
      ready = [b.pullReduce(exposure, mine, mine, into, sideOf(peer, rank), ready)];
      own = result;
    }

    const rootPosition = fold.positionOf(root);
    for (const [step, { distance, peer: other, kept, given }] of [
      ...halvings.entries(),
    ].reverse()) {
      const peer = fold.rankAt(other);
      if ((position & distance) !== (rootPosition & distance)) {
        b.expose(peer, partsIn(result, kept), ready);
        break;
      }
      const theirs = partsIn(result, given);
      const exposure = b.accept(peer, theirs, ready);
      // The partner has read its half out of this place (at the root that may be IN in the first step).
      const after = [...ready, exposed[step] as StepId];
      ready = [b.pull(exposure, theirs, theirs, after)];
    }
    return b.build();
  },
};
