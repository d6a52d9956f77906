/** Which way the payload went, by the engine's own counts: nothing here knows a threshold. */
import { counters } from '@onecopy/runtime';
import type { BenchRecord } from '../record.ts';

/** Bytes that the movers of this rank moved. */
export interface Moved {
  readonly cma: number;
  readonly heap: number;
  readonly staged: number;
}

export function moved(): Moved {
  const { cmaBytes = 0, heapBytes = 0, stagedBytes = 0 } = counters();
  return { cma: cmaBytes, heap: heapBytes, staged: stagedBytes };
}

export function movedSince(before: Moved): Moved {
  const now = moved();
  return {
    cma: now.cma - before.cma,
    heap: now.heap - before.heap,
    staged: now.staged - before.staged,
  };
}

/** What travels with its envelope needs no mover; otherwise the one that moved most. */
export function pathOf({ cma, heap, staged }: Moved): Pick<BenchRecord, 'path' | 'mover'> {
  const most = Math.max(cma, heap, staged);
  if (most === 0) return { path: 'eager', mover: null };
  const mover = most === cma ? 'cma' : most === heap ? 'heap' : 'staging';
  return { path: 'rendezvous', mover };
}
