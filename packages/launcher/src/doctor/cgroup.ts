import type { System } from './system.ts';

/** A controller's files, in version 2 and 1 of cgroups. */
export interface Limit {
  readonly controller: 'cpu' | 'memory' | 'pids';
  /** The number in the files of one folder; undefined: none there. */
  read(file: (name: string) => string | undefined, unified: boolean): number | undefined;
}

export const CPU_QUOTA: Limit = {
  controller: 'cpu',
  read: (file, unified) => {
    const [quota, period] = unified
      ? (file('cpu.max') ?? '').split(' ')
      : [file('cpu.cfs_quota_us'), file('cpu.cfs_period_us')];
    const cores = Number(quota) / Number(period);
    return cores > 0 && Number.isFinite(cores) ? cores : undefined;
  },
};

/** What version 1 shows where there is no limit: the largest multiple of a page in 63 bits. */
const NO_LIMIT = 2 ** 62;

export const MEMORY: Limit = {
  controller: 'memory',
  read: (file, unified) => number(file(unified ? 'memory.max' : 'memory.limit_in_bytes')),
};

export const PIDS: Limit = {
  controller: 'pids',
  read: (file) => number(file('pids.max')),
};

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) && Number(text) < NO_LIMIT
    ? Number(text)
    : undefined;
}

interface Mount {
  readonly point: string;
  /** Which part of the hierarchy is visible there. */
  readonly top: string;
  readonly unified: boolean;
}

/**
 * The smallest of this process's cgroup and those around it; undefined where there is none. The same walk as
 * native/core/launch/cores.cc makes for the quota.
 */
export function leastLimit(system: System, limit: Limit): number | undefined {
  const found = mountsOf(system, limit.controller).flatMap((mount) => {
    const place = placeOf(system, limit.controller, mount);
    return foldersUpFrom(place).map((folder) =>
      limit.read((name) => system.read(`${mount.point}${folder}/${name}`), mount.unified),
    );
  });
  const numbers = found.filter((each) => each !== undefined);
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}

/** Lines as in proc_pid_mountinfo(5): 36 35 98:0 /top /point options [optional …] - type source superOptions */
function mountsOf(system: System, controller: string): Mount[] {
  return (system.read('/proc/self/mountinfo') ?? '').split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , top, point] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const unified = type === 'cgroup2';
    const own = type === 'cgroup' && options.split(',').includes(controller);
    return (unified || own) && top !== undefined && point !== undefined
      ? [{ point, top, unified }]
      : [];
  });
}

function placeOf(system: System, controller: string, { top, unified }: Mount): string {
  for (const line of (system.read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, ...rest] = line.split(':');
    const fits = unified ? controllers === '' : controllers?.split(',').includes(controller);
    if (!fits) continue;
    const place = rest.join(':');
    // In a container the mount may show only a part of the hierarchy.
    return top !== '/' && place.startsWith(top) ? place.slice(top.length) : place;
  }
  return '/';
}

/** /a/b, /a, and the top, which is the empty path. */
function foldersUpFrom(place: string): string[] {
  const parts = place.split('/').filter((part) => part !== '');
  return Array.from(
    { length: parts.length + 1 },
    (_, up) => `/${parts.slice(0, parts.length - up).join('/')}`,
  ).map((folder) => (folder === '/' ? '' : folder));
}
