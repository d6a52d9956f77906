/** Calls that name many operations at once. */
import { MpiError, type PendingOperation, type PreparedOperation } from '@onecopy/engine';

import { type Binding, GOES_ON, Outcome, Report } from './binding.ts';
import { failure } from './failure.ts';
import { NativeOperation } from './operation.ts';
import { NativePrepared } from './prepared.ts';

export class Many {
  readonly #binding: Binding;
  // Of one call, kept for the next; see `Binding.waitAll`.
  #handles: Float64Array = new Float64Array(0);
  #outcomes: Float64Array = new Float64Array(0);

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  waitAll(operations: readonly PendingOperation[], timeout = -1): void {
    const count = this.#name('waitAll', operations);
    const outcomes = this.#outcomes;
    const result = this.#binding.waitAll(this.#handles, outcomes, count, timeout);
    if (result !== 0) throw failure(this.#binding, result, { operation: 'waitAll' });
    const first = end(operations, outcomes);
    if (first !== undefined) throw first;
  }

  waitSome(operations: readonly PendingOperation[], timeout = -1): boolean {
    const count = this.#name('waitSome', operations);
    for (let i = 0; i < count; i++) if (operations[i]?.done) return true;
    const outcomes = this.#outcomes;
    const result = this.#binding.waitSome(this.#handles, outcomes, count, timeout);
    if (this.#binding.errorCodes[result] === 'ERR_TIMEOUT') return false;
    if (result !== 0) throw failure(this.#binding, result, { operation: 'the wait' });
    end(operations, outcomes);
    return true;
  }

  startAll(prepared: readonly PreparedOperation[]): PendingOperation[] {
    const count = prepared.length;
    this.#makeRoom(count);
    const handles = this.#handles;
    const outcomes = this.#outcomes;
    for (let i = 0; i < count; i++) {
      const one = prepared[i];
      if (one instanceof NativePrepared) handles[i] = one.handleToStart;
      else throw new MpiError('ERR_REQUEST', 'startAll: not prepared by this engine', { index: i });
    }
    const result = this.#binding.startAll(handles, outcomes, count);
    if (result !== 0) throw this.#notStarted(prepared, result);
    const rounds: PendingOperation[] = new Array(count);
    for (let i = 0; i < count; i++) {
      rounds[i] = (prepared[i] as NativePrepared).round(outcomes, i * Outcome.places);
    }
    return rounds;
  }

  #name(call: string, operations: readonly PendingOperation[]): number {
    const count = operations.length;
    this.#makeRoom(count);
    const handles = this.#handles;
    for (let i = 0; i < count; i++) {
      const operation = operations[i];
      if (operation instanceof NativeOperation) handles[i] = operation.handleForAll;
      else if (operation?.done) handles[i] = 0;
      else throw new MpiError('ERR_REQUEST', `${call}: not an operation of this engine`);
    }
    return count;
  }

  #makeRoom(count: number): void {
    if (this.#handles.length >= count) return;
    this.#handles = new Float64Array(2 * count);
    this.#outcomes = new Float64Array(2 * count * Outcome.places);
  }

  #notStarted(prepared: readonly PreparedOperation[], result: number): MpiError {
    const code = this.#binding.errorCodes[result];
    if (code === 'ERR_REENTRANT') return failure(this.#binding, result, { operation: 'start' });
    const index = this.#binding.report[Report.result] as number;
    const { nature, partner, tag, members } = prepared[index] as NativePrepared;
    const attempt = { operation: nature.operation, peer: partner, tag, members };
    const why = failure(this.#binding, result, attempt);
    return new MpiError(why.code, why.message, { peer: why.peer, index });
  }
}

/** Takes note of all that have ended. Result: what the first one has failed with. */
function end(operations: readonly PendingOperation[], outcomes: Float64Array): unknown {
  let first: unknown;
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i];
    if (!(operation instanceof NativeOperation)) continue;
    const at = i * Outcome.places;
    const type = outcomes[at + Outcome.type] as number;
    if (type === GOES_ON) continue;
    if (!operation.done && type >= 0) {
      operation.succeed(outcomes, at);
      continue;
    }
    try {
      operation.test();
    } catch (error) {
      first ??= error;
    }
  }
  return first;
}
