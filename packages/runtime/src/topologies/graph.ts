/** Graphs of ranks that talk to each other (MPI-4.1 section 8.5.4), as seen from one of them. */
import { MpiError } from '@onecopy/engine';
import { isRank, show } from '../arguments.ts';

/** Whom a rank receives from and sends to, in this order. */
export interface Neighbors {
  readonly sources: readonly number[];
  readonly dests: readonly number[];
  /** One for each source, where the graph has weights. */
  readonly sourceWeights?: readonly number[];
  readonly destWeights?: readonly number[];
}

/** How many they are. */
export interface NeighborsCount {
  readonly indegree: number;
  readonly outdegree: number;
  readonly weighted: boolean;
}

/** An edge of the graph. */
export interface Edge {
  readonly source: number;
  readonly dest: number;
  readonly weight: number;
}

/** An edge as numbers. */
export const EDGE_FIELDS = 3;

export function encodeEdges(edges: readonly Edge[]): Float64Array<ArrayBuffer> {
  return Float64Array.from(edges.flatMap(({ source, dest, weight }) => [source, dest, weight]));
}

export function decodeEdges(numbers: Float64Array): Edge[] {
  const at = (index: number): number => numbers[index] as number;
  return Array.from({ length: numbers.length / EDGE_FIELDS }, (_, each) => ({
    source: at(each * EDGE_FIELDS),
    dest: at(each * EDGE_FIELDS + 1),
    weight: at(each * EDGE_FIELDS + 2),
  }));
}

/** What the graph means to one rank. */
export function neighborsOf(edges: readonly Edge[], rank: number, weighted: boolean): Neighbors {
  const incoming = edges.filter(({ dest }) => dest === rank);
  const outgoing = edges.filter(({ source }) => source === rank);
  return {
    sources: incoming.map(({ source }) => source),
    dests: outgoing.map(({ dest }) => dest),
    ...(weighted && {
      sourceWeights: incoming.map(({ weight }) => weight),
      destWeights: outgoing.map(({ weight }) => weight),
    }),
  };
}

/** What `createDistGraph` was given: of each source, so many of the destinations in turn. */
export function checkEdges(
  call: string,
  sources: unknown,
  degrees: unknown,
  dests: unknown,
  weights: unknown,
  size: number,
): Edge[] {
  const from = checkRanks(call, 'sources', sources, size);
  const counts = checkNumbers(call, 'degrees', degrees, from.length, 'each source');
  for (const degree of counts) {
    if (Number.isInteger(degree)) continue;
    throw new MpiError('ERR_ARG', `${call}: a degree is a whole number, not ${show(degree)}`);
  }
  const to = checkRanks(call, 'destinations', dests, size);
  const total = counts.reduce((sum, degree) => sum + degree, 0);
  if (total !== to.length) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the degrees add up to ${total}, and there are ${to.length} destinations`,
    );
  }
  const given = weights === undefined ? undefined : checkWeights(call, weights, to.length);
  const origins = from.flatMap((source, each) =>
    new Array<number>(counts[each] as number).fill(source),
  );
  return origins.map((source, each) => ({
    source,
    dest: to[each] as number,
    weight: given?.[each] ?? 1,
  }));
}

export function checkRanks(call: string, what: string, ranks: unknown, size: number): number[] {
  const list = checkList(call, what, ranks);
  for (const rank of list) {
    if (isRank(rank, size)) continue;
    throw new MpiError(
      'ERR_RANK',
      `${call}: ${show(rank)} among the ${what} is not a rank; there are ranks 0 to ${size - 1}`,
      typeof rank === 'number' ? { peer: rank } : {},
    );
  }
  return list;
}

export function checkWeights(call: string, weights: unknown, edges: number): number[] {
  return checkNumbers(call, 'weights', weights, edges, 'each edge');
}

function checkNumbers(
  call: string,
  what: string,
  given: unknown,
  length: number,
  one: string,
): number[] {
  const list = checkList(call, what, given);
  if (list.length !== length) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: there are ${list.length} ${what}, and must be ${length}: one for ${one}`,
    );
  }
  for (const value of list) {
    if (typeof value === 'number' && value >= 0) continue;
    throw new MpiError('ERR_ARG', `${call}: ${what} are numbers from 0, not ${show(value)}`);
  }
  return list;
}

function checkList(call: string, what: string, list: unknown): number[] {
  if (typeof list === 'object' && list !== null && 'length' in list) {
    return Array.from(list as ArrayLike<number>);
  }
  throw new MpiError('ERR_ARG', `${call}: ${what} are given as an array, not as ${show(list)}`);
}
