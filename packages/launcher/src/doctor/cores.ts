import { CPU_QUOTA, leastLimit } from './cgroup.ts';
import { countOfList, parseStatus } from './process-status.ts';
import type { System } from './system.ts';

/** How many cores a job may keep busy, and why so many. */
export interface Cores {
  /** What the launcher goes by; undefined without the native part. */
  readonly usable: number | undefined;
  /** That are switched on in this machine. */
  readonly online: number | undefined;
  /** By this process's affinity mask (taskset, cpuset), and which they are. */
  readonly allowed: number | undefined;
  readonly allowedList: string | undefined;
  /** By a cgroup's quota, such as 1.5; undefined: no quota. */
  readonly quota: number | undefined;
}

export function examineCores(system: System, usable: number | undefined): Cores {
  const allowedList = parseStatus(system.read('/proc/self/status')).allowedCpus;
  return {
    usable,
    online: countOfList(system.read('/sys/devices/system/cpu/online')),
    allowed: countOfList(allowedList),
    allowedList,
    quota: leastLimit(system, CPU_QUOTA),
  };
}

export function describeCores({ usable, online, allowed, allowedList, quota }: Cores): string {
  const machine = online === undefined ? "this machine's" : `this machine's ${online}`;
  const reasons: string[] = [];
  if (allowed !== undefined && (online === undefined || allowed < online)) {
    reasons.push(`the affinity mask allows ${allowed} of ${machine} (${allowedList})`);
  }
  if (quota !== undefined) reasons.push(`a cgroup's quota gives the time of ${round(quota)}`);
  const why = reasons.length === 0 ? `all of ${machine}` : reasons.join(', ');
  return `${usable ?? 'unknown'}: ${why}`;
}

function round(cores: number): string {
  return String(Math.round(cores * 100) / 100);
}
