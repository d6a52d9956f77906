/**
 * Checks of arguments, and the sentences for those that are wrong. The checks are what stands between a call and the
 * engine on the fast path: plain comparisons; whatever fails one is explained here at leisure.
 */
import { ANY_SOURCE, ANY_TAG, MpiError, PROC_NULL, TAG_UB } from '@onecopy/engine';

/** Whose rank or tag it is, for messages. */
export interface Place {
  /** Name of the communicator. */
  readonly name: string;
  readonly size: number;
}

/** Options of calls that block. */
export interface BlockingOptions {
  /** Give up after so many milliseconds, with `ERR_TIMEOUT`; a transfer that has begun is completed first. */
  readonly timeout?: number | undefined;
  /** Not for calls that block: nothing can fire it while the thread is blocked. */
  readonly signal?: never;
}

export function isRank(value: unknown, size: number): value is number {
  return typeof value === 'number' && value >>> 0 === value && value < size;
}

export function isSource(value: unknown, size: number): value is number {
  return isRank(value, size) || value === ANY_SOURCE;
}

export function isTag(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value && value >= 0;
}

export function isTagOrAny(value: unknown): value is number {
  return isTag(value) || value === ANY_TAG;
}

/** @returns `dest`, which may be PROC_NULL */
export function checkDest(call: string, dest: unknown, place: Place): number {
  if (isRank(dest, place.size) || dest === PROC_NULL) return dest;
  if (dest === ANY_SOURCE) {
    throw new MpiError(
      'ERR_RANK',
      `${call}: ANY_SOURCE (-1) is a wildcard for receiving; a destination is one rank of ` +
        `${place.name}, ${ranksOf(place)}`,
    );
  }
  return wrongRank(call, 'destination', dest, place);
}

/** @returns `source`, which may be ANY_SOURCE or PROC_NULL */
export function checkSource(call: string, source: unknown, place: Place): number {
  if (isSource(source, place.size) || source === PROC_NULL) return source;
  return wrongRank(call, 'source', source, place);
}

function wrongRank(call: string, role: string, value: unknown, place: Place): never {
  throw new MpiError(
    'ERR_RANK',
    `${call}: ${role} ${show(value)} is not a rank of ${place.name}, which has ${ranksOf(place)}. ` +
      `Use one of its ranks${role === 'source' ? ', ANY_SOURCE for any' : ''} or PROC_NULL for nobody`,
    typeof value === 'number' ? { peer: value } : {},
  );
}

function ranksOf({ size }: Place): string {
  return size === 1 ? 'rank 0 only' : `ranks 0 to ${size - 1}`;
}

export function checkTag(call: string, tag: unknown): number {
  if (isTag(tag)) return tag;
  const hint = tag === ANY_TAG ? ' (ANY_TAG is a wildcard for receiving)' : '';
  throw new MpiError(
    'ERR_TAG',
    `${call}: tag ${show(tag)} cannot be sent${hint}; a tag is a whole number from 0 to ${TAG_UB}`,
  );
}

/** @returns `tag`, which may be ANY_TAG */
export function checkTagOrAny(call: string, tag: unknown): number {
  if (isTagOrAny(tag)) return tag;
  throw new MpiError(
    'ERR_TAG',
    `${call}: no message can have tag ${show(tag)}; a tag is a whole number from 0 to ${TAG_UB}, ` +
      'or ANY_TAG for any',
  );
}

/** A plain object that is not a buffer description; it comes last, wherever optional arguments before it end. */
export function isOptions(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !('data' in value)
  );
}

/** @returns the time limit in milliseconds, undefined if there is none */
export function checkBlockingOptions(call: string, options: unknown): number | undefined {
  if (options === undefined) return undefined;
  if (!isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the last argument must be an object of options such as { timeout: 100 }, ` +
        `not ${show(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (name === 'timeout' || value === undefined) continue;
    throw new MpiError(
      'ERR_ARG',
      name === 'signal'
        ? `${call}: a call that blocks takes no signal, since nothing can fire it while the thread ` +
            'is blocked. Use { timeout }, or the form that returns a request (isend, irecv), ' +
            'which can be awaited and cancelled'
        : `${call}: there is no option ${name}; the only one is timeout (milliseconds)`,
    );
  }
  return checkTimeout(call, (options as { timeout?: unknown }).timeout);
}

/** For calls that take none. `instead` is a sentence. */
export function refuseOptions(call: string, options: unknown, instead: string): void {
  if (options === undefined) return;
  throw new MpiError('ERR_ARG', `${call}: takes no options. ${instead}`);
}

export function checkTimeout(call: string, timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY) return undefined;
  if (typeof timeout === 'number' && timeout >= 0) return timeout;
  throw new MpiError(
    'ERR_ARG',
    `${call}: a timeout is a number of milliseconds, 0 or more, not ${show(timeout)}`,
  );
}

export function wrongDatatype(call: string, value: unknown): never {
  throw new MpiError(
    'ERR_TYPE',
    `${call}: ${show(value)} is not an element type. Use a typed-array class such as Float64Array, ` +
      "a datatype such as DOUBLE, or its name, 'DOUBLE'",
  );
}

/** A value as it would be written, for messages. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return value.name ? `the function ${value.name}` : 'a function';
    case 'object':
      return value === null ? 'null' : `an object of class ${className(value)}`;
    default:
      return String(value);
  }
}

function className(value: object): string {
  const maker: unknown = value.constructor;
  return typeof maker === 'function' && maker.name ? maker.name : 'Object';
}
