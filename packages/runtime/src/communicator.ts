import { MpiError } from '@onecopy/engine';
import { show } from './arguments.ts';
import { ObjectMessages } from './point-to-point/objects.ts';

/**
 * Ranks that can talk to each other, apart from all other communicators (MPI-4.1 chapter 7). Every process of a job has
 * `world`, with all ranks, and `self`, with itself.
 *
 * A call that throws `MpiError` because of its arguments has done nothing, and the communicator stays usable.
 *
 * Common to all calls: a *buffer* is a typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer, or
 * `{ data, count, datatype }` around one. Ranks and tags are whole numbers. Options come last, and optional arguments
 * before them may be left out: `recv(buffer, { timeout: 100 })`.
 *
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_BUFFER` `ERR_COUNT` `ERR_TYPE` `ERR_RANK` `ERR_TAG` `ERR_ARG` | an argument is not what it should be |
 * | `ERR_DETACHED` | the buffer was transferred away |
 * | `ERR_FREED` | the buffer came from `alloc` and was disposed of |
 * | `ERR_RESIZABLE` | a call that does not block, or has a timeout, was given a resizable buffer |
 * | `ERR_TRUNCATE` | the message is longer than the receive buffer; it is consumed |
 * | `ERR_TYPE` | the element types of both sides differ and neither is bytes; the message is consumed |
 * | `ERR_DEADLOCK` | the call could never return |
 * | `ERR_PROC_FAILED` `ERR_PROC_LEFT` | the peer died, or left the job |
 * | `ERR_ABORTED` | the job is ending because of another rank |
 * | `ERR_THREAD` `ERR_BOOTSTRAP` `ERR_NATIVE` `ERR_FINALIZED` | onecopy cannot be used here, or not any more |
 */
export class Communicator extends ObjectMessages {
  /** Number of this process in the communicator, from 0 (MPI_Comm_rank, MPI-4.1 section 7.4.1). */
  get rank(): number {
    return this.joined().rank;
  }

  /** Number of ranks (MPI_Comm_size, MPI-4.1 section 7.4.1). */
  get size(): number {
    return this.joined().size;
  }

  /**
   * Ends the whole job now (MPI_Abort, MPI-4.1 section 11.4.2). Nothing that is outstanding is completed, and the
   * launcher exits with this code. Does not return.
   *
   * @param code 0 to 255
   * @param reason printed by the launcher
   */
  abort(code = 1, reason?: string): never {
    if (!Number.isInteger(code) || code < 0 || code > 255) {
      throw new MpiError(
        'ERR_ARG',
        `abort: an exit code is a whole number from 0 to 255, not ${show(code)}`,
      );
    }
    return this.started().abort(code, reason);
  }
}
