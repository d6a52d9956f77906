import { readFileSync } from 'node:fs';

/** The processors that this process may run on, by core: hardware threads of one core stand together. */
export function readCores(): number[][] {
  const cores = new Map<string, number[]>();
  for (const processor of readAllowed()) {
    const core = readSiblings(processor) ?? String(processor);
    cores.set(core, [...(cores.get(core) ?? []), processor]);
  }
  return [...cores.values()];
}

function readAllowed(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0');
}

function readSiblings(processor: number): string | undefined {
  const topology = `/sys/devices/system/cpu/cpu${processor}/topology`;
  try {
    return readFileSync(`${topology}/thread_siblings_list`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The kernel's notation: 0-3,8. */
export function parseList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
