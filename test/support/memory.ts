import { readFileSync } from 'node:fs';
import { leastLimit, MEMORY } from '../../packages/launcher/src/doctor/cgroup.ts';
import { thisSystem } from '../../packages/launcher/src/doctor/system.ts';

/** Bytes that processes started now could take: what the machine has left, and no more than the container may have. */
export function availableMemory(): number {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  const left = Number(line?.[1] ?? 0) * 1024;
  return Math.min(left, leastLimit(thisSystem, MEMORY) ?? Number.POSITIVE_INFINITY);
}
