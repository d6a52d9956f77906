import { region } from '../builder.ts';
import type { Region } from '../schedule.ts';

/** A range of parts of a message. */
export interface Parts {
  readonly first: number;
  readonly blocks: number;
}

/** One step of recursive halving. */
export interface Halving {
  readonly distance: number;
  /** Position of the partner. */
  readonly peer: number;
  /** What this position goes on with. */
  readonly kept: Parts;
  /** What the partner goes on with; together with `kept` what was kept before. */
  readonly given: Parts;
}

/**
 * Recursive halving among `positions` (a power of two) of a message in as many parts, nearest partner first: after each
 * step, what a position has combined comes from a contiguous range of positions, so operand order is kept. Backwards, it
 * is recursive doubling: each step joins `kept` and `given` again.
 */
export function halvingsOf(position: number, positions: number): Halving[] {
  const steps: Halving[] = [];
  let first = 0;
  for (let distance = 1; distance < positions; distance *= 2) {
    const blocks = positions / (2 * distance);
    const low = { first, blocks };
    const high = { first: first + blocks, blocks };
    const upper = (position & distance) !== 0;
    steps.push({
      distance,
      peer: position ^ distance,
      kept: upper ? high : low,
      given: upper ? low : high,
    });
    if (upper) first += blocks;
  }
  return steps;
}

export function partsIn(buffer: number, parts: Parts): Region {
  return region(buffer, parts.first, parts.blocks);
}

/** What was kept before a step. */
export function joined(step: Halving): Parts {
  const first = Math.min(step.kept.first, step.given.first);
  return { first, blocks: step.kept.blocks + step.given.blocks };
}
