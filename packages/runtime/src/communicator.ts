import {
  ANY_SOURCE,
  ANY_TAG,
  type Arrival,
  type Engine,
  type MatchedMessage,
  MpiError,
  type PendingOperation,
  PROC_NULL,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
  checkDest,
  checkSource,
  checkTag,
  checkTagOrAny,
  isOptions,
  isRank,
  isSource,
  isTag,
  isTagOrAny,
  type Place,
  show,
  wrongDatatype,
} from './arguments.ts';
import { completeWithin, exchange, exchangeWithin } from './blocking.ts';
import { type BufferArgument, resolveBuffer } from './buffers.ts';
import { Collectives } from './collectives/operations.ts';
import type { Site } from './collectives/site.ts';
import { Completion, type Result } from './completion.ts';
import { datatypeOf, type Fresh } from './datatypes.ts';
import { neverForget } from './forgotten.ts';
import type { Group } from './group.ts';
import { Request } from './request.ts';
import { Status, statusOfNobody } from './status.ts';

/** What a communicator needs to begin; asked for on its first use. */
export interface Membership {
  readonly engine: Engine;
  readonly group: Group;
}

/** What `recvNew` gives. */
export interface Received<T extends TypedArray> {
  readonly data: Fresh<T>;
  readonly status: Status;
}

const nothing: Result<void> = () => undefined;

/** Where there is no memory for a message that is ours already, its sender must not wait for ever. */
function arrayFor<T extends TypedArray>(
  message: MatchedMessage,
  arrayClass: new (length: number) => T,
  size: number,
): T {
  try {
    return new arrayClass(Math.ceil(message.bytes / size));
  } catch (cause) {
    try {
      message.receive(new Uint8Array(0));
    } catch {
      // ERR_TRUNCATE: the message is consumed, and its sender goes on.
    }
    throw new MpiError(
      'ERR_NO_MEM',
      `recvNew: there is no memory for the ${message.bytes} bytes from rank ${message.source}; the message is lost`,
      { peer: message.source, cause },
    );
  }
}

/**
 * Ranks that can talk to each other, apart from all other communicators (MPI-4.1 chapter 7). Every process of a job has
 * `world`, with all ranks, and `self`, with itself.
 *
 * A call that throws `MpiError` because of its arguments has done nothing, and the communicator stays usable.
 *
 * Common to all calls: a *buffer* is a typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer, or
 * `{ data, count, datatype }` around one. Ranks and tags are whole numbers. Options come last, and optional arguments
 * before them may be left out: `recv(buffer, { timeout: 100 })`.
 *
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_BUFFER` `ERR_COUNT` `ERR_TYPE` `ERR_RANK` `ERR_TAG` `ERR_ARG` | an argument is not what it should be |
 * | `ERR_DETACHED` | the buffer was transferred away |
 * | `ERR_FREED` | the buffer came from `alloc` and was disposed of |
 * | `ERR_RESIZABLE` | a call that does not block, or has a timeout, was given a resizable buffer |
 * | `ERR_TRUNCATE` | the message is longer than the receive buffer; it is consumed |
 * | `ERR_TYPE` | the element types of both sides differ and neither is bytes; the message is consumed |
 * | `ERR_DEADLOCK` | the call could never return |
 * | `ERR_PROC_FAILED` `ERR_PROC_LEFT` | the peer died, or left the job |
 * | `ERR_ABORTED` | the job is ending because of another rank |
 * | `ERR_THREAD` `ERR_BOOTSTRAP` `ERR_NATIVE` `ERR_FINALIZED` | onecopy cannot be used here, or not any more |
 */
export class Communicator extends Collectives {
  readonly #name: string;
  /** Messages of the user. */
  readonly #context: number;
  readonly #join: () => Membership;
  // These are set by the first use.
  #group: Group | undefined;
  #engine: Engine | undefined;
  #described: Place | undefined;
  #site: Site | undefined;
  readonly #toStatus: Result<Status> = (operation) =>
    statusOf(this.#group as Group, operation.arrival as Arrival);

  /**
   * @internal
   * @param context id of its point-to-point messages; the next one is for its collectives
   */
  constructor(name: string, context: number, join: () => Membership) {
    super();
    this.#name = name;
    this.#context = context;
    this.#join = join;
  }

  /** Number of this process in the communicator, from 0 (MPI_Comm_rank, MPI-4.1 section 7.4.1). */
  get rank(): number {
    return this.#members().rank;
  }

  /** Number of ranks (MPI_Comm_size, MPI-4.1 section 7.4.1). */
  get size(): number {
    return this.#members().size;
  }

  /**
   * Sends a message and blocks until the buffer can be used again (MPI_Send, MPI-4.1 section 3.2.1). Small messages do
   * not wait for the receiver, large ones do; correct programs do not rely on where the limit is.
   *
   * @param dest rank of the receiver; `PROC_NULL`: nothing is sent
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   */
  send(buffer: BufferArgument, dest: number, tag?: number, options?: BlockingOptions): void;
  send(buffer: BufferArgument, dest: number, options: BlockingOptions): void;
  send(
    buffer: BufferArgument,
    dest: number,
    tag: number | BlockingOptions = 0,
    options?: BlockingOptions,
  ): void {
    const group = this.#group;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isRank(dest, group.size) &&
      isTag(tag) &&
      options === undefined
    ) {
      (this.#engine as Engine).send(buffer, group.toWorld(dest), tag, this.#context);
    } else {
      this.#sendAny(buffer, dest, tag, options);
    }
  }

  // What is not the usual has functions of its own: V8 makes one piece of the usual while that is short.
  #sendAny(buffer: unknown, dest: unknown, tag: unknown, options: unknown): void {
    if (isOptions(tag) && options === undefined) this.#sendChecked(buffer, dest, 0, tag);
    else this.#sendChecked(buffer, dest, tag, options);
  }

  #sendChecked(buffer: unknown, dest: unknown, tag: unknown, options: unknown): void {
    const view = resolveBuffer('send', 'buffer', buffer);
    const place = this.#place();
    const to = checkDest('send', dest, place);
    const label = checkTag('send', tag);
    const timeout = checkBlockingOptions('send', options);
    if (to === PROC_NULL) return;
    const peer = this.#members().toWorld(to);
    if (timeout === undefined) {
      this.#started().send(view, peer, label, this.#context);
    } else {
      const operation = this.#started().isend(view, peer, label, this.#context);
      completeWithin(operation, timeout, `send to rank ${to}, tag ${label}`);
    }
  }

  /**
   * Receives a message into a buffer and blocks until it is there (MPI_Recv, MPI-4.1 section 3.2.4). The message may be
   * shorter than the buffer; the rest of the buffer is left as it was.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: nothing is received
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @returns who sent what
   */
  recv(buffer: BufferArgument, source?: number, tag?: number, options?: BlockingOptions): Status;
  recv(buffer: BufferArgument, source: number, options: BlockingOptions): Status;
  recv(buffer: BufferArgument, options: BlockingOptions): Status;
  recv(
    buffer: BufferArgument,
    source: number | BlockingOptions = ANY_SOURCE,
    tag: number | BlockingOptions = ANY_TAG,
    options?: BlockingOptions,
  ): Status {
    const group = this.#group;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isSource(source, group.size) &&
      isTagOrAny(tag) &&
      options === undefined
    ) {
      const from = group.sourceToWorld(source);
      return statusOf(group, (this.#engine as Engine).recv(buffer, from, tag, this.#context));
    }
    return this.#recvAny(buffer, source, tag, options);
  }

  #recvAny(buffer: unknown, source: unknown, tag: unknown, options: unknown): Status {
    if (isOptions(source) && tag === ANY_TAG && options === undefined) {
      return this.#recvChecked(buffer, ANY_SOURCE, ANY_TAG, source);
    }
    if (isOptions(tag) && options === undefined) {
      return this.#recvChecked(buffer, source, ANY_TAG, tag);
    }
    return this.#recvChecked(buffer, source, tag, options);
  }

  #recvChecked(buffer: unknown, source: unknown, tag: unknown, options: unknown): Status {
    const view = resolveBuffer('recv', 'buffer', buffer);
    const place = this.#place();
    const from = checkSource('recv', source, place);
    const label = checkTagOrAny('recv', tag);
    const timeout = checkBlockingOptions('recv', options);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.#members().sourceToWorld(from);
    if (timeout === undefined) {
      return this.#statusOf(this.#started().recv(view, peer, label, this.#context));
    }
    const operation = this.#started().irecv(view, peer, label, this.#context);
    const who = from === ANY_SOURCE ? 'any rank' : `rank ${from}`;
    const what = label === ANY_TAG ? 'any tag' : `tag ${label}`;
    completeWithin(operation, timeout, `recv from ${who}, ${what}`);
    return this.#toStatus(operation);
  }

  /**
   * Receives a message of unknown length into a new array that it fills (MPI_Mprobe and MPI_Mrecv, MPI-4.1 sections
   * 3.8.2 and 3.8.3). Blocks until the message is there.
   *
   * @param type class of the new array, such as `Float64Array`
   * @throws MpiError `ERR_COUNT` if the message is not a whole number of such elements; it is consumed
   */
  recvNew<T extends TypedArray>(
    type: TypedArrayClass<T>,
    source: number = ANY_SOURCE,
    tag: number = ANY_TAG,
  ): Received<T> {
    const place = this.#place();
    const { arrayClass, name, bytes: size } = datatypeOf(type) ?? wrongDatatype('recvNew', type);
    const from = checkSource('recvNew', source, place);
    const label = checkTagOrAny('recvNew', tag);
    if (from === PROC_NULL) {
      return { data: new arrayClass(0) as Fresh<T>, status: statusOfNobody() };
    }
    const peer = this.#members().sourceToWorld(from);
    const message = this.#started().mprobe(peer, label, this.#context);
    const data = arrayFor(message, arrayClass, size);
    // Into too long an array it still completes for the sender, and a wrong type is the engine's to find.
    message.receive(data);
    const status = this.#statusOf(message);
    if (status.bytes % size !== 0) {
      throw new MpiError(
        'ERR_COUNT',
        `recvNew: the message from rank ${status.source} with tag ${status.tag} has ` +
          `${status.bytes} bytes, not a whole number of ${name} elements (${size} bytes each)`,
        { peer: status.source },
      );
    }
    return { data: data as Fresh<T>, status };
  }

  /**
   * Sends one message and receives another at the same time (MPI_Sendrecv, MPI-4.1 section 3.10): shifts along a ring
   * need no order. The two buffers must not overlap. Blocks until both are done.
   *
   * @param options `timeout` in milliseconds; what has not completed by then is taken back
   * @returns who sent what was received
   */
  sendrecv(
    sendbuf: BufferArgument,
    dest: number,
    sendtag: number,
    recvbuf: BufferArgument,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
    options?: BlockingOptions,
  ): Status {
    const outgoing = resolveBuffer('sendrecv', 'send buffer', sendbuf);
    const incoming = resolveBuffer('sendrecv', 'receive buffer', recvbuf);
    const place = this.#place();
    const to = checkDest('sendrecv', dest, place);
    const from = checkSource('sendrecv', source, place);
    checkTag('sendrecv', sendtag);
    checkTagOrAny('sendrecv', recvtag);
    const timeout = checkBlockingOptions('sendrecv', options);
    if (from === PROC_NULL) {
      this.#sendChecked(outgoing, to, sendtag, options);
      return statusOfNobody();
    }
    if (to === PROC_NULL) return this.#recvChecked(incoming, from, recvtag, options);
    const send = { buffer: outgoing, peer: this.#members().toWorld(to), tag: sendtag };
    const recv = { buffer: incoming, peer: this.#members().sourceToWorld(from), tag: recvtag };
    const engine = this.#started();
    return this.#toStatus(
      timeout === undefined
        ? exchange(engine, this.#context, send, recv)
        : exchangeWithin(engine, this.#context, send, recv, timeout, `sendrecv with rank ${to}`),
    );
  }

  /**
   * Blocks until a message that matches is there, and says what it is (MPI_Probe, MPI-4.1 section 3.8.1). The message
   * stays; the next receive that matches gets it.
   */
  probe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status {
    const from = checkSource('probe', source, this.#place());
    const label = checkTagOrAny('probe', tag);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.#members().sourceToWorld(from);
    return this.#statusOf(this.#started().probe(peer, label, this.#context));
  }

  /**
   * What `probe` would find now, without waiting (MPI_Iprobe, MPI-4.1 section 3.8.1).
   *
   * @returns undefined if there is no such message yet
   */
  iprobe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status | undefined {
    const from = checkSource('iprobe', source, this.#place());
    const label = checkTagOrAny('iprobe', tag);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.#members().sourceToWorld(from);
    const arrival = this.#started().iprobe(peer, label, this.#context);
    return arrival && this.#statusOf(arrival);
  }

  /**
   * Starts to send (MPI_Isend, MPI-4.1 section 3.7.2). The buffer must not be changed before the request has completed.
   *
   * @param dest rank of the receiver; `PROC_NULL`: the request is complete at once
   */
  isend(buffer: BufferArgument, dest: number, tag?: number): Request<void>;
  isend(buffer: BufferArgument, dest: number, tag = 0, options?: unknown): Request<void> {
    const group = this.#group;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isRank(dest, group.size) &&
      isTag(tag) &&
      options === undefined
    ) {
      const peer = group.toWorld(dest);
      const operation = (this.#engine as Engine).isend(buffer, peer, tag, this.#context);
      return operation.done ? new Request<void>(undefined) : sending(operation, dest, tag);
    }
    return this.#isendChecked(buffer, dest, tag, options);
  }

  #isendChecked(buffer: unknown, dest: unknown, tag: unknown, options: unknown): Request<void> {
    const view = resolveBuffer('isend', 'buffer', buffer);
    const to = checkDest('isend', dest, this.#place());
    const label = checkTag('isend', tag);
    refuseOptions('isend', options);
    if (to === PROC_NULL) return new Request<void>(undefined);
    const peer = this.#members().toWorld(to);
    const operation = this.#started().isend(view, peer, label, this.#context);
    return operation.done ? new Request<void>(undefined) : sending(operation, to, label);
  }

  /**
   * Starts to receive (MPI_Irecv, MPI-4.1 section 3.7.2). The buffer must not be touched before the request has
   * completed; its result is who sent what.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: the request is complete at once
   * @param tag of the message, or `ANY_TAG`
   */
  irecv(buffer: BufferArgument, source?: number, tag?: number): Request<Status>;
  irecv(
    buffer: BufferArgument,
    source = ANY_SOURCE,
    tag = ANY_TAG,
    options?: unknown,
  ): Request<Status> {
    const group = this.#group;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isSource(source, group.size) &&
      isTagOrAny(tag) &&
      options === undefined
    ) {
      const peer = group.sourceToWorld(source);
      const operation = (this.#engine as Engine).irecv(buffer, peer, tag, this.#context);
      return operation.done
        ? new Request(undefined, statusOf(group, operation.arrival as Arrival))
        : receiving(operation, this.#toStatus, source, tag);
    }
    return this.#irecvChecked(buffer, source, tag, options);
  }

  #irecvChecked(buffer: unknown, source: unknown, tag: unknown, options: unknown): Request<Status> {
    const view = resolveBuffer('irecv', 'buffer', buffer);
    const from = checkSource('irecv', source, this.#place());
    const label = checkTagOrAny('irecv', tag);
    refuseOptions('irecv', options);
    if (from === PROC_NULL) return new Request(undefined, statusOfNobody());
    const peer = this.#members().sourceToWorld(from);
    const operation = this.#started().irecv(view, peer, label, this.#context);
    return operation.done
      ? new Request(undefined, this.#toStatus(operation))
      : receiving(operation, this.#toStatus, from, label);
  }

  /**
   * Ends the whole job now (MPI_Abort, MPI-4.1 section 11.4.2). Nothing that is outstanding is completed, and the
   * launcher exits with this code. Does not return.
   *
   * @param code 0 to 255
   * @param reason printed by the launcher
   */
  abort(code = 1, reason?: string): never {
    if (!Number.isInteger(code) || code < 0 || code > 255) {
      throw new MpiError(
        'ERR_ARG',
        `abort: an exit code is a whole number from 0 to 255, not ${show(code)}`,
      );
    }
    return this.#started().abort(code, reason);
  }

  #started(): Engine {
    this.#members();
    return this.#engine as Engine;
  }

  #members(): Group {
    if (this.#group === undefined) {
      const { engine, group } = this.#join();
      this.#engine = engine;
      this.#group = group;
      this.#described = { name: this.#name, size: group.size };
    }
    return this.#group;
  }

  #place(): Place {
    this.#members();
    return this.#described as Place;
  }

  /** @internal */
  protected override site(): Site {
    this.#site ??= this.#openSite();
    return this.#site;
  }

  #openSite(): Site {
    const { rank, size } = this.#members();
    const group = this.#members();
    const members = Array.from({ length: size }, (_, each) => group.toWorld(each));
    const engine = this.#started().communicator(this.#context + 1, members);
    return { name: this.#name, rank, size, engine };
  }

  #statusOf(arrival: Arrival): Status {
    return statusOf(this.#members(), arrival);
  }
}

function statusOf(group: Group, arrival: Arrival): Status {
  return new Status(group.fromWorld(arrival.source), arrival.tag, arrival.bytes, arrival.type);
}

function sending(operation: PendingOperation, dest: number, tag: number): Request<void> {
  const request = new Request(new Completion(operation, nothing, 'isend', dest, tag));
  neverForget(request);
  return request;
}

function receiving(
  operation: PendingOperation,
  result: Result<Status>,
  source: number,
  tag: number,
): Request<Status> {
  const request = new Request(new Completion(operation, result, 'irecv', source, tag));
  neverForget(request);
  return request;
}

function refuseOptions(call: string, options: unknown): void {
  if (options === undefined) return;
  throw new MpiError(
    'ERR_ARG',
    `${call}: takes no options. Use the methods of the request: wait({ timeout }), cancel()`,
  );
}
