import {
  type Arrival,
  type BufferLike,
  type Engine,
  type EngineCommunicator,
  type Items,
  type MatchedMessage,
  type MessageBuffer,
  MODE as Mode,
  MpiError,
  type Owed,
  type PendingOperation,
  type PendingParts,
  type PendingProbe,
  type PreparedOperation,
  type ReceivedParts,
} from '@onecopy/engine';

import { type Binding, Call, type ControlSocket, Report, type StartInfo } from './binding.ts';
import { NativeCommunicator } from './collectives.ts';
import { elementTypeCode, UNKNOWN_TYPE } from './element-type.ts';
import { type Attempt, failure } from './failure.ts';
import { checkLasting, knownToNode, lasting } from './lasting.ts';
import { itemsIn, Layouts } from './layouts.ts';
import { loadBinding } from './load.ts';
import { Many } from './many.ts';
import { NativeMessage, startProbe } from './matched.ts';
import { Members } from './members.ts';
import {
  NativeOperation,
  type Nature,
  RECEIVE,
  RECEIVE_OBJECT,
  Received,
  SEND,
  SEND_OBJECT,
  SENT,
  type Started,
} from './operation.ts';
import { NativePrepared } from './prepared.ts';

const CONTROL_VARIABLE = 'ONECOPY_CONTROL';
const JOB_VARIABLE = 'ONECOPY_JOB';

/**
 * Starts the engine of this process: joins the job that the environment names, or makes a world of one. Synchronous.
 * The variable with the control socket is taken out of `process.env`, so that children of this process do not take
 * themselves for this rank; the job's id stays, by which leftovers can be found.
 */
export function startEngine(): Engine {
  const binding = loadBinding();
  if (binding.isa.error !== undefined) throw new MpiError('ERR_ARG', binding.isa.error);
  const control = takeControlSocket();
  let info: StartInfo;
  try {
    info = binding.start(control);
  } catch (cause) {
    throw startError(cause);
  }
  return new NativeEngine(binding, info);
}

function takeControlSocket(): ControlSocket | undefined {
  const value = process.env[CONTROL_VARIABLE];
  if (value === undefined) return undefined;
  delete process.env[CONTROL_VARIABLE];
  const match = /^(\d+):(\d+)$/.exec(value);
  const jobId = process.env[JOB_VARIABLE];
  if (match === null || jobId === undefined || !/^[0-9a-f]{1,16}$/.test(jobId)) {
    throw new MpiError(
      'ERR_BOOTSTRAP',
      `${CONTROL_VARIABLE}=${value} with ${JOB_VARIABLE}=${jobId ?? ''} is not what a launcher of this version sets`,
    );
  }
  return { fd: Number(match[1]), inode: match[2] as string, jobId };
}

function startError(cause: unknown): MpiError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  // What is wrong is in the environment, and named in the message.
  if (code === 'ERR_ARG') return new MpiError('ERR_ARG', message, { cause });
  return new MpiError(
    code === 'ERR_BOOTSTRAP' ? code : 'ERR_SYSTEM',
    `this process cannot join its job: ${message}`,
    { cause },
  );
}

/** The engine over the addon: names what the numbers mean, and turns error numbers into errors. */
class NativeEngine implements Engine {
  readonly rank: number;
  readonly size: number;
  readonly #binding: Binding;
  readonly #call: Int32Array;
  readonly #report: Float64Array;
  readonly #started: Started;
  readonly #many: Many;
  readonly #layouts: Layouts;
  /** Of the contexts whose members were named, for messages. */
  readonly #membersOf: Map<number, Members> = new Map();

  constructor(binding: Binding, info: StartInfo) {
    this.#binding = binding;
    this.#call = binding.call;
    this.#report = binding.report;
    this.#many = new Many(binding);
    this.rank = info.rank;
    this.size = info.size;
    const awaited = new Map<number, NativeOperation>();
    this.#layouts = new Layouts(binding);
    this.#started = { binding, awaited, layouts: this.#layouts };
    binding.onSettled((handles) => {
      for (const handle of handles) {
        const operation = awaited.get(handle);
        awaited.delete(handle);
        operation?.settle();
      }
    });
  }

  send(buffer: MessageBuffer, dest: number, tag: number, context: number, mode = 0): void {
    const type = elementTypeCode(buffer);
    if (type !== UNKNOWN_TYPE) {
      address(this.#call, dest, tag, context, type, mode);
      this.#binding.send(buffer as NodeJS.TypedArray);
    } else {
      this.#sendOther(buffer, dest, tag, context, mode);
    }
    const result = this.#report[RESULT] as number;
    if (result !== 0) this.#sendFailed(result, dest, tag, context);
  }

  recv(buffer: MessageBuffer, source: number, tag: number, context: number, mode = 0): Arrival {
    const type = elementTypeCode(buffer);
    if (type !== UNKNOWN_TYPE) {
      address(this.#call, source, tag, context, type, mode);
      this.#binding.recv(buffer as NodeJS.TypedArray);
    } else {
      this.#recvOther(buffer, source, tag, context, mode);
    }
    const result = this.#report[RESULT] as number;
    if (result !== 0) this.#recvFailed(result, source, tag, context);
    return new Received(this.#report, 0);
  }

  isend(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode = 0,
  ): PendingOperation {
    const type = elementTypeCode(buffer);
    if (type === UNKNOWN_TYPE) return this.#isendOther(buffer, dest, tag, context, mode);
    const array = buffer as NodeJS.TypedArray;
    checkLasting(array, 'isend');
    address(this.#call, dest, tag, context, type, mode);
    this.#binding.isend(array);
    return this.#report[RESULT] === 0 ? SENT : this.#pending(SEND, array, type, dest, tag, context);
  }

  irecv(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode = 0,
  ): PendingOperation {
    const type = elementTypeCode(buffer);
    if (type === UNKNOWN_TYPE) return this.#irecvOther(buffer, source, tag, context, mode);
    const array = buffer as NodeJS.TypedArray;
    checkLasting(array, 'irecv');
    address(this.#call, source, tag, context, type, mode);
    this.#binding.irecv(array);
    return this.#report[RESULT] === 0
      ? new Received(this.#report, 0)
      : this.#pending(RECEIVE, array, type, source, tag, context);
  }

  // What is no typed array: other buffers, of which Node-API 9 knows no SharedArrayBuffer but only views of one; and
  // items of a datatype.

  #sendOther(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode: number,
  ): void {
    const items = itemsIn(buffer);
    if (items === undefined) {
      address(this.#call, dest, tag, context, UNKNOWN_TYPE, mode);
      this.#binding.send(knownToNode(buffer as BufferLike));
      return;
    }
    const layout = this.#layouts.handleOf(items.layout);
    address(this.#call, dest, tag, context, items.type, mode);
    this.#binding.sendItems(knownToNode(items.data), layout, items.count);
  }

  #recvOther(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode: number,
  ): void {
    const items = itemsIn(buffer);
    if (items === undefined) {
      address(this.#call, source, tag, context, UNKNOWN_TYPE, mode);
      this.#binding.recv(knownToNode(buffer as BufferLike));
      return;
    }
    const layout = this.#layouts.handleOf(items.layout);
    this.#layouts.checkDisjoint('recv', items);
    address(this.#call, source, tag, context, items.type, mode);
    this.#binding.recvItems(knownToNode(items.data), layout, items.count);
  }

  #isendOther(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode: number,
  ): PendingOperation {
    const items = itemsIn(buffer);
    const view = lasting(items?.data ?? (buffer as BufferLike), 'isend');
    if (items === undefined) {
      address(this.#call, dest, tag, context, UNKNOWN_TYPE, mode);
      this.#binding.isend(view);
    } else {
      const layout = this.#layouts.handleOf(items.layout);
      address(this.#call, dest, tag, context, items.type, mode);
      this.#binding.isendItems(view, layout, items.count);
    }
    return this.#report[RESULT] === 0
      ? SENT
      : this.#pending(SEND, view, UNKNOWN_TYPE, dest, tag, context);
  }

  #irecvOther(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode: number,
  ): PendingOperation {
    const items = itemsIn(buffer);
    const view = lasting(items?.data ?? (buffer as BufferLike), 'irecv');
    if (items === undefined) {
      address(this.#call, source, tag, context, UNKNOWN_TYPE, mode);
      this.#binding.irecv(view);
    } else {
      const layout = this.#layouts.handleOf(items.layout);
      this.#layouts.checkDisjoint('irecv', items);
      address(this.#call, source, tag, context, items.type, mode);
      this.#binding.irecvItems(view, layout, items.count);
    }
    return this.#report[RESULT] === 0
      ? new Received(this.#report, 0)
      : this.#pending(RECEIVE, view, UNKNOWN_TYPE, source, tag, context);
  }

  sendParts(pieces: readonly Uint8Array[], dest: number, tag: number, context: number): void {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) {
      this.send(only, dest, tag, context, Mode.object);
      return;
    }
    address(this.#call, dest, tag, context, UNKNOWN_TYPE, Mode.object);
    this.#binding.sendParts(pieces);
    this.#checkParts('sendObject', dest, tag, context);
  }

  isendParts(
    pieces: readonly Uint8Array[],
    dest: number,
    tag: number,
    context: number,
  ): PendingOperation {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) {
      return this.isend(only, dest, tag, context, Mode.object);
    }
    address(this.#call, dest, tag, context, UNKNOWN_TYPE, Mode.object);
    this.#binding.isendParts(pieces);
    return this.#pending(SEND_OBJECT, undefined, UNKNOWN_TYPE, dest, tag, context);
  }

  recvParts(source: number, tag: number, context: number): ReceivedParts {
    address(this.#call, source, tag, context, UNKNOWN_TYPE, Mode.object);
    const parts = this.#binding.recvParts();
    this.#checkParts('recvObject', source, tag, context);
    return { arrival: this.#arrival(), parts };
  }

  irecvParts(source: number, tag: number, context: number): PendingParts {
    address(this.#call, source, tag, context, UNKNOWN_TYPE, Mode.object);
    const parts = this.#binding.irecvParts();
    const handle = this.#report[RESULT] as number;
    if (handle === 0) return { operation: new Received(this.#report, 0), take: () => parts };
    const operation = this.#pending(RECEIVE_OBJECT, undefined, UNKNOWN_TYPE, source, tag, context);
    return { operation, take: () => this.#takeParts(handle, source, tag, context) };
  }

  #takeParts(handle: number, source: number, tag: number, context: number): ArrayBuffer[] {
    const parts = this.#binding.takeParts(handle);
    this.#checkParts('irecvObject', source, tag, context);
    return parts;
  }

  #checkParts(operation: string, peer: number, tag: number, context: number): void {
    const result = this.#report[RESULT] as number;
    if (result !== 0) throw this.#failure(result, { operation, peer, tag }, context);
  }

  probe(source: number, tag: number, context: number, timeout = -1): Arrival {
    const result = this.#binding.probe(source, tag, context, timeout);
    if (result !== 0)
      throw this.#failure(result, { operation: 'probe', peer: source, tag }, context);
    return this.#arrival();
  }

  iprobe(source: number, tag: number, context: number): Arrival | undefined {
    const result = this.#binding.iprobe(source, tag, context);
    if (result === -1) return undefined;
    if (result !== 0)
      throw this.#failure(result, { operation: 'iprobe', peer: source, tag }, context);
    return this.#arrival();
  }

  mprobe(source: number, tag: number, context: number, timeout = -1): MatchedMessage {
    const handle = this.#binding.mprobe(source, tag, context, timeout);
    if (handle < 0)
      throw this.#failure(-handle, { operation: 'mprobe', peer: source, tag }, context);
    return this.#message(handle, context);
  }

  improbe(source: number, tag: number, context: number): MatchedMessage | undefined {
    const handle = this.#binding.improbe(source, tag, context);
    if (handle < 0)
      throw this.#failure(-handle, { operation: 'improbe', peer: source, tag }, context);
    return handle === 0 ? undefined : this.#message(handle, context);
  }

  startProbe(source: number, tag: number, context: number): PendingProbe {
    return startProbe(this.#started, source, tag, context, this.#membersOf.get(context));
  }

  #message(handle: number, context: number): MatchedMessage {
    const members = this.#membersOf.get(context);
    return new NativeMessage(this.#started, handle, this.#arrival(), members);
  }

  newContexts(count: number): number {
    const first = this.#binding.newContexts(count);
    if (first > 0) return first;
    if (this.#binding.errorCodes[-first] === 'ERR_NO_MEM') {
      throw new MpiError(
        'ERR_NO_MEM',
        'the job has used up all ids of communicators, some 10^9: make fewer, and use them longer',
      );
    }
    throw failure(this.#binding, -first, { operation: 'making a communicator' });
  }

  nameMembers(first: number, count: number, members: Int32Array): void {
    const result = this.#binding.nameMembers(first, count, members);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'making a communicator' });
    const named = new Members(members);
    for (let i = 0; i < count; i += 1) this.#membersOf.set(first + i, named);
  }

  closeContexts(first: number, count: number): void {
    const result = this.#binding.closeContexts(first, count);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'free' });
    for (let i = 0; i < count; i += 1) this.#membersOf.delete(first + i);
  }

  communicator(context: number, members: readonly number[]): EngineCommunicator {
    const rank = members.indexOf(this.rank);
    return new NativeCommunicator(
      this.#binding,
      context,
      members,
      rank,
      (handle, { operation }, translate) => {
        const nature: Nature = { operation: `i${operation}`, receives: false, translate };
        return NativeOperation.ofCollective(this.#started, nature, handle);
      },
    );
  }

  prepareSend(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode = 0,
  ): PreparedOperation {
    const items = itemsIn(buffer);
    const type = elementTypeCode(buffer);
    const view = lasting(items?.data ?? (buffer as BufferLike), 'sendInit');
    if (items === undefined) {
      address(this.#call, dest, tag, context, type, mode);
      this.#binding.prepareSend(view);
    } else {
      const layout = this.#layouts.handleOf(items.layout);
      address(this.#call, dest, tag, context, items.type, mode);
      this.#binding.prepareSendItems(view, layout, items.count);
    }
    return this.#prepared(SEND, view, type, dest, tag, context, 'sendInit');
  }

  prepareRecv(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode = 0,
  ): PreparedOperation {
    const items = itemsIn(buffer);
    const type = elementTypeCode(buffer);
    const view = lasting(items?.data ?? (buffer as BufferLike), 'recvInit');
    if (items === undefined) {
      address(this.#call, source, tag, context, type, mode);
      this.#binding.prepareRecv(view);
    } else {
      const layout = this.#layouts.handleOf(items.layout);
      this.#layouts.checkDisjoint('recvInit', items);
      address(this.#call, source, tag, context, items.type, mode);
      this.#binding.prepareRecvItems(view, layout, items.count);
    }
    return this.#prepared(RECEIVE, view, type, source, tag, context, 'recvInit');
  }

  startAll(prepared: readonly PreparedOperation[]): PendingOperation[] {
    return this.#many.startAll(prepared);
  }

  waitAll(operations: readonly PendingOperation[], timeout?: number): void {
    this.#many.waitAll(operations, timeout);
  }

  waitSome(operations: readonly PendingOperation[], timeout?: number): boolean {
    return this.#many.waitSome(operations, timeout);
  }

  alloc(bytes: number): ArrayBuffer {
    const result = this.#binding.alloc(bytes);
    if (typeof result !== 'number') return result;
    if (this.#binding.errorCodes[result] === 'ERR_NO_MEM') {
      throw new MpiError(
        'ERR_NO_MEM',
        `alloc: there is no memory for ${bytes} bytes more. Dispose of arrays that have had their last use, by ` +
          'their [Symbol.dispose](), or allocate less',
      );
    }
    throw failure(this.#binding, result, { operation: 'alloc' });
  }

  free(buffer: ArrayBuffer): boolean {
    return this.#binding.free(buffer) === 1;
  }

  wtime(): number {
    return this.#binding.wtime();
  }

  abort(code: number, reason = ''): never {
    this.#binding.abort(code, false, reason);
    process.exit(code);
  }

  leave(exitCode: number, patience = -1, slow?: (owed: readonly Owed[]) => void): void {
    let result = this.#binding.leave(exitCode, slow === undefined ? -1 : patience);
    if (result === -1) {
      slow?.(this.#binding.owed());
      result = this.#binding.leave(exitCode, -1);
    }
    if (result !== 0) throw failure(this.#binding, result, { operation: 'exit' });
  }

  reportUncaught(reason: string): void {
    this.#binding.abort(1, true, reason);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#binding.counters();
  }

  pack({ data, layout, count }: Items, packed: Uint8Array, position: number): void {
    const handle = this.#layouts.handleOf(layout);
    const result = this.#binding.pack(knownToNode(data), handle, count, packed, position);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'pack' });
  }

  unpack(items: Items, packed: Uint8Array, position: number): void {
    const { data, layout, count } = items;
    this.#layouts.checkDisjoint('unpack', items);
    const handle = this.#layouts.handleOf(layout);
    const result = this.#binding.unpack(knownToNode(data), handle, count, packed, position);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'unpack' });
  }

  #sendFailed(result: number, dest: number, tag: number, context: number): never {
    throw this.#failure(result, { operation: 'send', peer: dest, tag }, context);
  }

  #recvFailed(result: number, source: number, tag: number, context: number): never {
    throw this.#failure(result, { operation: 'recv', peer: source, tag }, context);
  }

  #failure(result: number, attempt: Attempt, context: number): MpiError {
    return failure(this.#binding, result, { ...attempt, members: this.#membersOf.get(context) });
  }

  #arrival(): Arrival {
    return new Received(this.#report, 0);
  }

  /** What the call that was just made has prepared. */
  #prepared(
    nature: Nature,
    view: BufferLike,
    type: number,
    peer: number,
    tag: number,
    context: number,
    operation: string,
  ): NativePrepared {
    const handle = this.#report[RESULT] as number;
    if (handle < 0) throw this.#failure(-handle, { operation, peer, tag }, context);
    const members = this.#membersOf.get(context);
    const slot = (this.#report[Report.slot] as number) | 0;
    this.#binding.views[slot] = view;
    const array = type === UNKNOWN_TYPE ? undefined : (view as NodeJS.TypedArray);
    return new NativePrepared(this.#started, nature, handle, slot, array, peer, tag, members);
  }

  /** What the call that was just made has started. */
  #pending(
    nature: Nature,
    view: BufferLike | undefined,
    type: number,
    peer: number,
    tag: number,
    context: number,
  ): NativeOperation {
    const handle = this.#report[RESULT] as number;
    if (handle < 0) {
      throw this.#failure(-handle, { operation: nature.operation, peer, tag }, context);
    }
    const members = this.#membersOf.size === 0 ? undefined : this.#membersOf.get(context);
    const slot = (this.#report[Report.slot] as number) | 0;
    const isTyped = type !== UNKNOWN_TYPE;
    return NativeOperation.ofMessage(
      this.#started,
      nature,
      handle,
      slot,
      view,
      isTyped,
      peer,
      tag,
      members,
    );
  }
}

const { partner: PARTNER, tag: TAG, context: CONTEXT, type: TYPE, mode: MODE } = Call;
const { result: RESULT } = Report;

/** What the next call that names a message takes beside its buffer. */
function address(
  call: Int32Array,
  partner: number,
  tag: number,
  context: number,
  type: number,
  mode: number,
): void {
  call[PARTNER] = partner;
  call[TAG] = tag;
  call[CONTEXT] = context;
  call[TYPE] = type;
  call[MODE] = mode;
}
