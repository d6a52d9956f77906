/**
 * How the ranks of a communicator agree on a new one: each says what it has called and with what, all hear all, and
 * rank 0 brings the ids of contexts, which it has from the launcher.
 */
import { type Engine, MpiError } from '@onecopy/engine';
import type { Collectives } from '../collectives/operations.ts';
import { CONTEXTS } from '../membership.ts';

/** Calls that every rank of the parent makes. What they say is compared by its place here. */
const CALLS = [
  'dup',
  'split',
  'splitType',
  'create',
  'createCart',
  'sub',
  'createDistGraph',
  'createDistGraphAdjacent',
] as const;
export type MakingCall = (typeof CALLS)[number];

/** What a rank says in such a call. */
export interface Statement {
  /** Ranks with the same color come into the same new communicator; UNDEFINED: into none. */
  readonly color: number;
  /** Its place there, by which ranks are sorted; ranks with the same keep their order. */
  readonly key: number;
  /** Of what must be the same on all ranks of a color; see `digest`. */
  readonly digest: number;
  /** Members that the new communicator must have; or, of createDistGraph, how many edges this rank brings. */
  readonly count: number;
}

const FIELDS = 7;
const FAILED = -1;

/** All have heard all. */
export interface Agreement {
  /** By rank of the parent. */
  readonly statements: readonly Statement[];
  /** From rank 0, where it knew beforehand that there will be one new communicator; else 0. */
  readonly first: number;
}

/** The parent, as its rank sees it. */
export interface Parent {
  readonly comm: Collectives;
  readonly engine: Engine;
  readonly rank: number;
  readonly size: number;
}

/**
 * Says what this rank wants and hears what the others do.
 *
 * @param brings whether there will be exactly one new communicator, so that rank 0 can bring its contexts at once
 * @param failure what keeps this rank from taking part: it is thrown here, and all others throw too
 * @throws MpiError `ERR_COLLECTIVE` if ranks have made different calls, `ERR_KEYVAL` if a callback has failed
 *   elsewhere, `ERR_NO_MEM` if there are no contexts left
 */
export function agree(
  parent: Parent,
  call: MakingCall,
  own: Statement,
  brings: boolean,
  failure?: { readonly thrown: unknown },
): Agreement {
  const all = within(call, () => parent.comm.allgather(stated(parent, call, own, brings, failure)));
  if (failure !== undefined) throw failure.thrown;
  return read(parent, call, all);
}

/** What this rank says, as numbers. */
export function stated(
  { engine, rank }: Parent,
  call: MakingCall,
  { color, key, digest, count }: Statement,
  brings: boolean,
  failure?: { readonly thrown: unknown },
): Float64Array<ArrayBuffer> {
  const first = rank === 0 && brings && failure === undefined ? takeContexts(engine, 1) : 0;
  const failed = failure === undefined ? 0 : 1;
  return Float64Array.of(CALLS.indexOf(call), color, key, digest, count, first, failed);
}

/** What all have said. */
export function read({ size }: Parent, call: MakingCall, all: Float64Array): Agreement {
  const at = (rank: number, field: number): number => all[rank * FIELDS + field] as number;
  for (let rank = 0; rank < size; rank += 1) {
    const theirs = CALLS[at(rank, 0)];
    if (theirs !== call) {
      throw new MpiError(
        'ERR_COLLECTIVE',
        `${call}: rank ${rank} has called ${theirs ?? 'something else'}, and this rank ${call}. All ranks of a ` +
          'communicator must make the same calls in the same order. The communicator stays usable',
        { peer: rank },
      );
    }
  }
  for (let rank = 0; rank < size; rank += 1) {
    if (at(rank, 6) === 0) continue;
    throw new MpiError(
      'ERR_KEYVAL',
      `${call}: copying an attribute has failed on rank ${rank}; the error there says why. ` +
        'The communicator stays usable',
      { peer: rank },
    );
  }
  const first = at(0, 5);
  if (first === FAILED) throw noContexts(call);
  const statements = Array.from({ length: size }, (_, rank) => ({
    color: at(rank, 1),
    key: at(rank, 2),
    digest: at(rank, 3),
    count: at(rank, 4),
  }));
  return { statements, first };
}

/** Rank 0 brings contexts for so many communicators: the first of them. */
export function bringContexts(parent: Parent, call: MakingCall, communicators: number): number {
  const own = Float64Array.of(parent.rank === 0 ? takeContexts(parent.engine, communicators) : 0);
  const [first = FAILED] = within(call, () => parent.comm.bcast(own));
  if (first === FAILED) throw noContexts(call);
  return first;
}

/** FAILED: there are none left, which the others must hear too. Anything else that fails fails for all. */
function takeContexts(engine: Engine, communicators: number): number {
  try {
    return engine.newContexts(communicators * CONTEXTS.count);
  } catch (error) {
    if (error instanceof MpiError && error.code === 'ERR_NO_MEM') return FAILED;
    throw error;
  }
}

export function noContexts(call: string): MpiError {
  return new MpiError(
    'ERR_NO_MEM',
    `${call}: the job has used up all ids of communicators, some 10^9. Make fewer, and use them longer`,
  );
}

/** Tells in which call something failed that it is made of. */
export function within<R>(call: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    throw new MpiError(error.code, `${call}: ${error.message}`, { cause: error, peer: error.peer });
  }
}

/** A number that differs, as good as always, where the lists differ (FNV-1a). */
export function digest(...lists: readonly ArrayLike<number>[]): number {
  let hash = 0x811c9dc5;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const list of lists) {
    for (const value of [list.length, ...Array.from(list)]) {
      for (let shift = 0; shift < 32; shift += 8) add((value >>> shift) & 0xff);
    }
  }
  return hash >>> 0;
}
