import type { Finding } from './causes.ts';
import { leastLimit, MEMORY, PIDS } from './cgroup.ts';
import type { System } from './system.ts';
import type { RankFacts } from './trial.ts';

export type Amount = number | 'unlimited';

/** Of one resource: soft is what holds, hard what it may be raised to. Undefined: unknown. */
export interface ResourceLimit {
  readonly soft: Amount | undefined;
  readonly hard: Amount | undefined;
}

/** What bounds the size of a job. */
export interface Limits {
  readonly descriptors: ResourceLimit;
  readonly lockedMemory: ResourceLimit;
  readonly addressSpace: ResourceLimit;
  readonly processes: ResourceLimit;
  /** Bytes, and tasks (threads count), of the tightest cgroup; undefined: no limit. */
  readonly cgroupMemory: number | undefined;
  readonly cgroupTasks: number | undefined;
  /** Descriptors that a rank has open for each rank it has talked to. */
  readonly descriptorsPerPeer: number;
  /** As many ranks as may all talk to each other; undefined where the limit is unknown. */
  readonly ranksAllToAll: number | undefined;
}

/** Where no trial has counted them: a pair's socket and the peer's doorbell (native/core/engine/peer.h). */
const PER_PEER = 2;
/** While a connection is made: its two segments, until they are mapped (kPeerDescriptors). */
const WHILE_CONNECTING = 2;
/** What the launcher keeps per rank: control socket, doorbell, segment, pidfd, and its two output pipes. */
const PER_RANK_IN_LAUNCHER = 6;
/** What a Node process has open by itself, where no trial has counted it; measured with Node 20. */
const OF_NODE = 24;
/** kMaxRanks in native/core/job/segments.h. */
const MOST_RANKS = 4096;

/** Fewer would be a surprise. */
const FEW_RANKS = 128;

export function examineLimits(system: System, ranks: readonly RankFacts[]): Limits {
  const text = system.read('/proc/self/limits');
  const descriptors = parseLimit(text, 'Max open files');
  const alone = Math.max(...ranks.map((rank) => rank.descriptorsAlone ?? 0), OF_NODE);
  const perPeer = Math.max(...ranks.map(costOfPeer), 0) || PER_PEER;
  return {
    descriptors,
    lockedMemory: parseLimit(text, 'Max locked memory'),
    addressSpace: parseLimit(text, 'Max address space'),
    processes: parseLimit(text, 'Max processes'),
    cgroupMemory: leastLimit(system, MEMORY),
    cgroupTasks: leastLimit(system, PIDS),
    descriptorsPerPeer: perPeer,
    ranksAllToAll: ranksFor(descriptors.soft, alone, perPeer),
  };
}

function costOfPeer({ descriptorsAlone, descriptorsWithPeer }: RankFacts): number {
  return (descriptorsWithPeer ?? 0) - (descriptorsAlone ?? 0);
}

/** A line of /proc/self/limits; Node has raised its soft limit of descriptors to the hard one, and ranks inherit that. */
export function parseLimit(text: string | undefined, name: string): ResourceLimit {
  const [, soft, hard] = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(text ?? '') ?? [];
  return { soft: amountOf(soft), hard: amountOf(hard) };
}

function amountOf(text: string | undefined): Amount | undefined {
  if (text === 'unlimited') return text;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Bounded by what each rank has open, and by what the launcher has. */
function ranksFor(
  descriptors: Amount | undefined,
  alone: number,
  perPeer: number,
): number | undefined {
  if (descriptors === undefined) return undefined;
  if (descriptors === 'unlimited') return MOST_RANKS;
  const peers = Math.floor((descriptors - alone - WHILE_CONNECTING) / perPeer);
  const inLauncher = Math.floor((descriptors - alone) / PER_RANK_IN_LAUNCHER);
  return Math.max(1, Math.min(peers + 1, inLauncher, MOST_RANKS));
}

export function limitsAdvice(
  { ranksAllToAll, descriptors, processes, cgroupTasks }: Limits,
  threads: number | undefined,
): Finding[] {
  const advice: Finding[] = [];
  if (ranksAllToAll !== undefined && ranksAllToAll < FEW_RANKS) {
    advice.push({
      id: 'descriptors',
      problem: `${descriptors.soft} descriptors a process allow no more than ${ranksAllToAll} ranks that all talk to each other.`,
      cure: 'Raise the hard limit: ulimit -Hn 65536, LimitNOFILE= of the systemd unit, or --ulimit nofile=65536 of the container.',
    });
  }
  const tasks = [processes.soft, cgroupTasks].filter((each) => typeof each === 'number');
  const most = Math.min(...tasks);
  if (threads !== undefined && most < FEW_RANKS * threads) {
    const ranks = Math.floor(most / threads);
    advice.push({
      id: 'tasks',
      problem: `At most ${most} tasks may run here, enough for about ${ranks} ranks of Node with ${threads} threads each.`,
      cure: 'Raise ulimit -u, TasksMax= of the systemd unit, or --pids-limit of the container.',
    });
  }
  return advice;
}

export function describeLimits(limits: Limits): string[][] {
  const { descriptors, ranksAllToAll, descriptorsPerPeer } = limits;
  const ranks = ranksAllToAll === undefined ? 'an unknown number of' : `up to ${ranksAllToAll}`;
  const { cgroupMemory, cgroupTasks } = limits;
  return [
    [
      'descriptors',
      `${both(descriptors, String)} a process, ${descriptorsPerPeer} for each peer: ${ranks} ranks that all talk to each other`,
    ],
    [
      'tasks',
      `${both(limits.processes, String)} a user, in this cgroup ${cgroupTasks ?? 'unlimited'}`,
    ],
    [
      'memory',
      `address space ${both(limits.addressSpace, bytes)}, locked ${both(limits.lockedMemory, bytes)}, in this cgroup ${cgroupMemory === undefined ? 'unlimited' : bytes(cgroupMemory)}`,
    ],
  ];
}

function both({ soft, hard }: ResourceLimit, show: (amount: number) => string): string {
  const text = (amount: Amount | undefined): string =>
    typeof amount === 'number' ? show(amount) : (amount ?? 'unknown');
  return soft === hard ? text(soft) : `${text(soft)} (may be raised to ${text(hard)})`;
}

function bytes(count: number): string {
  const mebibytes = count / 2 ** 20;
  if (mebibytes >= 1024) return `${Math.round((mebibytes / 1024) * 10) / 10} GiB`;
  return mebibytes >= 1 ? `${Math.round(mebibytes)} MiB` : `${Math.round(count / 1024)} KiB`;
}
