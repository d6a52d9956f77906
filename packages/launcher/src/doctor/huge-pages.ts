import type { Finding } from './causes.ts';
import { isAtLeast, kernelRelease } from './kernel.ts';
import { parseStatus } from './process-status.ts';
import type { System } from './system.ts';

/** Whether large buffers can be put on huge pages, which halves the time of their copy. */
export interface HugePages {
  /** The chosen words of /sys/kernel/mm/transparent_hugepage. */
  readonly enabled: string | undefined;
  readonly shmemEnabled: string | undefined;
  readonly defrag: string | undefined;
  /** In bytes; undefined where the kernel has none. */
  readonly size: number | undefined;
  /** The kernel can make one when it is asked (MADV_COLLAPSE, Linux 6.1). */
  readonly collapse: boolean | undefined;
  /** prctl(PR_SET_THP_DISABLE) forbids them to this process and to what it starts. */
  readonly forbidden: boolean;
  /** How many the trial's ranks got; undefined without a trial. */
  readonly made: number | undefined;
}

const FOLDER = '/sys/kernel/mm/transparent_hugepage';

export function examineHugePages(system: System, made: number | undefined): HugePages {
  const size = Number(system.read(`${FOLDER}/hpage_pmd_size`));
  return {
    enabled: chosenWord(system.read(`${FOLDER}/enabled`)),
    shmemEnabled: chosenWord(system.read(`${FOLDER}/shmem_enabled`)),
    defrag: chosenWord(system.read(`${FOLDER}/defrag`)),
    size: size > 0 ? size : undefined,
    collapse: isAtLeast(kernelRelease(system), 6, 1),
    forbidden: parseStatus(system.read('/proc/self/status')).hugePages === false,
    made,
  };
}

/** The kernel puts the choice in brackets: always [madvise] never. */
export function chosenWord(text: string | undefined): string | undefined {
  return /\[([^\]]+)\]/.exec(text ?? '')?.[1];
}

export function describeHugePages(pages: HugePages): string {
  const settings = `enabled=${pages.enabled ?? 'unknown'}, shmem_enabled=${pages.shmemEnabled ?? 'unknown'}, defrag=${pages.defrag ?? 'unknown'}`;
  return `${whatTheyMean(pages)} (${settings})`;
}

function whatTheyMean({ made, size, collapse, enabled }: HugePages): string {
  if (made !== undefined && made > 0) {
    const each = size === undefined ? '' : ` of ${size / 2 ** 20} MiB`;
    return `yes, for large buffers that are used again and again: the trial got ${made}${each}`;
  }
  if (enabled === 'always') return 'yes, as the kernel sees fit';
  if (collapse === false) return 'no: this kernel is older than 6.1 and makes none when asked';
  return made === undefined
    ? 'not tried, since nothing was pulled'
    : 'no: the trial asked for some and got none';
}

/** What to do for faster large copies; undefined where nothing is missing. */
export function hugePagesAdvice(pages: HugePages): Finding | undefined {
  const id = 'hugePages';
  const problem = 'Large buffers stay on small pages, so their copies take about twice as long.';
  if ((pages.made ?? 1) > 0 || pages.enabled === 'always') return undefined;
  if (pages.forbidden) {
    return {
      id,
      problem,
      cure: 'Start without prctl(PR_SET_THP_DISABLE), which some parent called.',
    };
  }
  if (pages.collapse === false) {
    return {
      id,
      problem,
      cure: 'Use Linux 6.1 or newer, or echo always > /sys/kernel/mm/transparent_hugepage/enabled.',
    };
  }
  return {
    id,
    problem,
    cure: 'Look whether memory is short or a memory cgroup is full: the kernel found no huge page.',
  };
}
