/**
 * Why an operation failed. One code per failure; the message says what, who and what to do.
 *
 * The classes of the MPI standard (MPI-4.1 section 9.4) keep their names; the others are ours.
 */
export type ErrorCode =
  /** An argument that no other code describes. */
  | 'ERR_ARG'
  /** Not a typed array, DataView, Buffer, ArrayBuffer or SharedArrayBuffer. */
  | 'ERR_BUFFER'
  /** The buffer was transferred away or resized under the operation. */
  | 'ERR_DETACHED'
  /** The array came from `alloc`, and was disposed of. */
  | 'ERR_FREED'
  /** A resizable ArrayBuffer, or a view that follows its length, in an operation that does not block. */
  | 'ERR_RESIZABLE'
  /** A count or length that is negative, not whole, or beyond the buffer. */
  | 'ERR_COUNT'
  /** The peer is not a rank of the communicator. */
  | 'ERR_RANK'
  /** The tag is not a whole number from 0 to 2^31 - 1. */
  | 'ERR_TAG'
  /** The communicator was freed, or cannot be. */
  | 'ERR_COMM'
  /** Not a group, or one that the call cannot be made with. */
  | 'ERR_GROUP'
  /** The communicator has no such topology, or the ranks describe different ones. */
  | 'ERR_TOPOLOGY'
  /** Extents of a grid that make no grid of these ranks. */
  | 'ERR_DIMS'
  /** Not a key of attributes, or a callback of one has failed. */
  | 'ERR_KEYVAL'
  /** The element types of the two sides differ, or a buffer met an object. */
  | 'ERR_TYPE'
  /** The message is longer than the receive buffer. */
  | 'ERR_TRUNCATE'
  /** The call can never complete: nobody can send what it waits for. */
  | 'ERR_DEADLOCK'
  /** The peer died. */
  | 'ERR_PROC_FAILED'
  /** The peer left the job before it sent or received what this call needs. */
  | 'ERR_PROC_LEFT'
  /** The job is ending because of somebody else. */
  | 'ERR_ABORTED'
  /** The time limit given to the call has passed. */
  | 'ERR_TIMEOUT'
  /** The request was cancelled. */
  | 'ERR_CANCELLED'
  /** Not a request of this engine, or one already used up. */
  | 'ERR_REQUEST'
  /** Used outside the main thread. */
  | 'ERR_THREAD'
  /** Used from inside a callback of onecopy. */
  | 'ERR_REENTRANT'
  /** The process has already left the job. */
  | 'ERR_FINALIZED'
  /** The launcher cannot be reached as its environment variable says. */
  | 'ERR_BOOTSTRAP'
  /** The native addon is missing or does not fit. */
  | 'ERR_NATIVE'
  /** The system refused something: `errno` and `syscall` say what. */
  | 'ERR_SYSTEM'
  /** Memory is exhausted. */
  | 'ERR_NO_MEM'
  /** A peer broke the protocol. */
  | 'ERR_PROTOCOL'
  /** The receiver matched the message and then could not take its bytes. */
  | 'ERR_TRANSFER'
  /** The operator is not defined for the element type, or a user's operator has thrown. */
  | 'ERR_OP'
  /** The ranks have called different collective operations. */
  | 'ERR_COLLECTIVE';

export interface ErrorDetails {
  /** The number that the system gave, with `ERR_SYSTEM`. */
  readonly errno?: number | undefined;
  /** The system call that failed, with `ERR_SYSTEM`. */
  readonly syscall?: string | undefined;
  /** The rank concerned, in the communicator of the call. */
  readonly peer?: number | undefined;
  /** The place in the list, of calls that take a list. */
  readonly index?: number | undefined;
  readonly cause?: unknown;
}

/** The error that every function of onecopy throws, and every rejected request rejects with. */
export class MpiError extends Error {
  readonly code: ErrorCode;
  // Declared only: an error without them does not show them as undefined.
  declare readonly errno?: number;
  declare readonly syscall?: string;
  declare readonly peer?: number;
  declare readonly index?: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.errno !== undefined) this.errno = details.errno;
    if (details.syscall !== undefined) this.syscall = details.syscall;
    if (details.peer !== undefined) this.peer = details.peer;
    if (details.index !== undefined) this.index = details.index;
  }

  /** The error class of the MPI standard, e.g. `MPI_ERR_TRUNCATE`. */
  get errorClass(): string {
    return `MPI_${this.code}`;
  }

  override get name(): string {
    return 'MpiError';
  }
}
