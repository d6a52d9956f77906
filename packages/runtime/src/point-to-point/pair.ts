import { type Arrival, type EndListener, MpiError, type PendingOperation } from '@onecopy/engine';

/** A receive and a send that are one operation: complete when both are. */
export class Pair implements PendingOperation {
  readonly parts: readonly [PendingOperation, PendingOperation];

  constructor(receiving: PendingOperation, sending: PendingOperation) {
    this.parts = [receiving, sending];
  }

  get done(): boolean {
    return this.parts.every(({ done }) => done);
  }

  get arrival(): Arrival | undefined {
    return this.parts[0].arrival;
  }

  test(): boolean {
    const failures: unknown[] = [];
    for (const part of this.parts) collect(failures, () => part.test());
    return this.#end(failures);
  }

  wait(timeout?: number): void {
    const end = timeout === undefined ? undefined : performance.now() + timeout;
    const failures: unknown[] = [];
    for (const part of this.parts) {
      collect(failures, () =>
        part.wait(end === undefined ? undefined : Math.max(0, end - performance.now())),
      );
    }
    // What is over by then has failed, but the whole goes on.
    const [timedOut] = failures.filter((error) => isCode(error, 'ERR_TIMEOUT', 'ERR_DEADLOCK'));
    if (!this.done && timedOut !== undefined) throw timedOut;
    this.#end(failures);
  }

  notify(listener: EndListener): void {
    let open = this.parts.length;
    const failures: unknown[] = [];
    const ended = (error: unknown): void => {
      if (error !== undefined) failures.push(error);
      if (--open === 0) listener.ended(worst(failures));
    };
    for (const part of this.parts) part.notify({ ended });
  }

  /** Takes back what can be; true if anything was. The rest ends by itself. */
  cancel(): boolean {
    return this.parts.filter((part) => !part.done && part.cancel()).length > 0;
  }

  /** Whether it is complete; a failure is thrown only then. */
  #end(failures: readonly unknown[]): boolean {
    if (!this.done) {
      const [refused] = failures.filter((error) => isCode(error, 'ERR_REENTRANT'));
      if (refused !== undefined) throw refused;
      return false;
    }
    const failure = worst(failures);
    if (failure !== undefined) throw failure;
    return true;
  }
}

/** Of several failures the one that says most: that something was taken back follows from another one. */
function worst(failures: readonly unknown[]): unknown {
  return failures.find((error) => !isCode(error, 'ERR_CANCELLED')) ?? failures[0];
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof MpiError && codes.includes(error.code);
}

function collect(failures: unknown[], attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    failures.push(error);
  }
}
