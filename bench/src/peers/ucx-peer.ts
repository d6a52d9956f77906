import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { BENCHMARKS, type BenchmarkName, defaultLoops, WINDOW } from '../benchmarks.ts';
import { type Children, ProgramFailed } from './children.ts';
import type { Competitor, Configuration, Outcome, Turn } from './competitor.ts';
import { commandIn, isProgram } from './installation.ts';
import type { PeerMethod } from './mpi-peer.ts';

const PROGRAM = 'ucx_perftest';
const VERSION_MS = 20_000;

/** Its tests that are ours. */
const TESTS: Partial<Readonly<Record<BenchmarkName, readonly string[]>>> = {
  pingpong: ['-t', 'tag_lat'],
  bandwidth: ['-t', 'tag_bw', '-O', String(WINDOW)],
};

const ENVIRONMENT = { UCX_TLS: 'posix,cma,self' };

/** UCX by its own benchmark: two processes on this machine that talk through shared memory alone. */
export class UcxPeer implements Competitor {
  readonly name: string;
  readonly version: string;
  readonly #root: string | undefined;
  readonly #children: Children;
  readonly #method: PeerMethod;
  /** A hardware thread for each of the two, on cores of their own; none where there is only one core. */
  readonly #processors: readonly number[];

  private constructor(
    version: string,
    root: string | undefined,
    children: Children,
    method: PeerMethod,
    cores: readonly (readonly number[])[],
  ) {
    this.name = `ucx-${/^\d+\.\d+/.exec(version)?.[0] ?? version}`;
    this.version = `UCX ${version}`;
    this.#root = root;
    this.#children = children;
    this.#method = method;
    this.#processors = cores.length < 2 ? [] : cores.slice(0, 2).map(([first]) => first!);
  }

  /** Undefined where it is not installed. */
  static async find(
    root: string | undefined,
    children: Children,
    method: PeerMethod,
    cores: readonly (readonly number[])[],
  ): Promise<UcxPeer | undefined> {
    if (!isProgram(PROGRAM, root)) return undefined;
    try {
      const said = await children.run(commandIn(root, ['ucx_info', '-v']), {
        timeoutMs: VERSION_MS,
      });
      const version = /version:?\s+(\d+(?:\.\d+)*)/.exec(said)?.[1] ?? 'unknown';
      return new UcxPeer(version, root, children, method, cores);
    } catch (error) {
      if (error instanceof ProgramFailed) return undefined;
      throw error;
    }
  }

  takesPartIn({ benchmark, ranks }: Configuration): boolean {
    // It has no way to be cold, nor to ask for huge pages.
    return benchmark in TESTS && ranks === 2 && this.#method.offCacheBytes === undefined;
  }

  settings({ benchmark }: Configuration): string {
    const binding = this.#processors.map((processor) => `-c ${processor}`).join(' and ');
    const test = TESTS[benchmark]?.join(' ') ?? '';
    const variables = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    return [...variables, PROGRAM, test, binding].join(' ').trim();
  }

  async measure({ benchmark, bytes }: Configuration, turn: Turn): Promise<Outcome> {
    const { messagesPerOperation = 1 } = BENCHMARKS[benchmark];
    const iterations = turn.iterations * messagesPerOperation;
    const warmup = Math.min(
      iterations,
      defaultLoops(BENCHMARKS[benchmark], bytes).warmup * messagesPerOperation,
    );
    const port = await freePort();
    const common = [
      ...TESTS[benchmark]!,
      ...['-s', String(bytes), '-n', String(iterations), '-w', String(warmup)],
      ...['-p', String(port), '-f', '-v'],
    ];
    const start = (place: number, arguments_: readonly string[]) => {
      const processor = this.#processors[place];
      const binding = processor === undefined ? [] : ['-c', String(processor)];
      const command = [PROGRAM, ...arguments_, ...common, ...binding];
      const { timeoutMs } = this.#method;
      return this.#children.start(commandIn(this.#root, command), { env: ENVIRONMENT, timeoutMs });
    };
    const server = start(0, []);
    await Promise.race([isListenedOn(port), server.ended]);
    const client = start(1, ['127.0.0.1']);
    await Promise.all([server.ended, client.ended]);
    return { iterations, figures: readFigures(client.stdout()) };
  }
}

/** `iterations,50.0_percentile_lat,avg_lat,overall_lat,…`, microseconds of one message one way. */
function readFigures(output: string): Outcome['figures'] {
  const lines = output.trim().split('\n');
  const header = lines.findIndex((line) => line.startsWith('iterations,'));
  const names = lines[header]?.split(',') ?? [];
  const values = lines[header + 1]?.split(',').map(Number) ?? [];
  const figure = (name: string) => values[names.indexOf(name)] ?? Number.NaN;
  const p50 = figure('50.0_percentile_lat');
  const mean = figure('overall_lat');
  if (!(mean > 0 && p50 > 0)) {
    throw new ProgramFailed(`${PROGRAM} printed no result: ${output.slice(0, 200)}`);
  }
  return { mean, p50 };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const LOOK_AGAIN_MS = 10;
/** As many looks as there would be in the time for a run, whose end is noticed elsewhere. */
const MOST_LOOKS = 10_000;

/** By the kernel's table: a try to connect would be taken for the client. */
async function isListenedOn(port: number): Promise<void> {
  const listening = new RegExp(
    `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A `,
  );
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    if (listening.test(readFileSync('/proc/net/tcp', 'utf8'))) return;
    await setTimeout(LOOK_AGAIN_MS);
  }
}
