import { type Children, ProgramFailed } from './children.ts';
import type { Competitor, Configuration, Figures, Outcome, Turn } from './competitor.ts';
import { commandIn, type Installation } from './installation.ts';
import { describeSettings, launchSettings } from './launch-settings.ts';
import type { Programs } from './programs.ts';

/** How peers are measured, the same in all configurations. */
export interface PeerMethod {
  readonly cores: number;
  readonly pages: 'small' | 'huge';
  readonly offCacheBytes?: number;
  readonly timeoutMs: number;
}

/** What the C programs print, see `peers/measure.c`. */
interface PeerRecord {
  readonly iterations: number;
  readonly latencyUs: Figures;
  /** By rank; null where a rank is not bound to one. */
  readonly cores: readonly (number | null)[];
}

/** Our C programs on an installed MPI. */
export class MpiPeer implements Competitor {
  readonly name: string;
  readonly version: string;
  readonly #installation: Installation;
  readonly #children: Children;
  readonly #programs: Programs;
  readonly #method: PeerMethod;

  constructor(
    installation: Installation,
    children: Children,
    programs: Programs,
    method: PeerMethod,
  ) {
    this.name = installation.name;
    this.version = installation.version;
    this.#installation = installation;
    this.#children = children;
    this.#programs = programs;
    this.#method = method;
  }

  takesPartIn(): boolean {
    return true;
  }

  settings({ ranks }: Configuration): string {
    return describeSettings(launchSettings(this.#installation, ranks, this.#method.cores));
  }

  async measure({ benchmark, ranks, bytes }: Configuration, { loops }: Turn): Promise<Outcome> {
    const { cores, pages, offCacheBytes, timeoutMs } = this.#method;
    const { mpirun, root } = this.#installation;
    const program = await this.#programs.compiled(this.#installation, benchmark);
    const { options, env } = launchSettings(this.#installation, ranks, cores);
    const budget = (name: string, ms: number | undefined) =>
      ms === undefined ? [] : [`--${name}-ms`, String(Math.ceil(ms))];
    const command = [
      ...[mpirun, ...options, '-n', String(ranks), program],
      ...['--iterations', String(loops.iterations)],
      ...budget('iterations', loops.iterationsBudgetMs),
      ...['--warmup', String(loops.warmup)],
      ...budget('warmup', loops.warmupBudgetMs),
      ...['--pages', pages],
      ...(offCacheBytes === undefined ? [] : ['--off-cache', String(offCacheBytes)]),
      ...[benchmark, String(bytes)],
    ];
    const output = await this.#children.run(commandIn(root, command), { env, timeoutMs });
    const { iterations, latencyUs } = readRecord(output);
    const { mean, p50, p99 } = latencyUs;
    return { iterations, figures: { mean, p50, ...(p99 !== undefined && { p99 }) } };
  }
}

/** Launchers may have something to say before and after it. */
function readRecord(output: string): PeerRecord {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new ProgramFailed(`it printed no result: ${output.slice(0, 200)}`);
  return JSON.parse(line) as PeerRecord;
}
