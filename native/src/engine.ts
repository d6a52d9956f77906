import {
  type Arrival,
  type BufferLike,
  type CollectiveCall,
  type Engine,
  type EngineCommunicator,
  type MatchedMessage,
  MpiError,
  type PendingOperation,
} from '@onecopy/engine';

import { type Binding, type ControlSocket, Report, type StartInfo } from './binding.ts';
import { NativeCommunicator } from './collectives.ts';
import { elementTypeCode, UNKNOWN_TYPE } from './element-type.ts';
import { type Attempt, failure } from './failure.ts';
import { lasting } from './lasting.ts';
import { loadBinding } from './load.ts';

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
  readonly #awaited: Map<number, NativeOperation> = new Map();

  constructor(binding: Binding, info: StartInfo) {
    this.#binding = binding;
    this.rank = info.rank;
    this.size = info.size;
    binding.onSettled((handles) => {
      for (const handle of handles) {
        const operation = this.#awaited.get(handle);
        this.#awaited.delete(handle);
        operation?.settle();
      }
    });
  }

  send(buffer: BufferLike, dest: number, tag: number, context: number): void {
    let result = this.#binding.send(buffer, dest, tag, context, elementTypeCode(buffer));
    if (result === 0) return;
    if (this.#isUnknown(result) && buffer instanceof SharedArrayBuffer) {
      result = this.#binding.send(new Uint8Array(buffer), dest, tag, context, UNKNOWN_TYPE);
      if (result === 0) return;
    }
    throw failure(this.#binding, result, { operation: 'send', peer: dest, tag });
  }

  recv(buffer: BufferLike, source: number, tag: number, context: number): Arrival {
    let result = this.#binding.recv(buffer, source, tag, context, elementTypeCode(buffer));
    if (this.#isUnknown(result) && buffer instanceof SharedArrayBuffer) {
      result = this.#binding.recv(new Uint8Array(buffer), source, tag, context, UNKNOWN_TYPE);
    }
    if (result !== 0)
      throw failure(this.#binding, result, { operation: 'recv', peer: source, tag });
    return this.#arrival();
  }

  isend(buffer: BufferLike, dest: number, tag: number, context: number): PendingOperation {
    const attempt = { operation: 'isend', peer: dest, tag };
    const view = lasting(buffer, attempt);
    return this.#pending(this.#binding.isend(view, dest, tag, context), view, attempt, false);
  }

  irecv(buffer: BufferLike, source: number, tag: number, context: number): PendingOperation {
    const attempt = { operation: 'irecv', peer: source, tag };
    const view = lasting(buffer, attempt);
    return this.#pending(this.#binding.irecv(view, source, tag, context), view, attempt, true);
  }

  probe(source: number, tag: number, context: number): Arrival {
    const result = this.#binding.probe(source, tag, context);
    if (result !== 0)
      throw failure(this.#binding, result, { operation: 'probe', peer: source, tag });
    return this.#arrival();
  }

  iprobe(source: number, tag: number, context: number): Arrival | undefined {
    const result = this.#binding.iprobe(source, tag, context);
    if (result === -1) return undefined;
    if (result !== 0)
      throw failure(this.#binding, result, { operation: 'iprobe', peer: source, tag });
    return this.#arrival();
  }

  mprobe(source: number, tag: number, context: number): MatchedMessage {
    const handle = this.#binding.mprobe(source, tag, context);
    if (handle < 0)
      throw failure(this.#binding, -handle, { operation: 'mprobe', peer: source, tag });
    const binding = this.#binding;
    const arrival = this.#arrival();
    return {
      ...arrival,
      receive(buffer: BufferLike): void {
        const view = buffer instanceof SharedArrayBuffer ? new Uint8Array(buffer) : buffer;
        const result = binding.mrecv(handle, view);
        if (result !== 0) {
          throw failure(binding, result, {
            operation: 'mrecv',
            peer: arrival.source,
            tag: arrival.tag,
          });
        }
      },
    };
  }

  communicator(context: number, members: readonly number[]): EngineCommunicator {
    const rank = members.indexOf(this.rank);
    return new NativeCommunicator(
      this.#binding,
      context,
      members,
      rank,
      (handle, call, translate) => this.#begun(handle, call, translate),
    );
  }

  waitAll(operations: readonly PendingOperation[]): void {
    const active: NativeOperation[] = [];
    for (const operation of operations) {
      if (!(operation instanceof NativeOperation)) {
        throw new MpiError('ERR_REQUEST', 'waitAll: not an operation of this engine');
      }
      if (!operation.done) active.push(operation);
    }
    const handles = Float64Array.from(active, (operation) => operation.handle);
    const result = this.#binding.waitAll(handles);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'waitAll' });
    let first: unknown;
    for (const operation of operations) {
      try {
        operation.test();
      } catch (error) {
        first ??= error;
      }
    }
    if (first !== undefined) throw first;
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

  leave(exitCode: number): void {
    const result = this.#binding.leave(exitCode);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'exit' });
  }

  reportUncaught(reason: string): void {
    this.#binding.abort(1, true, reason);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#binding.counters();
  }

  /** Node-API 9 knows no SharedArrayBuffer, only views of one; such a call has done nothing yet. */
  #isUnknown(result: number): boolean {
    return result !== 0 && this.#binding.errorCodes[result] === 'ERR_BUFFER';
  }

  #arrival(): Arrival {
    const report = this.#binding.report;
    return {
      source: report[Report.source] as number,
      tag: report[Report.tag] as number,
      bytes: report[Report.bytes] as number,
      type: report[Report.type] as number,
    };
  }

  #pending(
    handle: number,
    view: NodeJS.ArrayBufferView | ArrayBuffer,
    attempt: Attempt,
    receives: boolean,
  ): NativeOperation {
    if (handle < 0) throw failure(this.#binding, -handle, attempt);
    return new NativeOperation(this.#binding, this.#awaited, handle, view, attempt, receives);
  }

  #begun(
    handle: number,
    call: CollectiveCall,
    translate: (result: number) => Error,
  ): NativeOperation {
    const attempt = { operation: `i${call.operation}` };
    const views = [call.input?.view, call.output?.view];
    return new NativeOperation(
      this.#binding,
      this.#awaited,
      handle,
      views,
      attempt,
      false,
      translate,
    );
  }
}

class NativeOperation implements PendingOperation {
  readonly handle: number;
  readonly #binding: Binding;
  readonly #awaited: Map<number, NativeOperation>;
  readonly #attempt: Attempt;
  readonly #receives: boolean;
  // The object that the bytes lie in lives as long as somebody can ask about the operation.
  readonly #view: unknown;
  readonly #translate: (result: number) => Error;
  #done = false;
  #error: Error | undefined;
  #arrival: Arrival | undefined;
  #listener: ((error: unknown) => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;

  constructor(
    binding: Binding,
    awaited: Map<number, NativeOperation>,
    handle: number,
    view: unknown,
    attempt: Attempt,
    receives: boolean,
    translate: (result: number) => Error = (result) => failure(binding, result, attempt),
  ) {
    this.#translate = translate;
    this.#binding = binding;
    this.#awaited = awaited;
    this.handle = handle;
    this.#view = view;
    this.#attempt = attempt;
    this.#receives = receives;
  }

  get done(): boolean {
    return this.#done;
  }

  get arrival(): Arrival | undefined {
    return this.#arrival;
  }

  get view(): unknown {
    return this.#view;
  }

  test(): boolean {
    if (!this.#done) {
      const result = this.#binding.test(this.handle);
      if (result === -1) return false;
      // Asked from inside an operator, it goes on.
      if (this.#binding.errorCodes[result] === 'ERR_REENTRANT') throw this.#translate(result);
      this.#finish(result);
    }
    if (this.#error !== undefined) throw this.#error;
    return true;
  }

  wait(timeout?: number): void {
    if (!this.#done) {
      const result = this.#binding.wait(this.handle, timeout ?? -1);
      const code = this.#binding.errorCodes[result];
      if (code === 'ERR_TIMEOUT' || code === 'ERR_DEADLOCK' || code === 'ERR_REENTRANT') {
        throw failure(this.#binding, result, this.#attempt);
      }
      this.#finish(result);
    }
    if (this.#error !== undefined) throw this.#error;
  }

  notify(settled: (error: unknown) => void): void {
    this.#listener = settled;
    if (this.#done) {
      queueMicrotask(() => this.#tell());
      return;
    }
    this.#awaited.set(this.handle, this);
    this.#binding.watch(this.handle);
  }

  onFailure(failed: (error: unknown) => void): void {
    this.#onFailure = failed;
  }

  cancel(): boolean {
    return !this.#done && this.#binding.cancel(this.handle) === 1;
  }

  /** Called from the event loop, for a watched operation that is complete. */
  settle(): void {
    if (!this.#done) this.#finish(this.#binding.test(this.handle));
  }

  #finish(result: number): void {
    this.#done = true;
    if (result !== 0) {
      this.#error = this.#translate(result);
      this.#onFailure?.(this.#error);
    } else if (this.#receives) {
      const report = this.#binding.report;
      this.#arrival = {
        source: report[Report.source] as number,
        tag: report[Report.tag] as number,
        bytes: report[Report.bytes] as number,
        type: report[Report.type] as number,
      };
    }
    if (this.#awaited.delete(this.handle) || this.#listener !== undefined) {
      queueMicrotask(() => this.#tell());
    }
  }

  #tell(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.(this.#error);
  }
}
