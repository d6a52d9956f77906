import { MODE, PROC_NULL } from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
  checkDest,
  checkTag,
  isOptions,
} from '../arguments.ts';
import { type BufferArgument, resolveBuffer } from '../buffers.ts';
import { type AwaitableOptions, checkAwaitableOptions } from '../limits.ts';
import { Request } from '../request.ts';
import { completeWithin } from './completing.ts';
import { nothing, refused, startedRequest } from './making.ts';
import { StartedMessages } from './started.ts';

/** Messages whose sender learns that they are being received (MPI-4.1 section 3.4). */
export abstract class SynchronousMessages extends StartedMessages {
  /**
   * Sends a message and blocks until its receiver has begun to receive it, however short it is (MPI_Ssend, MPI-4.1
   * section 3.4). A program that is right with `ssend` for each `send` does not rely on buffering anywhere.
   *
   * @param dest rank of the receiver; `PROC_NULL`: nothing is sent
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @throws MpiError `ERR_DEADLOCK` to oneself with no receive posted; and as all calls do
   */
  ssend(buffer: BufferArgument, dest: number, tag?: number, options?: BlockingOptions): void;
  ssend(buffer: BufferArgument, dest: number, options: BlockingOptions): void;
  ssend(
    buffer: BufferArgument,
    dest: number,
    tag: number | BlockingOptions = 0,
    options?: BlockingOptions,
  ): void {
    const view = resolveBuffer('ssend', 'buffer', buffer);
    const [label, last] = tagAndOptions(tag, options);
    const to = checkDest('ssend', dest, this.place());
    const checked = checkTag('ssend', label);
    const timeout = checkBlockingOptions('ssend', last);
    if (to === PROC_NULL) return;
    const peer = this.joined().toWorld(to);
    const engine = this.started();
    if (timeout === undefined) {
      engine.send(view, peer, checked, this.context, MODE.synchronous);
    } else {
      const operation = engine.isend(view, peer, checked, this.context, MODE.synchronous);
      completeWithin(operation, timeout, `ssend to rank ${to}, tag ${checked}`);
    }
  }

  /**
   * Starts a synchronous send (MPI_Issend, MPI-4.1 section 3.7.2): the request completes once the message is being
   * received. The buffer must not be changed before that.
   *
   * @param dest rank of the receiver; `PROC_NULL`: the request is complete at once
   * @param options `timeout` in milliseconds and `signal`, as for `isend`
   */
  issend(
    buffer: BufferArgument,
    dest: number,
    tag?: number,
    options?: AwaitableOptions,
  ): Request<void>;
  issend(buffer: BufferArgument, dest: number, options: AwaitableOptions): Request<void>;
  issend(
    buffer: BufferArgument,
    dest: number,
    tag: number | AwaitableOptions = 0,
    options?: AwaitableOptions,
  ): Request<void> {
    const view = resolveBuffer('issend', 'buffer', buffer);
    const [label, last] = tagAndOptions(tag, options);
    const to = checkDest('issend', dest, this.place());
    const checked = checkTag('issend', label);
    const limits = checkAwaitableOptions('issend', last);
    if (limits?.signal?.aborted) return refused(limits.signal, 'issend', to, checked);
    if (to === PROC_NULL) return new Request<void>(undefined);
    const peer = this.joined().toWorld(to);
    const operation = this.started().isend(view, peer, checked, this.context, MODE.synchronous);
    return startedRequest(operation, nothing, 'issend', to, checked, limits);
  }
}

/** Options may stand in the place of the tag. */
function tagAndOptions(tag: unknown, options: unknown): readonly [unknown, unknown] {
  return isOptions(tag) && options === undefined ? [0, tag] : [tag, options];
}
