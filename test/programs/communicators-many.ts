// Ten thousand communicators, one after the other: what is kept for them must not grow. Each rank writes one line of JSON.
import { counters, SUM, world } from 'onecopy';

export interface Report {
  readonly rank: number;
  /** Tables of contexts, before and after. */
  readonly kept: readonly [number, number];
}

const ROUNDS = 10_000;

function round(): void {
  const comm = world.dup();
  if (comm.allreduce(1, SUM) !== comm.size) throw new Error('another sum');
  // What the last one sends arrives after this one has freed it, now and then.
  comm.free();
}

function kept(): number {
  world.barrier();
  return counters().keptContexts as number;
}

for (let i = 0; i < ROUNDS / 10; i += 1) round();
const before = kept();
for (let i = 0; i < ROUNDS; i += 1) round();
const report: Report = { rank: world.rank, kept: [before, kept()] };
console.log(JSON.stringify(report));
