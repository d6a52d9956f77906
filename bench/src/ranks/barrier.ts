import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckFailure } from './checked-buffer.ts';
import { Collective } from './collective.ts';
import { findEarlyLeaver, type Passage } from './early-leaver.ts';
import { gatherAtRoot } from './steering.ts';

/** How late one rank comes, so that a barrier that does not wait for it is seen not to. */
const LATE_NS = 20_000;

/** Nobody leaves before all have come. */
export class Barrier extends Collective {
  protected override operate(): void {
    world.barrier();
  }

  /** Each rank notes when it came and left, each in turn comes late, and rank 0 compares. */
  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    const came = new Float64Array(iterations);
    const left = new Float64Array(iterations);
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      if (iteration % size === rank) spin(LATE_NS);
      came[iteration] = now();
      this.operate();
      left[iteration] = now();
      if (corruption?.rank === rank && corruption.iteration === iteration) {
        [came[iteration], left[iteration]] = [left[iteration]!, came[iteration]!];
      }
    }
    const arrivals = gatherAtRoot(came);
    const departures = gatherAtRoot(left);
    if (arrivals === undefined || departures === undefined) return 0;
    throwIfEarly(arrivals.map((times, of) => ({ came: times, left: departures[of]! })));
    return iterations;
  }
}

function throwIfEarly(passages: readonly Passage[]): void {
  const early = findEarlyLeaver(passages);
  if (early === undefined) return;
  const { iteration, leaver, last, ns } = early;
  throw new CheckFailure(
    `rank ${leaver}, barrier, iteration ${iteration}: it left ${ns} ns before rank ${last} came`,
  );
}

/** Nanoseconds of CLOCK_MONOTONIC, which is one clock for all processes. */
function now(): number {
  return Number(process.hrtime.bigint());
}

function spin(ns: number): void {
  const end = now() + ns;
  while (now() < end);
}
