import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What a figure depends on beside the programs. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  /** Of the first core, as the kernel writes it: `L3: '36608K'`; empty where it does not tell. */
  readonly caches: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  /** The kernel's setting of transparent huge pages: always, madvise or never. */
  readonly hugePages: string;
  readonly node: string;
}

export function readMachine(): Machine {
  return {
    processor: cpus()[0]?.model.replace(/\s+/g, ' ').trim() || 'unknown processor',
    cores: availableParallelism(),
    kernel: `${type()} ${release()}`,
    caches: readCaches(),
    memoryBytes: totalmem(),
    hugePages: readHugePages(),
    node: process.version,
  };
}

/** A figure without its machine is worth nothing: processor, cores, kernel and Node, in one line. */
export function describeMachine(
  { processor, cores, kernel, node }: Machine = readMachine(),
): string {
  return `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${kernel}, Node ${node}`;
}

function readCaches(): Record<string, string> {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  try {
    const caches = readdirSync(folder)
      .filter((name) => name.startsWith('index'))
      .map((name) => {
        const read = (file: string) => readFileSync(`${folder}/${name}/${file}`, 'utf8').trim();
        const kind = { Data: 'd', Instruction: 'i' }[read('type')] ?? '';
        return [`L${read('level')}${kind}`, read('size')] as const;
      });
    return Object.fromEntries(caches);
  } catch {
    return {};
  }
}

function readHugePages(): string {
  try {
    const setting = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
    return /\[(\w+)\]/.exec(setting)?.[1] ?? setting.trim();
  } catch {
    return 'unknown';
  }
}
