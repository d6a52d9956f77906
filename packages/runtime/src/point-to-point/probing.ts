import {
  ANY_SOURCE,
  ANY_TAG,
  type MatchedMessage,
  MpiError,
  PROC_NULL,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
  checkSource,
  checkTagOrAny,
  isOptions,
  refuseOptions,
  wrongDatatype,
} from '../arguments.ts';
import { basicDatatypeOf } from '../datatypes.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { Message, messageOfNobody, type Received } from './message.ts';
import { MessageStream, type MessagesOptions } from './message-stream.ts';
import { checkMessagesOptions } from './messages-options.ts';
import { PersistentMessages } from './persistent.ts';

/** What a probe asks for, checked. */
interface Sought {
  /** In the communicator; may be ANY_SOURCE or PROC_NULL. */
  readonly source: number;
  readonly tag: number;
  readonly timeout: number | undefined;
}

/** Messages that are looked at before they are received (MPI-4.1 section 3.8). */
export abstract class ProbedMessages extends PersistentMessages {
  /**
   * Blocks until a message that matches is there, and says what it is (MPI_Probe, MPI-4.1 section 3.8.1). The message
   * stays; the next receive that matches gets it.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: there is a message from nobody at once
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @throws MpiError `ERR_TIMEOUT` if none has come within the time
   */
  probe(source?: number, tag?: number, options?: BlockingOptions): Status;
  probe(source: number, options: BlockingOptions): Status;
  probe(options: BlockingOptions): Status;
  probe(source?: unknown, tag?: unknown, options?: unknown): Status {
    const sought = this.#sought('probe', source, tag, options);
    if (sought.source === PROC_NULL) return statusOfNobody();
    const peer = this.joined().sourceToWorld(sought.source);
    const engine = this.started();
    return this.statusOf(
      within('probe', sought, () => engine.probe(peer, sought.tag, this.context, sought.timeout)),
    );
  }

  /**
   * What `probe` would find now, without waiting (MPI_Iprobe, MPI-4.1 section 3.8.1).
   *
   * @returns undefined if there is no such message yet
   */
  iprobe(source?: number, tag?: number): Status | undefined;
  iprobe(source?: unknown, tag?: unknown, options?: unknown): Status | undefined {
    const sought = this.#soughtNow('iprobe', source, tag, options);
    if (sought.source === PROC_NULL) return statusOfNobody();
    const peer = this.joined().sourceToWorld(sought.source);
    const arrival = this.started().iprobe(peer, sought.tag, this.context);
    return arrival && this.statusOf(arrival);
  }

  /**
   * Blocks until a message that matches is there, and takes it: nobody else can receive it then (MPI_Mprobe, MPI-4.1
   * section 3.8.2). Where several parts of a program share a communicator, nothing can come between the look and the receive.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: a message from nobody, which receives nothing
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @returns the message, to be received by its own methods
   * @throws MpiError `ERR_TIMEOUT` if none has come within the time
   */
  mprobe(source?: number, tag?: number, options?: BlockingOptions): Message;
  mprobe(source: number, options: BlockingOptions): Message;
  mprobe(options: BlockingOptions): Message;
  mprobe(source?: unknown, tag?: unknown, options?: unknown): Message {
    return this.#mprobe('mprobe', this.#sought('mprobe', source, tag, options));
  }

  /**
   * Takes the message that `iprobe` would find, without waiting (MPI_Improbe, MPI-4.1 section 3.8.2).
   *
   * @returns undefined if there is no such message yet
   */
  improbe(source?: number, tag?: number): Message | undefined;
  improbe(source?: unknown, tag?: unknown, options?: unknown): Message | undefined {
    const sought = this.#soughtNow('improbe', source, tag, options);
    if (sought.source === PROC_NULL) return messageOfNobody();
    const peer = this.joined().sourceToWorld(sought.source);
    const matched = this.started().improbe(peer, sought.tag, this.context);
    return matched && this.#message(matched);
  }

  /**
   * Receives a message of unknown length into a new array that it fills (MPI_Mprobe and MPI_Mrecv, MPI-4.1 sections
   * 3.8.2 and 3.8.3). Blocks until the message is there.
   *
   * @param type class of the new array, such as `Float64Array`
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @throws MpiError `ERR_COUNT` if the message is not a whole number of such elements; it is consumed
   */
  recvNew<T extends TypedArray>(
    type: TypedArrayClass<T>,
    source?: number,
    tag?: number,
    options?: BlockingOptions,
  ): Received<T>;
  recvNew<T extends TypedArray>(
    type: TypedArrayClass<T>,
    source: number,
    options: BlockingOptions,
  ): Received<T>;
  recvNew<T extends TypedArray>(type: TypedArrayClass<T>, options: BlockingOptions): Received<T>;
  recvNew<T extends TypedArray>(
    type: TypedArrayClass<T>,
    source?: unknown,
    tag?: unknown,
    options?: unknown,
  ): Received<T> {
    const sought = this.#sought('recvNew', source, tag, options);
    // Before a message is taken that could not be given back.
    if (!basicDatatypeOf(type)?.isPlain) wrongDatatype('recvNew', type);
    return this.#mprobe('recvNew', sought).recvNew(type);
  }

  /**
   * Messages as they come, for `for await`: each step waits in the event loop for the next message that matches and takes
   * it, as `mprobe` does (MPI_Mprobe, MPI-4.1 section 3.8.2). Waiting costs no processor time, and keeps the process alive.
   *
   * Each waiting step takes its turn among the receives that are posted: what was posted first is served first, so several
   * iterations share the messages. Between two steps nothing is posted, and messages stay for whoever asks for them.
   *
   * The iteration ends when the loop is left, or when all who could send have left the job well; it throws the reason of
   * the signal, or an `MpiError` where a sender died (`ERR_PROC_FAILED`) or the job ends. No message is lost by that: one
   * that was matched before the end is given to the step that waited for it.
   *
   * @param options which messages, `source` and `tag`; `signal` to end it
   */
  messages(options?: MessagesOptions): AsyncIterableIterator<Message, undefined> {
    const { source, tag, signal } = checkMessagesOptions(options);
    const from = checkSource('messages', source, this.place());
    const label = checkTagOrAny('messages', tag);
    return new MessageStream(
      {
        probe: () =>
          from === PROC_NULL
            ? undefined
            : this.started().startProbe(this.joined().sourceToWorld(from), label, this.context),
        message: (matched) => this.#message(matched),
      },
      signal,
    );
  }

  #mprobe(call: string, sought: Sought): Message {
    if (sought.source === PROC_NULL) return messageOfNobody();
    const peer = this.joined().sourceToWorld(sought.source);
    const engine = this.started();
    return this.#message(
      within(call, sought, () => engine.mprobe(peer, sought.tag, this.context, sought.timeout)),
    );
  }

  #message(matched: MatchedMessage): Message {
    return new Message(matched, this.joined().fromWorld(matched.source));
  }

  /** What a call that blocks asks for; its options come last, and the rest may be left out. */
  #sought(call: string, source: unknown, tag: unknown, options: unknown): Sought {
    if (isOptions(source) && tag === undefined && options === undefined) {
      return this.#sought(call, undefined, undefined, source);
    }
    if (isOptions(tag) && options === undefined) return this.#sought(call, source, undefined, tag);
    return {
      source: checkSource(call, source === undefined ? ANY_SOURCE : source, this.place()),
      tag: checkTagOrAny(call, tag === undefined ? ANY_TAG : tag),
      timeout: checkBlockingOptions(call, options),
    };
  }

  #soughtNow(call: string, source: unknown, tag: unknown, options: unknown): Sought {
    refuseOptions(call, options, 'It does not wait');
    return this.#sought(call, source, tag, undefined);
  }
}

/** Says what has not come, where a time limit is over. */
function within<T>(call: string, sought: Sought, look: () => T): T {
  try {
    return look();
  } catch (cause) {
    if (!(cause instanceof MpiError && cause.code === 'ERR_TIMEOUT')) throw cause;
    const who = sought.source === ANY_SOURCE ? 'any rank' : `rank ${sought.source}`;
    const what = sought.tag === ANY_TAG ? 'any tag' : `tag ${sought.tag}`;
    throw new MpiError(
      'ERR_TIMEOUT',
      `${call} from ${who}, ${what}: no such message came within ${sought.timeout} ms`,
      { cause },
    );
  }
}
