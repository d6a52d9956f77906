import { constants } from 'node:os';
import { OptionError } from '../arguments.ts';
import { loopsOf } from '../loops.ts';
import { describeMachine, readMachine } from '../machine.ts';
import { describeOffCache, planOffCache } from '../off-cache.ts';
import { JobEnded } from '../ranks-job.ts';
import { Children } from './children.ts';
import type { Competitor, Configuration } from './competitor.ts';
import { readCores } from './cores.ts';
import { findPairs, findRoot, inspect, isProgram, type Pair } from './installation.ts';
import { MpiPeer, type PeerMethod } from './mpi-peer.ts';
import type { PeersOptions } from './options.ts';
import { type OursPlan, settingsOfOurs } from './ours.ts';
import { configurationsOf } from './plan.ts';
import { Programs } from './programs.ts';
import { type PeersRecord, summariseRounds } from './record.ts';
import { footnotes, peersTable } from './table.ts';
import { takeTurns } from './turns.ts';
import { UcxPeer } from './ucx-peer.ts';

/** What a pass may take: many programs follow each other. */
const PASS_MS = 500;
const QUICK_PASS_MS = 100;
/**
 * Of each program, which are all started anew. As long as V8 needs to compile the loop in the background, on a core that
 * the ranks have for themselves later: with less, that stood in the mean of everything below 1 MiB.
 */
const WARMUP_MS = 400;

const NO_PEER =
  'there is no MPI here: install one with its headers (on Debian and Ubuntu, apt-get install openmpi-bin libopenmpi-dev), ' +
  'name one with --mpi name=mpicc,mpirun, or have bench/peers/install.sh set several up';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Ours and the peers in turns, as lines for people or for programs. */
export async function* peersLines(
  options: PeersOptions,
  cli: string,
  progress: (text: string) => void,
  keep: (record: PeersRecord) => void,
): AsyncGenerator<string> {
  const children = new Children();
  const programs = new Programs(children);
  let interruption: JobEnded | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    interruption ??= new JobEnded(128 + constants.signals[signal]);
    children.endAll();
  };
  const leave = (): void => {
    children.endAll();
    programs.remove();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // Also when whoever reads our output has gone.
  process.once('exit', leave);
  try {
    yield* comparedLines(options, cli, children, programs, progress, keep);
  } catch (error) {
    throw interruption ?? error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    process.off('exit', leave);
    leave();
  }
}

async function* comparedLines(
  options: PeersOptions,
  cli: string,
  children: Children,
  programs: Programs,
  progress: (text: string) => void,
  keep: (record: PeersRecord) => void,
): AsyncGenerator<string> {
  progress('looking for MPIs');
  const configurations = configurationsOf({ ...options, hasAlloc: await hasAlloc() });
  const cores = readCores();
  const offCache = options.offCache
    ? planOffCache(Math.max(...configurations.map(({ ranks }) => ranks)))
    : undefined;
  const method: PeerMethod = {
    cores: cores.length,
    pages: options.pages,
    ...(offCache && { offCacheBytes: offCache.bytes }),
    timeoutMs: options.timeoutMs,
  };
  const found = await findPeers(options.mpi, children, programs, method, cores);
  const peers = found.filter((peer) => configurations.some((each) => peer.takesPartIn(each)));
  const ours: OursPlan = {
    cli,
    processors: isProgram('taskset') ? cores.map(([first]) => first!) : [],
    launcherArguments: options.launcherArguments,
    channel: options.channel,
    ...(offCache && { offCacheBytes: offCache.bytes }),
  };
  const records = compareAll(options, ours, configurations, peers, progress, keep);
  if (options.json) {
    for await (const record of records) yield JSON.stringify(record);
    return;
  }
  yield describeMachine();
  yield* peers.map((peer) => `${peer.name}: ${peer.version}${startedAs(peer, configurations)}`);
  yield `onecopy${indented(configurations.map((each) => settingsOfOurs(ours, each)))}`;
  if (offCache) yield describeOffCache(offCache);
  yield '';
  yield* peersTable(
    records,
    peers.map(({ name }) => name),
  );
  yield '';
  yield* footnotes(options.pairs).map((line) => `  ${line}`);
}

async function* compareAll(
  options: PeersOptions,
  ours: OursPlan,
  configurations: readonly Configuration[],
  peers: readonly Competitor[],
  progress: (text: string) => void,
  keep: (record: PeersRecord) => void,
): AsyncGenerator<PeersRecord> {
  const machine = readMachine();
  const { offCacheBytes } = ours;
  const passMs = options.quick ? QUICK_PASS_MS : PASS_MS;
  const plan = {
    ours,
    pairs: options.pairs,
    timeoutMs: options.timeoutMs,
    loops: ({ benchmark, bytes }: Configuration) =>
      loopsOf(
        {
          ...options,
          benchmark,
          ...(!options.quick && { warmupMs: WARMUP_MS }),
          ...(offCacheBytes && { offCacheBytes }),
        },
        bytes,
        passMs,
      ),
  };
  for (const configuration of configurations) {
    const rounds = await takeTurns(plan, configuration, peers, progress);
    const takingPart = peers.filter((peer) => peer.takesPartIn(configuration));
    const record = summariseRounds(configuration, rounds, {
      settings: {
        onecopy: settingsOfOurs(ours, configuration),
        ...Object.fromEntries(takingPart.map((peer) => [peer.name, peer.settings(configuration)])),
      },
      versions: Object.fromEntries(takingPart.map(({ name, version }) => [name, version])),
      machine,
      ...(offCacheBytes !== undefined && { offCacheBytes }),
    });
    keep(record);
    yield record;
  }
}

async function findPeers(
  asked: readonly Pair[],
  children: Children,
  programs: Programs,
  method: PeerMethod,
  cores: readonly (readonly number[])[],
): Promise<Competitor[]> {
  const root = findRoot(process.env);
  const pairs = asked.length > 0 ? asked : findPairs(root);
  const peers: Competitor[] = [];
  for (const pair of pairs) {
    const installation = await inspect(pair, children);
    peers.push(new MpiPeer(installation, children, programs, method));
  }
  if (asked.length === 0) {
    const ucx =
      (root && (await UcxPeer.find(root, children, method, cores))) ??
      (await UcxPeer.find(undefined, children, method, cores));
    if (ucx) peers.push(ucx);
  }
  if (peers.length === 0) throw new OptionError(NO_PEER);
  return peers;
}

/** By what the runtime exports; it does nothing when it is only loaded. */
async function hasAlloc(): Promise<boolean> {
  return 'alloc' in (await import('@onecopy/runtime'));
}

function startedAs(peer: Competitor, configurations: readonly Configuration[]): string {
  const takingPart = configurations.filter((configuration) => peer.takesPartIn(configuration));
  return indented(takingPart.map((configuration) => peer.settings(configuration)));
}

/** Settings differ by ranks: there may be a core for each, or not. */
function indented(settings: readonly string[]): string {
  return [...new Set(settings)].map((text) => `\n  ${text}`).join('');
}
