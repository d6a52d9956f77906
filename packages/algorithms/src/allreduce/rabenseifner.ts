import type { Algorithm } from '../algorithm.ts';
import { region, ScheduleBuilder, sideOf, split } from '../builder.ts';
import { Fold } from '../patterns/fold.ts';
import { halvingsOf, partsIn } from '../patterns/halving.ts';
import { IN, OUT, type Schedule, type StepId } from '../schedule.ts';

/** Rabenseifner: A new optimized MPI reduce algorithm (1997). */
export const allreduceRabenseifner: Algorithm = {
  name: 'rabenseifner',
  operation: 'allreduce',
  ordered: true,
  steps:
    'Reduce-scatter by recursive halving, nearest partner first: each of two partners reads the half it goes on with straight out of the other’s memory and combines it on the way. Then allgather by recursive doubling, the same partners backwards. When p is not a power of two, the surplus ranks first let their upper neighbours combine their values, and read the result from them at the end.',
  cost: '2 ⌊log₂ p⌋ α + 2 (1 − 1/p′) n β + (1 − 1/p′) n γ with p′ = 2^⌊log₂ p⌋; + 2 α + 2 n β + n γ when p is not a power of 2',
  schedule(size: number, rank: number): Schedule {
    const fold = new Fold(size);
    const parts = fold.positions;
    const b = new ScheduleBuilder(size, rank, split(parts), split(parts));
    const operand = region(IN, 0, parts);
    const result = region(OUT, 0, parts);
    const partner = fold.partnerOf(rank);

    if (partner !== undefined && !fold.survives(rank)) {
      const exposed = b.expose(partner, operand);
      const exposure = b.accept(partner, result);
      b.pull(exposure, result, result, [exposed]);
      return b.build();
    }

    // Operands are read where they lie: the first step of all combines from IN into OUT.
    let own = IN;
    let ready: StepId[] = [];
    if (partner !== undefined) {
      const exposure = b.accept(partner, operand);
      ready = [b.pullReduce(exposure, operand, operand, result, sideOf(partner, rank))];
      own = OUT;
    }
    const halvings = halvingsOf(fold.positionOf(rank), parts);
    const exposed: StepId[] = [];
    for (const { peer: position, kept, given } of halvings) {
      const peer = fold.rankAt(position);
      exposed.push(b.expose(peer, partsIn(own, given), ready));
      const exposure = b.accept(peer, partsIn(own, kept), ready);
      const mine = partsIn(own, kept);
      ready = [b.pullReduce(exposure, mine, mine, partsIn(OUT, kept), sideOf(peer, rank), ready)];
      own = OUT;
    }
    for (const [step, { peer: position, kept, given }] of [...halvings.entries()].reverse()) {
      const peer = fold.rankAt(position);
      b.expose(peer, partsIn(OUT, kept), ready);
      const exposure = b.accept(peer, partsIn(OUT, given), ready);
      // The partner has read its half out of this place (with IN and OUT the same, also in the first step).
      const after = [...ready, exposed[step] as StepId];
      ready = [b.pull(exposure, partsIn(OUT, given), partsIn(OUT, given), after)];
    }
    if (size === 1) b.copy(operand, result);
    if (partner !== undefined) b.expose(partner, result, ready);
    return b.build();
  },
};
