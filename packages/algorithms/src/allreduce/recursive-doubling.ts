import type { Algorithm } from '../algorithm.ts';
import { even, region, ScheduleBuilder, sideOf } from '../builder.ts';
import { Fold } from '../patterns/fold.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

export const allreduceRecursiveDoubling: Algorithm = {
  name: 'recursive-doubling',
  operation: 'allreduce',
  ordered: true,
  steps:
    'In round k ranks whose numbers differ in bit k exchange what they have and both combine it, the lower operand left, so that all end with the same bits. When p is not a power of two, the surplus ranks first hand their values to their upper neighbours and get the result back at the end.',
  cost: '(⌊log₂ p⌋ + 2 [p not a power of 2]) (α + n β + n γ)',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(1), even(1));
    const fold = new Fold(size);
    const partner = fold.partnerOf(rank);
    if (partner !== undefined && !fold.survives(rank)) {
      b.send(partner, region(IN, 0));
      // Where IN is OUT, the result must not come before the operand is away.
      b.round();
      b.recv(partner, region(OUT, 0));
      return b.build();
    }

    // What is being sent may not be overwritten by what comes in at the same time, so results go to and fro between two
    // buffers; the last one lands in OUT.
    let own = IN;
    let spare: number | undefined;
    const combine = (peer: number, into: number): void => {
      b.recvReduce(peer, region(own, 0), region(into, 0), sideOf(peer, rank));
      b.round();
      spare = own === IN ? undefined : own;
      own = into;
    };
    const free = (): number => spare ?? b.scratch(even(1), IN);

    if (partner !== undefined) combine(partner, free());
    const position = fold.positionOf(rank);
    for (let distance = 1; distance < fold.positions; distance *= 2) {
      const peer = fold.rankAt(position ^ distance);
      const last = distance * 2 === fold.positions;
      b.send(peer, region(own, 0));
      // IN may be OUT, and is being sent if this round is the only one.
      combine(peer, last && own !== IN ? OUT : free());
    }
    if (own !== OUT) b.copy(region(own, 0), region(OUT, 0));
    if (partner !== undefined) b.send(partner, region(OUT, 0));
    return b.build();
  },
};
