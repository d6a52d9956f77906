import type { EngineCommunicator } from './collectives.ts';
import type { Items, MessageBuffer } from './layout.ts';

/** Wildcard for the source of a receive or probe (MPI-4.1 section 3.2.4). */
export const ANY_SOURCE = -1;
/** Wildcard for the tag of a receive or probe (MPI-4.1 section 3.2.4). */
export const ANY_TAG = -1;
/** A rank that does not exist: talking to it does nothing (MPI-4.1 section 3.11). */
export const PROC_NULL = -2;
/** No number at all: the color of a rank that is to be in no group, the rank of a process that is no member. */
export const UNDEFINED = -3;
/** The highest tag, MPI_TAG_UB. */
export const TAG_UB = 0x7fffffff;

/** How a message goes, and what it is: bits, of which any may be set. */
export const MODE = {
  /** A send is complete only once a receive has matched it (MPI-4.1 section 3.4). */
  synchronous: 1,
  /** The message is an encoded value; it meets only receives of this mode, others fail with `ERR_TYPE`. */
  object: 2,
} as const;

/** What a message is matched by, as its receiver sees it. */
export interface Arrival {
  /** Rank of the sender. */
  readonly source: number;
  readonly tag: number;
  /** Length of the message in bytes. */
  readonly bytes: number;
  /** Element type code, see `DATATYPES`. */
  readonly type: number;
}

/** Who is told of the end of an operation; an object, for there is one for each message. */
export interface EndListener {
  /** `error` is undefined if it has succeeded. */
  ended(error: unknown): void;
}

/** A started operation of an engine. Once `done` is true, `test` and `wait` repeat how it ended. */
export interface PendingOperation {
  /** Looks, after one round of progress, whether the operation is complete. Throws what the operation failed with. */
  test(): boolean;
  /**
   * Blocks until the operation is complete. Throws what it failed with, or `ERR_TIMEOUT` after `timeout` milliseconds;
   * the operation then goes on.
   */
  wait(timeout?: number): void;
  /** Tells it from the event loop once the operation is complete, and keeps the process alive until then. */
  notify(listener: EndListener): void;
  /** Calls back once, when the operation is found to have failed, whoever finds it. */
  onFailure?(failed: (error: unknown) => void): void;
  /** Takes the operation back if nobody has matched it yet; a cancelled one ends with `ERR_CANCELLED`. */
  cancel(): boolean;
  /** What it is made of, where that is several; the engine itself makes none such. */
  readonly parts?: readonly PendingOperation[];
  /** Of a completed receive; undefined for a send. */
  readonly arrival: Arrival | undefined;
  readonly done: boolean;
}

/** A send or receive that can be started again and again (MPI-4.1 section 3.9); one round at a time. */
export interface PreparedOperation {
  /** Forgets it, when the round that goes on has ended. It must not be started again. */
  free(): void;
}

/** Sends to a rank of the engine's world that are not complete. */
export interface Owed {
  readonly rank: number;
  readonly messages: number;
}

/** A message that was matched by a probe and can be received by nobody else (MPI-4.1 section 3.8.2). */
export interface MatchedMessage extends Arrival {
  /** It can be received once. A call that fails because of its buffer has not received it. */
  readonly received: boolean;
  /** @param mode see `MODE` */
  receive(buffer: MessageBuffer, mode?: number): void;
  /** The same without blocking. */
  start(buffer: MessageBuffer, mode?: number): PendingOperation;
  /** The same for a message in parts. */
  receiveParts(): readonly ArrayBuffer[];
}

/** A message in parts that has been received: each part in memory of its own. */
export interface ReceivedParts {
  readonly arrival: Arrival;
  readonly parts: readonly ArrayBuffer[];
}

/** A receive of a message in parts. */
export interface PendingParts {
  readonly operation: PendingOperation;
  /** The parts, once, after the operation has succeeded. */
  take(): readonly ArrayBuffer[];
}

/** A matched probe that does not wait. Posted among the receives, it takes its turn with them. */
export interface PendingProbe extends PendingOperation {
  /** Once it is complete, unless it failed or was cancelled. */
  readonly message: MatchedMessage | undefined;
}

/**
 * What every engine offers, in the words of MPI. Ranks are those of the engine's world; buffers are used in place.
 * `context` separates communicators. Where errors name a rank, in `peer` or in their message, it is the one that the
 * process has in the communicator of the context. `mode`, see `MODE`, is 0 where it is left out. Blocking calls throw `MpiError`.
 */
export interface Engine {
  readonly rank: number;
  readonly size: number;

  send(buffer: MessageBuffer, dest: number, tag: number, context: number, mode?: number): void;
  recv(buffer: MessageBuffer, source: number, tag: number, context: number, mode?: number): Arrival;
  /** These start; an operation that is done when it is returned has succeeded. */
  isend(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode?: number,
  ): PendingOperation;
  irecv(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode?: number,
  ): PendingOperation;

  /**
   * Messages in parts, as objects travel (`MODE.object`): one message, sent from several pieces, and received into memory
   * that is made once its length is known. The first part says how long each is, see native/addon/parts.h.
   */
  sendParts(pieces: readonly Uint8Array[], dest: number, tag: number, context: number): void;
  isendParts(
    pieces: readonly Uint8Array[],
    dest: number,
    tag: number,
    context: number,
  ): PendingOperation;
  recvParts(source: number, tag: number, context: number): ReceivedParts;
  irecvParts(source: number, tag: number, context: number): PendingParts;

  /**
   * Blocks until a message that matches is there; leaves it there. After `timeout` milliseconds, if given, throws
   * `ERR_TIMEOUT`.
   */
  probe(source: number, tag: number, context: number, timeout?: number): Arrival;
  /** After one round of progress: the message that a receive would get now, left where it is. */
  iprobe(source: number, tag: number, context: number): Arrival | undefined;
  /** Blocks like `probe`, and takes the message. */
  mprobe(source: number, tag: number, context: number, timeout?: number): MatchedMessage;
  /** Takes the message that `iprobe` would find. */
  improbe(source: number, tag: number, context: number): MatchedMessage | undefined;
  /** Starts to wait for a message that matches, which it takes. */
  startProbe(source: number, tag: number, context: number): PendingProbe;

  /**
   * Ids of contexts that no communicator of the job has had, so many in a row. Blocks for a moment, but for no other
   * rank.
   *
   * @returns the first
   */
  newContexts(count: number): number;
  /**
   * Says who talks in these contexts: a receive from any source waits for nobody else. Contexts that nothing was said
   * of belong to all ranks.
   *
   * @param members ranks of the engine's world, by rank in the communicator
   */
  nameMembers(first: number, count: number, members: Int32Array): void;
  /**
   * No operation is started in these contexts any more. Those that are pending are completed; then everything that
   * was kept for the contexts goes.
   */
  closeContexts(first: number, count: number): void;
  /**
   * Makes ready for collective operations.
   *
   * @param context separates them from all others
   * @param members ranks of the engine's world, by rank in the communicator
   */
  communicator(context: number, members: readonly number[]): EngineCommunicator;

  /** Buffer and address are checked and kept; nothing is sent. */
  prepareSend(
    buffer: MessageBuffer,
    dest: number,
    tag: number,
    context: number,
    mode?: number,
  ): PreparedOperation;
  prepareRecv(
    buffer: MessageBuffer,
    source: number,
    tag: number,
    context: number,
    mode?: number,
  ): PreparedOperation;
  /**
   * Starts a round of each; none of them goes on. Throws, with `index` in the list, before any is started if a buffer is
   * not there any more.
   */
  startAll(prepared: readonly PreparedOperation[]): PendingOperation[];

  /**
   * Blocks until all are complete; throws the first failure in the order given, after all have ended, or `ERR_TIMEOUT`
   * after `timeout` milliseconds.
   */
  waitAll(operations: readonly PendingOperation[], timeout?: number): void;
  /**
   * Blocks until at least one is complete, whether or not it has failed: each says so itself when it is asked. False when
   * none is after `timeout` milliseconds; 0 is one look. Throws `ERR_DEADLOCK` when none can be.
   */
  waitSome(operations: readonly PendingOperation[], timeout?: number): boolean;

  /** Zeroed memory of so many bytes that messages are copied from with the least effort. */
  alloc(bytes: number): ArrayBuffer;
  /**
   * Gives back what `alloc` made: detaches it, and uses its memory again once no operation works on it any more.
   * Using it afterwards is `ERR_FREED`. False if it was detached before, or stays as it is until it is collected.
   */
  free(buffer: ArrayBuffer): boolean;

  /** Copies the data of items into `packed` from byte `position` on; the caller knows that there is room. */
  pack(items: Items, packed: Uint8Array, position: number): void;
  /** The other way. */
  unpack(items: Items, packed: Uint8Array, position: number): void;

  /** Seconds since some moment in the past; the same clock for all ranks of the machine (MPI-4.1 section 9.6). */
  wtime(): number;
  /** Ends the whole job with this exit code; does not return. */
  abort(code: number, reason?: string): never;
  /**
   * Completes outstanding sends and leaves the job. With an exit code other than 0 the rank counts as failed, not as
   * left, once its process is gone. Idempotent.
   *
   * @param slow is told once what is still outstanding after `patience` milliseconds
   */
  leave(exitCode: number, patience?: number, slow?: (owed: readonly Owed[]) => void): void;
  /** Tells the launcher that this process is about to die of an error that nobody caught. Does not wait. */
  reportUncaught(reason: string): void;

  /** Counts of what was moved and how, of this rank, since it started. */
  counters(): Readonly<Record<string, number>>;
}
