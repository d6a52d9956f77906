/**
 * Values instead of buffers: what is sent are encoded values in one piece each, lengths first. A rank that cannot encode its value
 * takes part all the same, with a length of FAILED, so that nobody waits for it in vain.
 */
import { MpiError } from '@onecopy/engine';
import { show } from '../arguments.ts';
import { decode, encode } from '../objects/codec.ts';
import type { Collectives } from './operations.ts';
import type { Site } from './site.ts';

const FAILED = -1;

/** What a rank contributes: bytes, or the reason why there are none. */
interface Encoded {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly failure?: unknown;
}

function attempt(make: () => Uint8Array): Encoded {
  try {
    const bytes = make();
    return { bytes, length: bytes.length };
  } catch (failure) {
    return { bytes: new Uint8Array(0), length: FAILED, failure };
  }
}

function unencodable(call: string, rank: number): MpiError {
  return new MpiError(
    'ERR_ARG',
    `${call}: rank ${rank} has no value that can be sent; the error there says why. ` +
      'The communicator stays usable',
    { peer: rank },
  );
}

/** Throws the rank's own failure, or what it means to the others. */
function checkLengths(call: string, lengths: ArrayLike<number>, site: Site, own: Encoded): void {
  if (own.length === FAILED) throw own.failure;
  for (let rank = 0; rank < lengths.length; rank += 1) {
    if (lengths[rank] === FAILED && rank !== site.rank) throw unencodable(call, rank);
  }
}

export function bcastObject(comm: Collectives, site: Site, value: unknown, root: number): unknown {
  return broadcast(comm, site, 'bcastObject', root, () => encode('bcastObject', value));
}

function broadcast(
  comm: Collectives,
  site: Site,
  call: string,
  root: number,
  make: () => Uint8Array,
): unknown {
  const isRoot = site.rank === root;
  const own = isRoot ? attempt(make) : undefined;
  const [length = 0] = comm.bcast(Float64Array.of(own?.length ?? 0), root);
  if (length === FAILED) throw own === undefined ? unencodable(call, root) : own.failure;
  const bytes = comm.bcast(own?.bytes ?? new Uint8Array(length), root);
  return decode(call, bytes, root);
}

export function gatherObject(
  comm: Collectives,
  site: Site,
  value: unknown,
  root: number,
): unknown[] | undefined {
  return gathered(comm, site, 'gatherObject', value, root);
}

function gathered(
  comm: Collectives,
  site: Site,
  call: string,
  value: unknown,
  root: number,
): unknown[] | undefined {
  const own = attempt(() => encode(call, value));
  const lengths = comm.gather(own.length, root);
  const counts = lengths?.map((length) => Math.max(0, length));
  const data = new Uint8Array(counts?.reduce((sum, count) => sum + count, 0) ?? 0);
  comm.gatherv(own.bytes, counts && { data, counts }, root);
  if (own.length === FAILED) throw own.failure;
  if (lengths === undefined || counts === undefined) return undefined;
  checkLengths(call, lengths, site, own);
  return decodeAll(call, data, counts);
}

export function allgatherObject(comm: Collectives, site: Site, value: unknown): unknown[] {
  const call = 'allgatherObject';
  const own = attempt(() => encode(call, value));
  const lengths = comm.allgather(own.length);
  checkLengths(call, lengths, site, own);
  const data = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  comm.allgatherv(own.bytes, { data, counts: lengths });
  return decodeAll(call, data, lengths);
}

export function scatterObject(
  comm: Collectives,
  site: Site,
  values: readonly unknown[] | undefined,
  root: number,
): unknown {
  const call = 'scatterObject';
  const { rank, size } = site;
  const length = new Float64Array(1);
  if (rank !== root) {
    comm.scatter(undefined, length, root);
    if (length[0] === FAILED) throw unencodable(call, root);
    return decode(call, comm.scatterv(undefined, new Uint8Array(length[0] as number), root), root);
  }
  if (!Array.isArray(values) || values.length !== size) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the root must pass an array of ${size} values, one for each rank, not ` +
        `${Array.isArray(values) ? `${values.length}` : show(values)}`,
    );
  }
  let parts: Uint8Array[] = [];
  const all = attempt(() => {
    parts = values.map((each) => encode(call, each));
    return new Uint8Array(0);
  });
  const counts = Float64Array.from({ length: size }, (_, each) =>
    all.length === FAILED ? FAILED : (parts[each] as Uint8Array).length,
  );
  comm.scatter(counts, length, root);
  if (all.length === FAILED) throw all.failure;
  const into = new Uint8Array(length[0] as number);
  return decode(call, comm.scatterv({ data: Buffer.concat(parts), counts }, into, root), root);
}

export function allreduceObject(
  comm: Collectives,
  site: Site,
  value: unknown,
  combine: (left: unknown, right: unknown) => unknown,
): unknown {
  const call = 'allreduceObject';
  if (typeof combine !== 'function') {
    throw new MpiError('ERR_OP', `${call}: ${show(combine)} is not a function`);
  }
  let result: { value: unknown } | undefined;
  let failure: { error: unknown } | undefined;
  try {
    const values = gathered(comm, site, call, value, 0);
    if (values !== undefined) result = { value: values.reduce(combine) };
  } catch (error) {
    if (error instanceof MpiError && error.code !== 'ERR_ARG') throw error;
    failure = { error };
  }
  if (site.rank === 0) {
    return broadcast(comm, site, call, 0, () => {
      if (failure !== undefined) throw failure.error;
      return encode(call, result?.value);
    });
  }
  try {
    return broadcast(comm, site, call, 0, () => new Uint8Array(0));
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    if (!(error instanceof MpiError) || error.code !== 'ERR_ARG') throw error;
    throw new MpiError(
      'ERR_OP',
      `${call}: it failed on rank 0, where the values are combined; the error there says why. ` +
        'The communicator stays usable',
      { peer: 0, cause: error },
    );
  }
}

function decodeAll(call: string, data: Uint8Array, counts: ArrayLike<number>): unknown[] {
  let at = 0;
  return Array.from(counts, (count, rank) => {
    at += count;
    return decode(call, data.subarray(at - count, at), rank);
  });
}
