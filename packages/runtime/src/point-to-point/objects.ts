import { ANY_SOURCE, ANY_TAG, type Arrival, MpiError, PROC_NULL } from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
  checkDest,
  checkSource,
  checkTag,
  checkTagOrAny,
  isOptions,
  show,
} from '../arguments.ts';
import { Completion } from '../completion.ts';
import { neverForget } from '../forgotten.ts';
import { type AwaitableOptions, checkAwaitableOptions } from '../limits.ts';
import { decodeParts, encodeParts, type ObjectCodec } from '../objects/codec.ts';
import { Request } from '../request.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { completeWithin } from './completing.ts';
import { nothing, refused, startedRequest } from './making.ts';
import { ProbedMessages } from './probing.ts';

/** What `recvObject` gives. */
export interface ReceivedObject<T> {
  readonly value: T;
  /** `bytes` is the length of the encoded value. */
  readonly status: Status;
}

/** How an object is sent. */
export interface ObjectOptions {
  /** Default: `msgpack`. The receiver learns it from the message. */
  readonly codec?: ObjectCodec | undefined;
}

/** Options of `sendObject`. */
export interface ObjectSendOptions extends BlockingOptions, ObjectOptions {}

/** Options of `isendObject`. */
export interface ObjectStartOptions extends AwaitableOptions, ObjectOptions {}

/** What to send where, checked and encoded. */
interface Outgoing {
  readonly pieces: readonly Uint8Array[];
  readonly dest: number;
  readonly tag: number;
}

/**
 * Values instead of buffers. They meet only receives of objects: object against buffer is `ERR_TYPE`, and the message is
 * consumed. Objects and buffers of the same ranks and tag arrive in the order in which they were sent.
 *
 * A value arrives as `structuredClone` would copy it, but for the differences that docs/objects.md lists; with
 * `{ codec: 'v8' }` there are none. Typed arrays and other memory from 8 KiB on are not encoded but copied once, straight
 * from the sender's memory to the receiver's. With `msgpack`, of an ArrayBuffer that is only referred to by views the
 * part goes that they cover; with `v8` all of it does, as `structuredClone` has it.
 */
export abstract class ObjectMessages extends ProbedMessages {
  /**
   * Sends a value and blocks until it may be changed again (as MPI_Send, MPI-4.1 section 3.2.1).
   *
   * @param dest rank of the receiver; `PROC_NULL`: nothing is sent
   * @param options `codec`, and `timeout` in milliseconds
   * @throws MpiError `ERR_ARG` with a DataCloneError as its cause if the value cannot be encoded; nothing was sent
   */
  sendObject(value: unknown, dest: number, tag?: number, options?: ObjectSendOptions): void;
  sendObject(value: unknown, dest: number, options: ObjectSendOptions): void;
  sendObject(
    value: unknown,
    dest: number,
    tag: number | ObjectSendOptions = 0,
    options?: ObjectSendOptions,
  ): void {
    const call = 'sendObject';
    const isShort = isOptions(tag) && options === undefined;
    const { codec, ...rest } = splitOptions(call, isShort ? tag : options);
    const timeout = checkBlockingOptions(call, rest);
    const message = this.#outgoing(call, value, dest, isShort ? 0 : tag, codec);
    if (message.dest === PROC_NULL) return;
    const peer = this.joined().toWorld(message.dest);
    if (timeout === undefined) {
      this.started().sendParts(message.pieces, peer, message.tag, this.context);
      return;
    }
    const operation = this.started().isendParts(message.pieces, peer, message.tag, this.context);
    completeWithin(operation, timeout, `${call} to rank ${message.dest}, tag ${message.tag}`);
  }

  /**
   * Starts to send a value (as MPI_Isend, MPI-4.1 section 3.7.2). It is encoded by this call; what has typed arrays of
   * 8 KiB or more must not change those before the request has completed.
   *
   * @param dest rank of the receiver; `PROC_NULL`: the request is complete at once
   * @param options `codec`, and `timeout` in milliseconds and `signal`, see `AwaitableOptions`
   * @throws MpiError `ERR_ARG` with a DataCloneError as its cause if the value cannot be encoded; nothing was sent
   */
  isendObject(
    value: unknown,
    dest: number,
    tag?: number,
    options?: ObjectStartOptions,
  ): Request<void>;
  isendObject(value: unknown, dest: number, options: ObjectStartOptions): Request<void>;
  isendObject(
    value: unknown,
    dest: number,
    tag: number | ObjectStartOptions = 0,
    options?: ObjectStartOptions,
  ): Request<void> {
    const call = 'isendObject';
    const isShort = isOptions(tag) && options === undefined;
    const { codec, ...rest } = splitOptions(call, isShort ? tag : options);
    const limits = checkAwaitableOptions(call, rest);
    const message = this.#outgoing(call, value, dest, isShort ? 0 : tag, codec);
    const { pieces, dest: to, tag: label } = message;
    if (limits?.signal?.aborted) return refused(limits.signal, call, to, label);
    if (to === PROC_NULL) return new Request<void>(undefined);
    const peer = this.joined().toWorld(to);
    const operation = this.started().isendParts(pieces, peer, label, this.context);
    return startedRequest(operation, nothing, call, to, label, limits);
  }

  /**
   * Receives a value and blocks until it is there (as MPI_Recv, MPI-4.1 section 3.2.4).
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: the value is undefined
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds
   * @returns the value, and who sent it
   * @throws MpiError `ERR_TYPE` if the message is no object, `ERR_PROTOCOL` if it cannot be decoded, `ERR_NO_MEM` if
   *   there is no memory for it; it is consumed
   */
  recvObject<T = unknown>(
    source?: number,
    tag?: number,
    options?: BlockingOptions,
  ): ReceivedObject<T>;
  recvObject<T = unknown>(source: number, options: BlockingOptions): ReceivedObject<T>;
  recvObject<T = unknown>(options: BlockingOptions): ReceivedObject<T>;
  recvObject<T = unknown>(
    source: number | BlockingOptions = ANY_SOURCE,
    tag: number | BlockingOptions = ANY_TAG,
    options?: BlockingOptions,
  ): ReceivedObject<T> {
    if (isOptions(source) && tag === ANY_TAG && options === undefined) {
      return this.#recvObject(ANY_SOURCE, ANY_TAG, source);
    }
    if (isOptions(tag) && options === undefined) return this.#recvObject(source, ANY_TAG, tag);
    return this.#recvObject(source, tag, options);
  }

  #recvObject<T>(source: unknown, tag: unknown, options: unknown): ReceivedObject<T> {
    const call = 'recvObject';
    const from = checkSource(call, source, this.place());
    const label = checkTagOrAny(call, tag);
    const timeout = checkBlockingOptions(call, options);
    if (from === PROC_NULL) return ofNobody<T>();
    const peer = this.joined().sourceToWorld(from);
    if (timeout === undefined) {
      const { arrival, parts } = this.started().recvParts(peer, label, this.context);
      return this.#received(call, arrival, parts);
    }
    const pending = this.started().irecvParts(peer, label, this.context);
    const who = from === ANY_SOURCE ? 'any rank' : `rank ${from}`;
    completeWithin(pending.operation, timeout, `${call} from ${who}`);
    return this.#received(call, pending.operation.arrival as Arrival, pending.take());
  }

  /**
   * Starts to receive a value (as MPI_Irecv, MPI-4.1 section 3.7.2); the result of the request is the value, and who
   * sent it.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: the request is complete at once
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds and `signal`, see `AwaitableOptions`
   */
  irecvObject<T = unknown>(
    source?: number,
    tag?: number,
    options?: AwaitableOptions,
  ): Request<ReceivedObject<T>>;
  irecvObject<T = unknown>(source: number, options: AwaitableOptions): Request<ReceivedObject<T>>;
  irecvObject<T = unknown>(options: AwaitableOptions): Request<ReceivedObject<T>>;
  irecvObject<T = unknown>(
    source: number | AwaitableOptions = ANY_SOURCE,
    tag: number | AwaitableOptions = ANY_TAG,
    options?: AwaitableOptions,
  ): Request<ReceivedObject<T>> {
    if (isOptions(source) && tag === ANY_TAG && options === undefined) {
      return this.#irecvObject(ANY_SOURCE, ANY_TAG, source);
    }
    if (isOptions(tag) && options === undefined) return this.#irecvObject(source, ANY_TAG, tag);
    return this.#irecvObject(source, tag, options);
  }

  #irecvObject<T>(source: unknown, tag: unknown, options: unknown): Request<ReceivedObject<T>> {
    const call = 'irecvObject';
    const from = checkSource(call, source, this.place());
    const label = checkTagOrAny(call, tag);
    const limits = checkAwaitableOptions(call, options);
    if (limits?.signal?.aborted) return refused(limits.signal, call, from, label);
    if (from === PROC_NULL) return new Request(undefined, ofNobody<T>());
    const peer = this.joined().sourceToWorld(from);
    const { operation, take } = this.started().irecvParts(peer, label, this.context);
    const result = (): ReceivedObject<T> =>
      this.#received<T>(call, operation.arrival as Arrival, take());
    // Not as for buffers: what has come already may be undecodable, and that is a failure of the request.
    const completion = new Completion(operation, result, call, from, label);
    if (limits !== undefined) completion.limit(limits);
    const request = new Request(completion);
    neverForget(request);
    return request;
  }

  #outgoing(call: string, value: unknown, dest: unknown, tag: unknown, codec: unknown): Outgoing {
    const to = checkDest(call, dest, this.place());
    const label = checkTag(call, tag);
    const pieces = encodeParts(call, value, checkCodec(call, codec));
    return { pieces, dest: to, tag: label };
  }

  #received<T>(call: string, arrival: Arrival, parts: readonly ArrayBuffer[]): ReceivedObject<T> {
    const status = this.statusOf(arrival);
    return { value: decodeParts(call, parts, status.source) as T, status };
  }
}

function ofNobody<T>(): ReceivedObject<T> {
  return { value: undefined as T, status: statusOfNobody() };
}

function splitOptions(call: string, options: unknown): { codec?: unknown } {
  if (options === undefined || isOptions(options)) return { ...options };
  throw new MpiError(
    'ERR_ARG',
    `${call}: the last argument must be an object of options, not ${show(options)}`,
  );
}

function checkCodec(call: string, codec: unknown): ObjectCodec {
  if (codec === undefined) return 'msgpack';
  if (codec === 'msgpack' || codec === 'v8') return codec;
  throw new MpiError('ERR_ARG', `${call}: there is no codec ${show(codec)}. Use 'msgpack' or 'v8'`);
}
