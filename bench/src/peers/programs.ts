import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchmarkName } from '../benchmarks.ts';
import type { Children } from './children.ts';
import { commandIn, type Installation } from './installation.ts';

/** The C sources, beside `src` and `dist`. */
const SOURCES = fileURLToPath(new URL('../../peers/', import.meta.url));

/** What is in which program. An awaited operation is nothing that C has. */
const PROGRAMS: Readonly<Record<Exclude<BenchmarkName, 'awaited'>, string>> = {
  pingpong: 'pingpong',
  multipair: 'pingpong',
  bandwidth: 'window',
  bibandwidth: 'window',
  rate: 'window',
  persistent: 'window',
  alltoall: 'collectives',
  bcast: 'collectives',
  reduce: 'collectives',
  allreduce: 'collectives',
  allgather: 'collectives',
  barrier: 'collectives',
};

export type PeerBenchmark = keyof typeof PROGRAMS;

export const PEER_BENCHMARKS: readonly PeerBenchmark[] = Object.keys(PROGRAMS) as PeerBenchmark[];

const FLAGS = ['-std=c11', '-O2', '-D_GNU_SOURCE'];
const COMPILER_MS = 120_000;

/** Compiles what is asked for, once for each installation, in temporary folders. */
export class Programs {
  readonly #children: Children;
  readonly #folders = new Map<string, string>();
  readonly #compiled = new Map<string, Promise<string>>();

  constructor(children: Children) {
    this.#children = children;
  }

  /** The program as it is to be named to this installation's launcher. Throws a ProgramFailed. */
  compiled(installation: Installation, benchmark: BenchmarkName): Promise<string> {
    const program = PROGRAMS[benchmark as PeerBenchmark];
    const key = `${installation.name} ${program}`;
    const compiled = this.#compiled.get(key) ?? this.#compile(installation, program);
    this.#compiled.set(key, compiled);
    return compiled;
  }

  remove(): void {
    for (const folder of this.#folders.values()) rmSync(folder, { recursive: true, force: true });
  }

  async #compile({ name, mpicc, root }: Installation, program: string): Promise<string> {
    const folder = this.#folder(root);
    const output = join(folder, name.replace(/[^\w.-]/g, '_'), program);
    mkdirSync(join(output, '..'), { recursive: true });
    const inside = (file: string) => (root === undefined ? file : sep + relative(root, file));
    const sources = [`${program}.c`, 'measure.c'].map((file) => inside(join(folder, file)));
    await this.#children.run(commandIn(root, [mpicc, ...FLAGS, '-o', inside(output), ...sources]), {
      timeoutMs: COMPILER_MS,
    });
    return inside(output);
  }

  /** A compiler in a root cannot see ours. */
  #folder(root = ''): string {
    const known = this.#folders.get(root);
    if (known !== undefined) return known;
    const folder = mkdtempSync(join(root, root === '' ? tmpdir() : '/tmp', 'onecopy-peers-'));
    this.#folders.set(root, folder);
    for (const file of readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name))) {
      copyFileSync(join(SOURCES, file), join(folder, file));
    }
    return folder;
  }
}
