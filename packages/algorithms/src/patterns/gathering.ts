import { region, ring, type ScheduleBuilder } from '../builder.ts';
import { IN, OUT } from '../schedule.ts';

/**
 * Bruck's allgather: after round k each rank has the blocks of 2^(k + 1) ranks from its own on. Blocks come to where they
 * belong at once, as ranges of a ring, so nothing is rotated in the end.
 */
export function gatherByDoubling(b: ScheduleBuilder): void {
  const { size, rank } = b;
  b.copy(region(IN, 0), region(OUT, rank));
  for (let distance = 1; distance < size; distance *= 2) {
    const blocks = Math.min(distance, size - distance);
    const held = distance === 1 ? region(IN, 0) : ring(OUT, rank, blocks, size);
    b.send((rank - distance + size) % size, held);
    b.recv((rank + distance) % size, ring(OUT, rank + distance, blocks, size));
    b.round();
  }
}

/** Each rank exposes its block to all others and pulls theirs, beginning with the next rank so that no source is crowded. */
export function gatherByPulling(b: ScheduleBuilder): void {
  const { size, rank } = b;
  for (let distance = 1; distance < size; distance += 1) {
    const source = (rank + distance) % size;
    const block = region(OUT, source);
    b.expose((rank - distance + size) % size, region(IN, 0));
    b.pull(b.accept(source, block), block, block);
  }
  b.copy(region(IN, 0), region(OUT, rank));
}
