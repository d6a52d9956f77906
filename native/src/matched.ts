/** Messages that were matched by a probe, and the probes that wait for them. */
import type {
  Arrival,
  BufferLike,
  EndListener,
  MatchedMessage,
  MessageBuffer,
  PendingOperation,
  PendingProbe,
} from '@onecopy/engine';

import { Report } from './binding.ts';
import { elementTypeCode, UNKNOWN_TYPE } from './element-type.ts';
import { failure } from './failure.ts';
import { knownToNode, lasting } from './lasting.ts';
import { itemsIn } from './layouts.ts';
import type { Members } from './members.ts';
import { NativeOperation, type Nature, RECEIVE, Received, type Started } from './operation.ts';

export class NativeMessage implements MatchedMessage {
  readonly source: number;
  readonly tag: number;
  readonly bytes: number;
  readonly type: number;
  readonly #started: Started;
  readonly #handle: number;
  readonly #members: Members | undefined;
  #received: boolean;

  constructor(started: Started, handle: number, arrival: Arrival, members: Members | undefined) {
    this.source = arrival.source;
    this.tag = arrival.tag;
    this.bytes = arrival.bytes;
    this.type = arrival.type;
    this.#started = started;
    this.#handle = handle;
    this.#members = members;
    this.#received = false;
  }

  get received(): boolean {
    return this.#received;
  }

  receive(buffer: MessageBuffer, mode = 0): void {
    const { binding, layouts } = this.#started;
    const items = itemsIn(buffer);
    let result: number;
    if (items === undefined) {
      binding.report[Report.message] = this.#handle;
      result = binding.mrecv(this.#handle, knownToNode(buffer as BufferLike), mode);
    } else {
      const { data, layout, count, type } = items;
      layouts.checkDisjoint('recv', items);
      const compiled = layouts.handleOf(layout);
      binding.report[Report.message] = this.#handle;
      result = binding.mrecvItems(this.#handle, knownToNode(data), compiled, count, mode, type);
    }
    this.#note();
    if (result !== 0) throw this.#failure('mrecv', result);
  }

  start(buffer: MessageBuffer, mode = 0): PendingOperation {
    const { binding, layouts } = this.#started;
    const { report } = binding;
    const items = itemsIn(buffer);
    const type = elementTypeCode(buffer);
    const view = lasting(items?.data ?? (buffer as BufferLike), 'irecv');
    let refused: number;
    if (items === undefined) {
      report[Report.message] = this.#handle;
      refused = binding.imrecv(this.#handle, view, mode);
    } else {
      layouts.checkDisjoint('irecv', items);
      const compiled = layouts.handleOf(items.layout);
      report[Report.message] = this.#handle;
      refused = binding.imrecvItems(this.#handle, view, compiled, items.count, mode, items.type);
    }
    this.#note();
    const result = refused < 0 ? refused : (report[Report.result] as number);
    if (result < 0) throw this.#failure('imrecv', -result);
    if (result === 0) return new Received(report, 0);
    return NativeOperation.ofMessage(
      this.#started,
      RECEIVE,
      result,
      (report[Report.slot] as number) | 0,
      view,
      type !== UNKNOWN_TYPE,
      this.source,
      this.tag,
      this.#members,
    );
  }

  receiveParts(): readonly ArrayBuffer[] {
    const { binding } = this.#started;
    binding.report[Report.message] = this.#handle;
    const parts = binding.mrecvParts(this.#handle);
    this.#note();
    const result = binding.report[Report.result] as number;
    if (result !== 0) throw this.#failure('recvObject', result);
    return parts;
  }

  #note(): void {
    this.#received = this.#started.binding.report[Report.message] !== this.#handle;
  }

  #failure(operation: string, result: number): Error {
    return failure(this.#started.binding, result, {
      operation,
      peer: this.source,
      tag: this.tag,
      members: this.#members,
    });
  }
}

export function startProbe(
  started: Started,
  source: number,
  tag: number,
  context: number,
  members: Members | undefined,
): PendingProbe {
  const { binding } = started;
  const handle = binding.startProbe(source, tag, context);
  if (handle < 0)
    throw failure(binding, -handle, { operation: 'mprobe', peer: source, tag, members });
  const probe = new NativeProbe(started, handle, source, tag, members);
  if (binding.report[Report.result] === 1) probe.note();
  return probe;
}

class NativeProbe implements PendingProbe {
  readonly #operation: NativeOperation;
  #message: MatchedMessage | undefined;

  constructor(
    started: Started,
    handle: number,
    source: number,
    tag: number,
    members: Members | undefined,
  ) {
    const nature: Nature = {
      operation: 'mprobe',
      receives: true,
      matched: (arrival) => {
        const matched = started.binding.report[Report.message] as number;
        this.#message = new NativeMessage(started, matched, arrival, members);
      },
    };
    this.#operation = NativeOperation.ofProbe(started, nature, handle, source, tag, members);
  }

  get message(): MatchedMessage | undefined {
    return this.#message;
  }

  get arrival(): Arrival | undefined {
    return this.#operation.arrival;
  }

  get done(): boolean {
    return this.#operation.done;
  }

  /** It is known to be complete; a failure is for whoever asks next. */
  note(): void {
    try {
      this.test();
    } catch {
      // Kept by the operation, which throws it again.
    }
  }

  test(): boolean {
    return this.#operation.test();
  }

  wait(timeout?: number): void {
    this.#operation.wait(timeout);
  }

  notify(listener: EndListener): void {
    this.#operation.notify(listener);
  }

  onFailure(failed: (error: unknown) => void): void {
    this.#operation.onFailure(failed);
  }

  cancel(): boolean {
    return this.#operation.cancel();
  }
}
