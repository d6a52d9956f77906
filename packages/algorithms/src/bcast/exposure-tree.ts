import type { Algorithm } from '../algorithm.ts';
import { region, ScheduleBuilder, split } from '../builder.ts';
import { rankAt, turned } from '../patterns/binomial.ts';
import { OUT, type Schedule } from '../schedule.ts';

/**
 * A source is read by `RADIX - 1` ranks at a time. All of them take the lock of its address space for each batch of
 * pages, so more readers only queue; fewer make the tree deeper.
 */
const RADIX = 4;

export const bcastExposureTree: Algorithm = {
  name: 'exposure-tree',
  operation: 'bcast',
  ordered: true,
  steps:
    'A tree of radix 4: a rank that has the message exposes it to its at most three children of one level at a time. They pull it in as many parts as there are readers, each beginning at another part, and then expose it to their own children. Flat up to 4 ranks.',
  cost: '⌈log₄ p⌉ (3 α + n β)',
  schedule(size: number, rank: number, root: number): Schedule {
    const position = turned(rank, root, size);
    const own = digitOf(position, size);
    const readers =
      position === 0 ? 1 : readersAt(position - own.digit * own.weight, own.weight, size);
    const b = new ScheduleBuilder(size, rank, split(readers), split(readers));
    const message = region(OUT, 0, readers);
    if (position !== 0) {
      const parent = position - own.digit * own.weight;
      const exposure = b.accept(rankAt(parent, root, size), message);
      for (let part = 0; part < readers; part += 1) {
        const turn = region(OUT, (own.digit - 1 + part) % readers);
        b.pull(exposure, turn, turn);
      }
    }
    for (let weight = own.weight / RADIX; weight >= 1; weight /= RADIX) {
      b.round();
      for (let reader = 1; reader <= readersAt(position, weight, size); reader += 1) {
        b.expose(rankAt(position + reader * weight, root, size), message);
      }
    }
    return b.build();
  },
};

/**
 * The lowest digit of a position, to the base of the radix, that is not 0: the position is that child of its parent, at
 * that level. The root has all levels below it.
 */
function digitOf(
  position: number,
  size: number,
): { readonly digit: number; readonly weight: number } {
  let weight = 1;
  if (position === 0) {
    while (weight < size) weight *= RADIX;
    return { digit: 0, weight };
  }
  while (Math.floor(position / weight) % RADIX === 0) weight *= RADIX;
  return { digit: Math.floor(position / weight) % RADIX, weight };
}

/** How many children a position has at a level. */
function readersAt(position: number, weight: number, size: number): number {
  return Math.max(0, Math.min(RADIX - 1, Math.floor((size - 1 - position) / weight)));
}
