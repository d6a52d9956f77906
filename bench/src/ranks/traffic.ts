/** Which way the payload went, by the engine's own counts: nothing here knows a threshold. */
import type { BenchRecord } from '../record.ts';

/** Bytes that the movers of this rank moved. */
export interface Moved {
  readonly cma: number;
  readonly staged: number;
}

interface CountingEngine {
  counters(): Readonly<Record<string, number>>;
}

const registry = globalThis as { [key: symbol]: { engine?: CountingEngine } | undefined };

/** The only channel there is so far. */
export const CHANNEL = 'socket';

/** Since the engine started, which it has when a rank has asked for its number. */
export function moved(): Moved {
  const counters = registry[Symbol.for('onecopy.engine')]?.engine?.counters() ?? {};
  return { cma: counters.cmaBytes ?? 0, staged: counters.stagedBytes ?? 0 };
}

export function movedSince(before: Moved): Moved {
  const now = moved();
  return { cma: now.cma - before.cma, staged: now.staged - before.staged };
}

/** What travels with its envelope needs no mover; otherwise the one that moved more. */
export function pathOf({ cma, staged }: Moved): Pick<BenchRecord, 'path' | 'mover'> {
  if (cma + staged === 0) return { path: 'eager', mover: null };
  return { path: 'rendezvous', mover: cma >= staged ? 'cma' : 'staging' };
}
