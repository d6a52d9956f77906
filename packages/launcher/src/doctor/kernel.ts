import type { System } from './system.ts';

/** The release as `uname -r` shows it, such as 6.1.0-18-amd64; undefined where it cannot be read. */
export function kernelRelease(system: System): string | undefined {
  return system.read('/proc/sys/kernel/osrelease');
}

/** Undefined where the release does not say. */
export function isAtLeast(
  release: string | undefined,
  major: number,
  minor: number,
): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  if (match === null) return undefined;
  const [, first, second] = match.map(Number) as [number, number, number];
  return first > major || (first === major && second >= minor);
}
