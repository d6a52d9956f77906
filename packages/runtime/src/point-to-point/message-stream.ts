import { type MatchedMessage, MpiError, type PendingProbe } from '@onecopy/engine';
import type { Message } from './message.ts';

/** What `Communicator.messages` takes. */
export interface MessagesOptions {
  /** Rank of the sender; default: `ANY_SOURCE`. */
  readonly source?: number | undefined;
  /** Default: `ANY_TAG`. */
  readonly tag?: number | undefined;
  /** Ends the iteration by throwing its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What stands behind a stream. */
export interface StreamSource {
  /** Undefined where nobody can send anything. */
  probe(): PendingProbe | undefined;
  message(matched: MatchedMessage): Message;
}

type Step = IteratorResult<Message, undefined>;
const END: Step = { done: true, value: undefined };

/**
 * So many messages that were there already are given one after the other; then the event loop has a turn. Promises that
 * are settled would keep it from timers and sockets for as long as messages come.
 */
const MOST_AT_ONCE = 128;

/**
 * Messages as they come. A probe is posted for each call of next(), and only then: a message that was matched belongs to
 * a caller who waits for it, so none is lost when the iteration ends.
 *
 * Not an async generator, which would hold the call of return() back until the next message comes.
 */
export class MessageStream implements AsyncIterableIterator<Message, undefined> {
  readonly #from: StreamSource;
  readonly #signal: AbortSignal | undefined;
  readonly #probes: Set<PendingProbe>;
  readonly #onAbort: () => void;
  #listens: boolean;
  #ended: boolean;
  /** What the next call is to throw, once. */
  #failure: { readonly reason: unknown } | undefined;
  #atOnce: number;

  constructor(from: StreamSource, signal: AbortSignal | undefined) {
    this.#from = from;
    this.#signal = signal;
    this.#probes = new Set();
    this.#onAbort = () => this.#fail(signal?.reason);
    this.#listens = false;
    this.#ended = false;
    this.#failure = undefined;
    this.#atOnce = 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Step> {
    if (!this.#ended && this.#signal?.aborted) this.#fail(this.#signal.reason);
    if (!this.#ended && ++this.#atOnce > MOST_AT_ONCE) {
      this.#atOnce = 0;
      await new Promise((turned) => setImmediate(turned));
    }
    if (this.#ended) return this.#afterEnd();
    if (this.#signal !== undefined && !this.#listens) {
      this.#listens = true;
      this.#signal.addEventListener('abort', this.#onAbort);
    }
    let probe: PendingProbe | undefined;
    try {
      probe = this.#from.probe();
    } catch (error) {
      return this.#lost(error);
    }
    if (probe === undefined) return this.return();
    if (probe.message !== undefined) return this.#give(probe.message);
    this.#atOnce = 0;
    return this.#await(probe);
  }

  /** Ends the iteration. A next() that waits gets the message if one was matched meanwhile, or the end. */
  async return(): Promise<Step> {
    this.#end();
    return END;
  }

  async #await(probe: PendingProbe): Promise<Step> {
    this.#probes.add(probe);
    const error = await new Promise((ended) => probe.notify({ ended }));
    this.#probes.delete(probe);
    if (probe.message !== undefined) return this.#give(probe.message);
    if (this.#ended && isError(error, 'ERR_CANCELLED')) return this.#afterEnd();
    return this.#lost(error);
  }

  #give(matched: MatchedMessage): Step {
    return { done: false, value: this.#from.message(matched) };
  }

  /** Who has left the job will send nothing more: that is the end. Anything else is a failure. */
  #lost(error: unknown): Step {
    this.#end();
    if (isError(error, 'ERR_PROC_LEFT')) return END;
    throw error;
  }

  #afterEnd(): Step {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.reason;
    return END;
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const probe of this.#probes) probe.cancel();
  }
}

function isError(error: unknown, code: string): boolean {
  return error instanceof MpiError && error.code === code;
}
