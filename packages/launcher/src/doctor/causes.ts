import type { Host } from './host.ts';
import type { Seccomp } from './process-status.ts';
import type { YamaMode } from './yama.ts';

/** What is known where a rank was not allowed to copy from the other one. */
export interface Evidence {
  /** The error for a rank's own memory: the call itself is refused. */
  readonly refusedOwn: string | undefined;
  /** The error for the other rank's memory. */
  readonly refusedPeer: string | undefined;
  readonly kernel: string | undefined;
  readonly yama: YamaMode | undefined;
  readonly seccomp: Seccomp | undefined;
  readonly dumpable: boolean;
  /** CAP_SYS_PTRACE. */
  readonly sysPtrace: boolean;
  readonly sameIds: boolean;
  readonly sameCapabilities: boolean;
  readonly sameUserNamespace: boolean;
  readonly samePidNamespace: boolean;
  readonly host: Host;
}

/** One sentence that says what is wrong, and one that says what to do. */
export interface Finding {
  readonly id: string;
  readonly problem: string;
  readonly cure: string;
}

interface Cause {
  readonly id: string;
  applies(evidence: Evidence): boolean;
  problem(evidence: Evidence): string;
  cure(evidence: Evidence): string;
}

const SYSCTL = '/etc/sysctl.d/10-ptrace.conf';

/** Each suffices by itself. */
const CERTAIN: readonly Cause[] = [
  {
    id: 'sandbox',
    applies: ({ refusedOwn, host }) => refusedOwn !== undefined && host.sandbox !== undefined,
    problem: ({ host, refusedOwn }) =>
      `${host.sandbox} stands in for the Linux kernel and does not have process_vm_readv (${refusedOwn}).`,
    cure: ({ host }) =>
      host.sandbox === 'gVisor'
        ? 'Use a container runtime with the host kernel (runc instead of runsc), or a newer gVisor.'
        : 'Turn the distribution into WSL 2: wsl --set-version NAME 2.',
  },
  {
    id: 'seccomp',
    applies: ({ refusedOwn, seccomp }) => refusedOwn !== undefined && seccomp === 'filter',
    problem: ({ refusedOwn }) =>
      `A seccomp filter refuses the call process_vm_readv (${refusedOwn}), as the default profiles of older container runtimes do.`,
    cure: ({ host }) =>
      host.container === 'kubernetes'
        ? 'Put SYS_PTRACE into securityContext.capabilities.add of the container, or give it a seccomp profile that allows process_vm_readv and process_vm_writev.'
        : 'Start the container with --cap-add SYS_PTRACE, or with a seccomp profile that allows process_vm_readv and process_vm_writev (Docker since 2021 does so by itself from Linux 4.8 on; in a systemd unit it is SystemCallFilter=).',
  },
  {
    id: 'kernel',
    applies: ({ refusedOwn, seccomp }) => refusedOwn === 'ENOSYS' && seccomp !== 'filter',
    problem: ({ kernel }) =>
      `This kernel (${kernel ?? 'of unknown release'}) does not have process_vm_readv (ENOSYS).`,
    cure: () => 'Use a kernel that was built with CONFIG_CROSS_MEMORY_ATTACH=y.',
  },
  {
    id: 'pidNamespace',
    applies: ({ samePidNamespace, refusedPeer }) => !samePidNamespace || refusedPeer === 'ESRCH',
    problem: () => 'The ranks are in different pid namespaces and cannot name each other.',
    cure: () =>
      'Start the whole job inside one container, rather than each rank in one (or share them: --pid container:NAME).',
  },
  {
    id: 'userNamespace',
    applies: ({ sameUserNamespace }) => !sameUserNamespace,
    problem: () =>
      'The ranks are in different user namespaces, so that equal user ids do not mean the same user.',
    cure: () =>
      'Start the whole job inside one container, rather than each rank in one (Apptainer: --sharens).',
  },
  {
    id: 'ids',
    applies: ({ sameIds, sysPtrace }) => !sameIds && !sysPtrace,
    problem: () => 'The ranks run as different users or groups.',
    cure: () => 'Run all ranks as one user, without setuid or setgid on the way.',
  },
  {
    id: 'capabilities',
    applies: ({ sameCapabilities, sysPtrace }) => !sameCapabilities && !sysPtrace,
    problem: () =>
      'One rank has capabilities that the other one lacks, which may therefore not read its memory.',
    cure: () => 'Give all ranks the same capabilities, or none.',
  },
  {
    id: 'notDumpable',
    applies: ({ dumpable, sysPtrace }) => !dumpable && !sysPtrace,
    problem: () =>
      'The ranks are not dumpable (PR_GET_DUMPABLE), so only the superuser may read their memory.',
    cure: () =>
      `See that ${process.execPath} is readable and has neither file capabilities (getcap; setcap -r) nor a set-user-ID bit, and that nothing preloaded calls prctl(PR_SET_DUMPABLE, 0).`,
  },
  {
    id: 'yama3',
    applies: ({ yama, refusedOwn }) => yama === 3 && refusedOwn === undefined,
    problem: () =>
      "Yama's ptrace_scope is 3: nobody may read another process's memory until the machine starts again.",
    cure: () => `Put kernel.yama.ptrace_scope = 1 into ${SYSCTL} and restart the machine.`,
  },
  {
    id: 'yama2',
    applies: ({ yama, sysPtrace, refusedOwn }) =>
      yama === 2 && !sysPtrace && refusedOwn === undefined,
    problem: () =>
      "Yama's ptrace_scope is 2: only processes with CAP_SYS_PTRACE may read another one's memory.",
    cure: ({ host }) =>
      host.container === undefined
        ? `As root: sysctl kernel.yama.ptrace_scope=1, and into ${SYSCTL} to keep it.`
        : 'Start the container with --cap-add SYS_PTRACE, or on the host, as root: sysctl kernel.yama.ptrace_scope=1.',
  },
];

/** The likelier, the earlier; one of them is named where nothing certain was found. */
const POSSIBLE: readonly Cause[] = [
  {
    id: 'yama1',
    applies: ({ yama, refusedPeer, sysPtrace }) =>
      yama === 1 && refusedPeer === 'EPERM' && !sysPtrace,
    problem: () =>
      "Yama's ptrace_scope is 1, and the exception that ranks ask for (PR_SET_PTRACER) seems not to have been granted.",
    cure: () => `As root: sysctl kernel.yama.ptrace_scope=0, and into ${SYSCTL} to keep it.`,
  },
  {
    id: 'securityModule',
    applies: ({ refusedPeer, host }) =>
      refusedPeer !== undefined && host.securityLabel !== undefined,
    problem: ({ host }) =>
      `A security module confines this process (${host.securityLabel}) and may forbid it to read others.`,
    cure: () =>
      'AppArmor: add ptrace (read, readby) peer=@{profile_name} to the profile, or --security-opt apparmor=unconfined; SELinux: setsebool deny_ptrace off.',
  },
  {
    id: 'refusedCall',
    applies: ({ refusedOwn }) => refusedOwn !== undefined,
    problem: ({ refusedOwn }) =>
      `process_vm_readv is refused even for a process's own memory (${refusedOwn}), by something other than seccomp.`,
    cure: () => 'Ask whoever set up this sandbox to allow process_vm_readv and process_vm_writev.',
  },
  {
    id: 'refusedPeer',
    applies: ({ refusedPeer }) => refusedPeer !== undefined,
    problem: ({ refusedPeer }) =>
      `The kernel refuses process_vm_readv between the ranks (${refusedPeer}), and does not show why.`,
    cure: () =>
      'Look for security modules (SELinux: setsebool deny_ptrace off), or start the container with --cap-add SYS_PTRACE.',
  },
  {
    id: 'unread',
    applies: () => true,
    problem: () =>
      "process_vm_readv is not refused, and yet a rank did not find in the other's memory what is there.",
    cure: () => 'Please report this, with the output of onecopy doctor --json.',
  },
];

/** Why the copy is refused: everything that suffices by itself, else the first that may be it. */
export function causesOf(evidence: Evidence): Finding[] {
  const certain = CERTAIN.filter((cause) => cause.applies(evidence));
  const possible = POSSIBLE.filter((cause) => cause.applies(evidence)).slice(0, 1);
  return (certain.length > 0 ? certain : possible).map(({ id, problem, cure }) => ({
    id,
    problem: problem(evidence),
    cure: cure(evidence),
  }));
}
