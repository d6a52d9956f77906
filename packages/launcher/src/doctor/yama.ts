import type { System } from './system.ts';

/** Of the Yama security module (Documentation/admin-guide/LSM/Yama.rst): who may read another process's memory. */
export type YamaMode = 0 | 1 | 2 | 3;

const MODES: readonly YamaMode[] = [0, 1, 2, 3];

/** Undefined where the kernel has no Yama, which is as good as 0. */
export function readYama(system: System): YamaMode | undefined {
  return parseYama(system.read('/proc/sys/kernel/yama/ptrace_scope'));
}

export function parseYama(text: string | undefined): YamaMode | undefined {
  return MODES.find((mode) => String(mode) === text?.trim());
}
