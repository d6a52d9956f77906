// The table of quality.md: what is tried with what. Tests and the programs they launch both compute it from here.

/** One thing tried: an operation under everything that may make a difference to it. */
export interface Case {
  readonly operation: Operation;
  readonly ranks: number;
  readonly channel: Channel;
  readonly mover: Mover;
  readonly eager: Eager;
  readonly element: Element;
  readonly count: Count;
}

export type Operation = (typeof OPERATIONS)[number];
export type Channel = (typeof CHANNELS)[number];
export type Mover = (typeof MOVERS)[number];
export type Eager = (typeof EAGER_LIMITS)[number];
export type Element = (typeof ELEMENTS)[number];
export type Count = (typeof COUNTS)[number];

export const OPERATIONS = [
  'send, recv',
  'isend, irecv, waitAll',
  'isend, irecv, await',
  'isend, irecv, test',
  'isend, recv with timeout',
  'sendrecv',
  'probe, recv from any',
  'iprobe, recv',
  'isend, recvNew',
  'described buffers',
  'self',
  'alltoall into',
  'alltoall new',
  'barrier',
  'bcast',
  'allreduce new',
  'allreduce in place',
  'reduce into',
  'scan into',
  'reduceScatterBlock in place',
  'allgather into',
  'allgather in place',
  'gather in place',
  'scatter into',
  'ssend, irecv',
  'issend, irecv, waitAny',
  'isend, irecv, waitSome',
  'isend, irecv, testSome',
  'isend, irecv, testAll',
  'isend, irecv with limits',
  'isendrecv',
  'isendrecv, waitAll',
  'sendrecvReplace',
  'isendrecvReplace',
  'sendInit, recvInit',
  'ssendInit, recvInit, await',
  'isend, mprobe, recv',
  'isend, improbe, irecv',
  'isend, mprobe, recvNew',
  'isend, messages',
  'isendObject, recvObject',
  'isendObject, irecvObject, await',
  'isendObject, mprobe, recvObject',
  'isend with gaps, recv',
  'isend, irecv with gaps, await',
  'isend with gaps, recv with gaps',
] as const;

export const RANKS = [1, 2, 3, 4, 5, 7, 8] as const;
export const CHANNELS = ['ring', 'socket'] as const;
/** `heap`: buffers from `alloc`, of all classes but SharedArrayBuffer. */
export const MOVERS = ['cma', 'heap', 'staging'] as const;
/** `most`: as long as the longest record of the ring, or packet of the socket. */
export const EAGER_LIMITS = ['default', 'zero', 'most'] as const;

export const ELEMENTS = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float32Array',
  'Float64Array',
  'Buffer',
  'DataView',
  'ArrayBuffer',
  'SharedArrayBuffer',
] as const;

/** Number of elements; what the names mean in bytes is known to the ranks only. */
export const COUNTS = [
  'none',
  'one',
  'odd',
  'below eager',
  'at eager',
  'above eager',
  // From 32 KiB on both sides copy.
  'below sharing',
  'at sharing',
  // Staged payloads go in pieces of at most 64 KiB, pulled ones in slices of 512 KiB.
  'at a piece',
  'above a piece',
  'above a slice',
] as const;

const DIMENSIONS = {
  operation: OPERATIONS,
  ranks: RANKS,
  channel: CHANNELS,
  mover: MOVERS,
  eager: EAGER_LIMITS,
  element: ELEMENTS,
  count: COUNTS,
} as const;

type Dimension = keyof Case;
const NAMES = Object.keys(DIMENSIONS) as Dimension[];

/** What is the same for all cases of one launch. */
export type Launch = Pick<Case, 'ranks' | 'channel' | 'mover' | 'eager'>;

export interface Table {
  readonly chosen: readonly Case[];
  readonly leftOut: number;
}

/** A third of the table, in which only element types take turns; or every boundary and a pairwise cover of it. */
export function table(full: boolean): Table {
  const all = everything();
  const chosen = full
    ? all.filter((one) => (turnOf(one) + ELEMENTS.indexOf(one.element)) % 3 === 0)
    : distinct([...boundaries(), ...pairwise()]);
  return { chosen, leftOut: all.length - chosen.length };
}

export function launches(cases: readonly Case[]): Launch[] {
  const seen = new Map(cases.map((one) => [launchKey(one), one]));
  return [...seen.values()].map(({ ranks, channel, mover, eager }) => ({
    ranks,
    channel,
    mover,
    eager,
  }));
}

export function casesOf(launch: Launch, cases: readonly Case[]): Case[] {
  return cases.filter((one) => launchKey(one) === launchKey(launch));
}

export function launchKey({ ranks, channel, mover, eager }: Launch): string {
  return `${ranks} ranks, ${channel}, ${mover}, eager limit ${eager}`;
}

/** Of `onecopy run`. */
export function launchOptions({ channel, mover, eager }: Omit<Launch, 'ranks'>): string[] {
  const limits: Readonly<Record<Eager, string[]>> = {
    default: [],
    zero: ['--eager-limit', '0'],
    most: ['--eager-limit', '64K'],
  };
  return [
    ...['--channel', channel],
    ...(mover === 'staging' ? ['--deny-pull'] : []),
    ...limits[eager],
  ];
}

/** A case as a number, the digits of which are its places in the dimensions. */
export function encode(one: Case): number {
  return NAMES.reduce((sum, name) => {
    const values: readonly unknown[] = DIMENSIONS[name];
    return sum * values.length + values.indexOf(one[name]);
  }, 0);
}

export function decode(code: number): Case {
  const row: Record<string, unknown> = {};
  let rest = code;
  for (const name of [...NAMES].reverse()) {
    const values: readonly unknown[] = DIMENSIONS[name];
    row[name] = values[rest % values.length];
    rest = Math.floor(rest / values.length);
  }
  return row as unknown as Case;
}

function turnOf({ operation, ranks, channel, mover, eager, count }: Case): number {
  return (
    [
      OPERATIONS.indexOf(operation),
      RANKS.indexOf(ranks as (typeof RANKS)[number]),
      CHANNELS.indexOf(channel),
      MOVERS.indexOf(mover),
      EAGER_LIMITS.indexOf(eager),
      COUNTS.indexOf(count),
    ] as const
  ).reduce<number>((sum, place) => sum + place, 0);
}

function everything(): Case[] {
  const size = NAMES.reduce((product, name) => product * DIMENSIONS[name].length, 1);
  return Array.from({ length: size }, (_, code) => decode(code));
}

/**
 * The launches of the short run: of number of ranks, channel, mover and limit every two values meet, in a sixth of the
 * launches that all combinations would take.
 */
const FEW_LAUNCHES: readonly Launch[] = RANKS.flatMap((ranks, i) =>
  MOVERS.map((mover, j) => ({
    ranks,
    channel: CHANNELS[(i + j) % CHANNELS.length]!,
    mover,
    eager: EAGER_LIMITS[(i + j) % EAGER_LIMITS.length]!,
  })),
);

/** Every operation at every count, over each channel and by each mover; the rest takes turns. */
function boundaries(): Case[] {
  const found: Case[] = [];
  for (const operation of OPERATIONS) {
    for (const count of COUNTS) {
      for (const channel of CHANNELS) {
        for (const mover of MOVERS) {
          const suitable = FEW_LAUNCHES.filter(
            (one) => one.channel === channel && one.mover === mover,
          );
          const turn = found.length;
          // Launches change slowly and elements fast, so that the two do not move in step.
          const launch = suitable[Math.floor(turn / 6) % suitable.length]!;
          const element = ELEMENTS[turn % ELEMENTS.length]!;
          found.push({ operation, ...launch, element, count });
        }
      }
    }
  }
  return found;
}

const PAIRED = {
  launch: FEW_LAUNCHES,
  operation: OPERATIONS,
  element: ELEMENTS,
  count: COUNTS,
} as const;

type Paired = keyof typeof PAIRED;
type Row = Partial<Record<Paired, unknown>>;
const PAIRED_NAMES = Object.keys(PAIRED) as Paired[];

/**
 * Cases in which every value of each dimension meets every value of each other one; greedily few. Each begins with a
 * pair that is still open and takes, one dimension after the other, the value that closes most pairs.
 */
function pairwise(): Case[] {
  const open = new Set<string>();
  for (const [i, a] of PAIRED_NAMES.entries()) {
    for (const b of PAIRED_NAMES.slice(i + 1)) {
      for (const x of PAIRED[a]) for (const y of PAIRED[b]) open.add(pair(a, x, b, y));
    }
  }
  const chosen: Case[] = [];
  for (const first of open) {
    const row = JSON.parse(first) as Row;
    for (const name of PAIRED_NAMES) row[name] ??= bestValue(row, name, open);
    for (const closed of pairsOf(row)) open.delete(closed);
    const { launch, ...rest } = row as { launch: Launch } & Omit<Case, keyof Launch>;
    chosen.push({ ...launch, ...rest });
  }
  return chosen;
}

function bestValue(row: Row, name: Paired, open: Set<string>): unknown {
  const gain = (value: unknown): number =>
    pairsOf({ ...row, [name]: value }).filter((each) => open.has(each)).length;
  const values: readonly unknown[] = PAIRED[name];
  return values.reduce((best, value) => (gain(value) > gain(best) ? value : best));
}

function pairsOf(row: Row): string[] {
  const given = PAIRED_NAMES.filter((name) => row[name] !== undefined);
  return given.flatMap((a, i) => given.slice(i + 1).map((b) => pair(a, row[a], b, row[b])));
}

function pair(a: Paired, x: unknown, b: Paired, y: unknown): string {
  return JSON.stringify({ [a]: x, [b]: y });
}

function distinct(cases: readonly Case[]): Case[] {
  return [...new Map(cases.map((one) => [encode(one), one])).values()];
}
