import { causesOf, type Evidence, type Finding } from './causes.ts';
import type { Host } from './host.ts';
import { kernelRelease } from './kernel.ts';
import { type ProcessStatus, parseStatus, type Seccomp } from './process-status.ts';
import type { System } from './system.ts';
import type { RankFacts, Trial } from './trial.ts';
import { readYama, type YamaMode } from './yama.ts';

/** Whether ranks pull from each other's memory here, and if not, why. */
export interface SingleCopy {
  /** failed: there was no job to try it with. */
  readonly verdict: 'works' | 'refused' | 'failed';
  /** Bytes of the trial's large messages that went straight from rank to rank, and those that did not. */
  readonly cmaBytes: number;
  readonly stagedBytes: number;
  /** The error of process_vm_readv between the ranks, such as EPERM. */
  readonly error: string | undefined;
  readonly yamaPtraceScope: YamaMode | undefined;
  readonly seccomp: Seccomp | undefined;
  readonly dumpable: boolean | undefined;
  readonly capSysPtrace: boolean | undefined;
  /** Why it does not work, and what to do. */
  readonly causes: readonly Finding[];
  /** Where it works though something looks as if it would not. */
  readonly notes: readonly string[];
}

export function judgeSingleCopy(system: System, host: Host, trial: Trial): SingleCopy {
  const yama = readYama(system);
  if (trial.ranks === undefined) return failed(trial.failure, yama);
  const [first, second] = trial.ranks;
  if (!first.correct || !second.correct) return failed('a message arrived changed', yama);
  const status = parseStatus(first.status ?? undefined);
  const evidence = evidenceOf(trial.ranks, status, yama, host, kernelRelease(system));
  // A copy that works in one direction only is no good news.
  const works = trial.ranks.every(({ cmaBytes, stagedBytes }) => cmaBytes > 0 && stagedBytes === 0);
  return {
    verdict: works ? 'works' : 'refused',
    cmaBytes: first.cmaBytes + second.cmaBytes,
    stagedBytes: first.stagedBytes + second.stagedBytes,
    error: evidence.refusedPeer,
    yamaPtraceScope: yama,
    seccomp: status.seccomp,
    dumpable: evidence.dumpable,
    capSysPtrace: status.sysPtrace,
    causes: works ? [] : causesOf(evidence),
    notes: works ? notesOf(evidence) : [],
  };
}

function failed(why: string, yama: YamaMode | undefined): SingleCopy {
  const problem = `A job of two ranks could not be run: ${why.replace(/\.$/, '')}.`;
  const cure = 'Mend that first: onecopy run -n 2 program.ts would end in the same way.';
  return {
    verdict: 'failed',
    cmaBytes: 0,
    stagedBytes: 0,
    error: undefined,
    yamaPtraceScope: yama,
    seccomp: undefined,
    dumpable: undefined,
    capSysPtrace: undefined,
    causes: [{ id: 'trial', problem, cure }],
    notes: [],
  };
}

function evidenceOf(
  [first, second]: readonly [RankFacts, RankFacts],
  own: ProcessStatus,
  yama: YamaMode | undefined,
  host: Host,
  kernel: string | undefined,
): Evidence {
  const other = parseStatus(second.status ?? undefined);
  return {
    refusedOwn: first.refusedOwn ?? second.refusedOwn ?? undefined,
    refusedPeer: first.refusedPeer ?? second.refusedPeer ?? undefined,
    kernel,
    yama,
    seccomp: own.seccomp === 'filter' ? own.seccomp : other.seccomp,
    dumpable: first.dumpable && second.dumpable,
    sysPtrace: own.sysPtrace === true && other.sysPtrace === true,
    sameIds: own.ids === other.ids,
    sameCapabilities: own.permittedCapabilities === other.permittedCapabilities,
    sameUserNamespace: first.userNamespace === second.userNamespace,
    samePidNamespace: first.pidNamespace === second.pidNamespace,
    host,
  };
}

function notesOf({ yama, seccomp, dumpable, sysPtrace }: Evidence): string[] {
  const notes: string[] = [];
  if (yama === 1) {
    notes.push(
      "Yama's ptrace_scope is 1, which is fine: each rank lets its own job read its memory, and nobody else (PR_SET_PTRACER).",
    );
  }
  if (yama === 2) {
    notes.push(
      "Yama's ptrace_scope is 2: it works here by CAP_SYS_PTRACE, and an ordinary user would be refused.",
    );
  }
  if (seccomp === 'filter') notes.push('A seccomp filter is in place, and lets the copy pass.');
  if (!dumpable && sysPtrace) {
    notes.push(
      'The ranks are not dumpable: it works here by CAP_SYS_PTRACE, and an ordinary user would be refused.',
    );
  }
  return notes;
}
