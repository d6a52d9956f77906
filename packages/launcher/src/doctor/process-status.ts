/** What /proc/<pid>/status says, as far as it matters here (proc_pid_status(5)). */
export interface ProcessStatus {
  readonly seccomp: Seccomp | undefined;
  /** Real, effective, saved and file-system user ids, then the same of groups. */
  readonly ids: string | undefined;
  /** CAP_SYS_PTRACE is effective: no check of ptrace's kind but Yama's mode 3 stops this process. */
  readonly sysPtrace: boolean | undefined;
  readonly permittedCapabilities: string | undefined;
  /** Such as 0-3,8. */
  readonly allowedCpus: string | undefined;
  readonly threads: number | undefined;
  /** False after prctl(PR_SET_THP_DISABLE), also of a parent. */
  readonly hugePages: boolean | undefined;
}

export type Seccomp = 'none' | 'strict' | 'filter';

const SECCOMP_MODES: readonly Seccomp[] = ['none', 'strict', 'filter'];

/** Bit of CAP_SYS_PTRACE (linux/capability.h). */
const CAP_SYS_PTRACE = 19n;

export function parseStatus(text: string | undefined): ProcessStatus {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(text ?? '')?.[1];
  const mode = field('Seccomp');
  const users = field('Uid');
  const effective = field('CapEff');
  const threads = field('Threads');
  const hugePages = field('THP_enabled');
  return {
    seccomp: mode === undefined ? undefined : SECCOMP_MODES[Number(mode)],
    ids: users === undefined ? undefined : `${users} ${field('Gid') ?? ''}`.replaceAll('\t', ' '),
    sysPtrace: isHexadecimal(effective)
      ? ((BigInt(`0x${effective}`) >> CAP_SYS_PTRACE) & 1n) === 1n
      : undefined,
    permittedCapabilities: field('CapPrm'),
    allowedCpus: field('Cpus_allowed_list'),
    threads: threads === undefined ? undefined : Number(threads),
    hugePages: hugePages === undefined ? undefined : hugePages === '1',
  };
}

function isHexadecimal(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]+$/i.test(text);
}

/** How many numbers a list such as 0-3,8 names; undefined where it is none. */
export function countOfList(list: string | undefined): number | undefined {
  if (list === undefined || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) return undefined;
  return list
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [from = 0, to = from]) => sum + to - from + 1, 0);
}
