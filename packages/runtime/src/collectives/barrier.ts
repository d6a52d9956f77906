import { exchange } from '../blocking.ts';
import type { Site } from './site.ts';

/** Calls are ordered on each communicator and so are the messages of two ranks: one tag serves all of them. */
const TAG = 0;

const nothing = new Uint8Array(0);

/**
 * Dissemination: in round k every rank tells the one 2^k above and hears from the one 2^k below, so that after
 * log2(size) rounds each has heard, directly or not, from all.
 */
export function barrier({ engine, group, context }: Site): void {
  const { rank, size } = group;
  for (let distance = 1; distance < size; distance *= 2) {
    const above = group.toWorld((rank + distance) % size);
    const below = group.toWorld((rank - distance + size) % size);
    exchange(
      engine,
      context,
      { buffer: nothing, peer: above, tag: TAG },
      { buffer: nothing, peer: below, tag: TAG },
    );
  }
}
