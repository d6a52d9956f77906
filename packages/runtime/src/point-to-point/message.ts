import {
  ANY_TAG,
  type MatchedMessage,
  MpiError,
  type PendingOperation,
  PROC_NULL,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import { refuseOptions, wrongDatatype } from '../arguments.ts';
import { type BufferArgument, resolveBuffer } from '../buffers.ts';
import { BYTE, basicDatatypeOf, type Fresh } from '../datatypes.ts';
import { decodeParts } from '../objects/codec.ts';
import { Request } from '../request.ts';
import { Status } from '../status.ts';
import { neverForgetMessage } from './forgotten-messages.ts';
import { startedRequest } from './making.ts';
import type { ReceivedObject } from './objects.ts';

/** What `recvNew` gives. */
export interface Received<T extends TypedArray> {
  readonly data: Fresh<T>;
  readonly status: Status;
}

/**
 * A message that a matched probe took (MPI-4.1 section 3.8.2): it is described like a status, and nobody but its holder
 * can receive it. It must be received, once, by one of its methods: until then the sender of a large or synchronous
 * message waits, and its buffer stays in use. A message that is dropped instead is worth a warning
 * (`ONECOPY_FORGOTTEN_MESSAGE`).
 */
export class Message extends Status {
  /** Undefined for the message from nobody. */
  readonly #matched: MatchedMessage | undefined;
  readonly #typeCode: number;
  #fromNobodyReceived: boolean;

  /**
   * @internal
   * @param source in the communicator of the probe
   */
  constructor(matched: MatchedMessage | undefined, source: number) {
    super(source, matched?.tag ?? ANY_TAG, matched?.bytes ?? 0, matched?.type ?? BYTE.code);
    this.#matched = matched;
    this.#typeCode = matched?.type ?? BYTE.code;
    this.#fromNobodyReceived = false;
    if (matched !== undefined) neverForgetMessage(this, matched);
  }

  /**
   * Receives the message into a buffer (MPI_Mrecv, MPI-4.1 section 3.8.3). Blocks until its bytes are there, which depends
   * on nobody else: it has been sent.
   *
   * @param buffer at least as long as the message; the rest is left as it was
   * @throws MpiError `ERR_TRUNCATE`, `ERR_TYPE` as `recv`, the message being consumed; `ERR_REQUEST` if it was received
   *   before; `ERR_BUFFER` and the like, the message being still there
   */
  recv(buffer: BufferArgument): Status;
  recv(buffer: BufferArgument, options?: unknown): Status {
    const view = resolveBuffer('recv', 'buffer', buffer);
    refuseOptions('recv', options, 'The message is there already');
    this.#open('recv')?.receive(view);
    return this.#status();
  }

  /**
   * Starts to receive the message (MPI_Imrecv, MPI-4.1 section 3.8.3). The buffer must not be touched before the request
   * has completed. Such a request cannot be cancelled.
   *
   * @throws MpiError as `recv` where the arguments are wrong; the rest is what the request fails with
   */
  irecv(buffer: BufferArgument): Request<Status>;
  irecv(buffer: BufferArgument, options?: unknown): Request<Status> {
    const view = resolveBuffer('irecv', 'buffer', buffer);
    refuseOptions('irecv', options, 'Use the methods of the request: wait({ timeout })');
    const operation = this.#open('irecv')?.start(view);
    return this.#requestFor(operation);
  }

  /**
   * Receives the message into a new array that it fills (MPI_Mrecv, MPI-4.1 section 3.8.3).
   *
   * @param type class of the new array, such as `Float64Array`
   * @throws MpiError `ERR_COUNT` if the message is not a whole number of such elements, and `ERR_NO_MEM` if there is no
   *   memory for the array; it is consumed
   */
  recvNew<T extends TypedArray>(type: TypedArrayClass<T>): Received<T> {
    const datatype = basicDatatypeOf(type);
    if (!datatype?.isPlain) return wrongDatatype('recvNew', type);
    const { arrayClass, name, bytes: size } = datatype;
    const matched = this.#open('recvNew');
    if (matched === undefined) {
      return { data: new arrayClass(0) as Fresh<T>, status: this.#status() };
    }
    const data = arrayFor(matched, arrayClass, size);
    // Into too long an array it still completes for the sender, and a wrong type is the engine's to find.
    matched.receive(data);
    if (this.bytes % size !== 0) {
      throw new MpiError(
        'ERR_COUNT',
        `recvNew: the message from rank ${this.source} with tag ${this.tag} has ` +
          `${this.bytes} bytes, not a whole number of ${name} elements (${size} bytes each)`,
        { peer: this.source },
      );
    }
    return { data: data as Fresh<T>, status: this.#status() };
  }

  /**
   * Receives a value that `sendObject` sent (as MPI_Mrecv, MPI-4.1 section 3.8.3). Blocks until it is there.
   *
   * @throws MpiError `ERR_TYPE` if the message is no object, `ERR_PROTOCOL` if it cannot be decoded, `ERR_NO_MEM` if
   *   there is no memory for it; it is consumed
   */
  recvObject<T = unknown>(): ReceivedObject<T> {
    const matched = this.#open('recvObject');
    const status = this.#status();
    if (matched === undefined) return { value: undefined as T, status };
    return { value: decodeParts('recvObject', matched.receiveParts(), this.source) as T, status };
  }

  /** What is left to be received; undefined if that is nothing, since nobody sent it. */
  #open(call: string): MatchedMessage | undefined {
    const matched = this.#matched;
    if (matched === undefined ? this.#fromNobodyReceived : matched.received) {
      const who = matched === undefined ? 'nobody' : `rank ${this.source} with tag ${this.tag}`;
      throw new MpiError(
        'ERR_REQUEST',
        `${call}: this message from ${who} was received already, which can be done once. ` +
          'Probe again for the next one',
        matched === undefined ? {} : { peer: this.source },
      );
    }
    if (matched === undefined) this.#fromNobodyReceived = true;
    return matched;
  }

  #requestFor(operation: PendingOperation | undefined): Request<Status> {
    const status = this.#status();
    if (operation === undefined) return new Request(undefined, status);
    return startedRequest(operation, () => status, 'irecv', this.source, this.tag);
  }

  #status(): Status {
    return new Status(this.source, this.tag, this.bytes, this.#typeCode);
  }
}

/** What a probe for PROC_NULL gives: MPI_MESSAGE_NO_PROC (MPI-4.1 section 3.8.2). */
export function messageOfNobody(): Message {
  return new Message(undefined, PROC_NULL);
}

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
