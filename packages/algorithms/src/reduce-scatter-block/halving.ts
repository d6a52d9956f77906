import type { Algorithm } from '../algorithm.ts';
import { even, listed, region, ScheduleBuilder, sideOf } from '../builder.ts';
import { Fold } from '../patterns/fold.ts';
import { IN, OUT, type Region, type Schedule, type StepId } from '../schedule.ts';

const STEPS =
  'Recursive halving, nearest partner first, so that operands keep their order: in round k two ranks that differ in bit k share out the blocks they still have, each going on with those of the ranks that agree with it in that bit. When p is not a power of two, surplus ranks first hand their operands to their upper neighbours, and get their blocks at the end.';

const COST =
  '⌊log₂ p⌋ α + (p − 1) n (β + γ); + 2 α + (p + 1) n β + p n γ when p is not a power of 2';

export const reduceScatterBlockHalving: Algorithm = {
  name: 'halving',
  operation: 'reduceScatterBlock',
  ordered: true,
  steps: `${STEPS} Blocks are sent.`,
  cost: COST,
  schedule: (size, rank) => halve(new ScheduleBuilder(size, rank, even(size), even(1)), send),
};

export const reduceScatterBlockPull: Algorithm = {
  name: 'halving-pull',
  operation: 'reduceScatterBlock',
  ordered: true,
  steps: `${STEPS} Blocks are read straight out of the other’s memory and combined on the way.`,
  cost: COST,
  schedule: (size, rank) => halve(new ScheduleBuilder(size, rank, even(size), even(1)), pull),
};

/** Gives one region to a peer, and combines what the peer gives with another. */
interface Exchange {
  give(b: ScheduleBuilder, peer: number, given: Region, ready: readonly StepId[]): void;
  combine(
    b: ScheduleBuilder,
    peer: number,
    own: Region,
    into: Region,
    ready: readonly StepId[],
  ): StepId;
}

const send: Exchange = {
  give(b, peer, given, ready) {
    b.send(peer, given, ready);
  },
  combine: (b, peer, own, into, ready) =>
    b.recvReduce(peer, own, into, sideOf(peer, b.rank), ready),
};

const pull: Exchange = {
  give(b, peer, given, ready) {
    b.expose(peer, given, ready);
  },
  combine(b, peer, own, into, ready) {
    const exposure = b.accept(peer, own, ready);
    return b.pullReduce(exposure, own, own, into, sideOf(peer, b.rank), ready);
  },
};

function halve(b: ScheduleBuilder, exchange: Exchange): Schedule {
  const { size, rank } = b;
  const fold = new Fold(size);
  const partner = fold.partnerOf(rank);
  const everything = region(IN, 0, size);
  if (partner !== undefined && !fold.survives(rank)) {
    exchange.give(b, partner, everything, []);
    b.recv(partner, region(OUT, 0));
    return b.build();
  }

  // A block stays at its number in scratch. What has been given away is never written again, so nothing waits for the
  // end of a send or an exposure.
  const position = fold.positionOf(rank);
  let own = IN;
  let scratch: number | undefined;
  let ready: StepId[] = [];
  if (partner !== undefined) {
    scratch = b.scratch(even(size), IN);
    const into = region(scratch, 0, size);
    ready = [exchange.combine(b, partner, everything, into, ready)];
    own = scratch;
  }
  for (let distance = 1; distance < fold.positions; distance *= 2) {
    const peer = fold.rankAt(position ^ distance);
    exchange.give(b, peer, blocksAlike(fold, own, position ^ distance, 2 * distance), ready);
    const kept = blocksAlike(fold, own, position, 2 * distance);
    const last = 2 * distance === fold.positions;
    let into = region(OUT, 0);
    if (!last || partner !== undefined) {
      scratch ??= b.scratch(even(size), IN);
      into = { buffer: scratch, ranges: kept.ranges };
    }
    ready = [exchange.combine(b, peer, kept, into, ready)];
    own = into.buffer;
  }
  if (own !== OUT) b.copy(region(own, rank), region(OUT, 0), ready);
  if (partner !== undefined) b.send(partner, region(own, partner), ready);
  return b.build();
}

/** The blocks of all ranks whose positions agree with one in the bits below `modulus`. */
function blocksAlike(fold: Fold, buffer: number, position: number, modulus: number): Region {
  const blocks: number[] = [];
  for (let other = position % modulus; other < fold.positions; other += modulus) {
    blocks.push(...fold.ranksOf(other));
  }
  return listed(buffer, blocks);
}
