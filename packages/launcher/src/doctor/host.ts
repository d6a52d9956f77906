import type { System } from './system.ts';

/** What this machine runs under, as far as it can be told without asking anybody. */
export interface Host {
  /** docker, podman, kubernetes, lxc, systemd-nspawn, …; undefined: none that shows. */
  readonly container: string | undefined;
  /** A kernel that is not Linux's own, and has calls of its own making. */
  readonly sandbox: 'gVisor' | 'WSL 1' | undefined;
  readonly virtualMachine: boolean | undefined;
  /** Security modules that may forbid what the rest allows, with the label they gave this process. */
  readonly securityLabel: string | undefined;
}

/** What gVisor answers to whoever asks for the kernel's version. */
const GVISOR_VERSION =
  /^Linux version 4\.4\.0 \(root@|^Linux version 4\.4\.0 #1 SMP Sun Jan 10 15:06:54 PST 2016/;

export function examineHost(system: System, environment: NodeJS.ProcessEnv): Host {
  const version = system.read('/proc/version') ?? '';
  const cpus = system.read('/proc/cpuinfo');
  return {
    container: containerOf(system, environment),
    sandbox: GVISOR_VERSION.test(version)
      ? 'gVisor'
      : /-Microsoft\b/.test(version)
        ? 'WSL 1'
        : undefined,
    virtualMachine: cpus === undefined ? undefined : /^flags\s*:.*\bhypervisor\b/m.test(cpus),
    securityLabel: labelOf(system.read('/proc/self/attr/current')),
  };
}

function containerOf(system: System, environment: NodeJS.ProcessEnv): string | undefined {
  if (environment.KUBERNETES_SERVICE_HOST !== undefined) return 'kubernetes';
  if (system.read('/run/.containerenv') !== undefined) return 'podman';
  if (system.read('/.dockerenv') !== undefined) return 'docker';
  if (environment.container) return environment.container;
  // Version 1 of cgroups shows where the first process was put.
  return /\b(docker|kubepods|containerd|libpod|lxc)\b/.exec(
    system.read('/proc/1/cgroup') ?? '',
  )?.[1];
}

/** AppArmor's form is `name (mode)`; without a module the file cannot be read or says that it confines nothing. */
function labelOf(text: string | undefined): string | undefined {
  const label = text?.replace(/\0/g, '');
  if (label === undefined || label === '' || label.startsWith('unconfined')) return undefined;
  return /:unconfined_t(:|$)/.test(label) ? undefined : label;
}

export function describeHost({ container, sandbox, virtualMachine, securityLabel }: Host): string {
  const parts = [
    container === undefined ? 'no container that shows' : `a container (${container})`,
    virtualMachine === undefined
      ? 'perhaps a virtual machine'
      : virtualMachine
        ? 'a virtual machine'
        : 'no virtual machine',
    ...(sandbox === undefined ? [] : [sandbox]),
    ...(securityLabel === undefined ? [] : [`confined as ${securityLabel}`]),
  ];
  return parts.join(', ');
}
