import { ANY_SOURCE, ANY_TAG, type Arrival, type Engine, PROC_NULL } from '@onecopy/engine';
import {
  checkDest,
  checkSource,
  checkTag,
  checkTagOrAny,
  isOptions,
  isRank,
  isSource,
  isTag,
  isTagOrAny,
} from '../arguments.ts';
import { type BufferArgument, resolveBuffer } from '../buffers.ts';
import { type AwaitableOptions, checkAwaitableOptions } from '../limits.ts';
import { statusIn } from '../membership.ts';
import { Request } from '../request.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { BlockingMessages } from './blocking.ts';
import { nothing, refused, startedRequest } from './making.ts';

/** Messages that are started by calls that do not block (MPI-4.1 section 3.7). */
export abstract class StartedMessages extends BlockingMessages {
  /**
   * Starts to send (MPI_Isend, MPI-4.1 section 3.7.2). The buffer must not be changed before the request has completed.
   *
   * @param dest rank of the receiver; `PROC_NULL`: the request is complete at once
   * @param options `timeout` in milliseconds and `signal`, see `AwaitableOptions`; with a signal that is aborted already
   *   nothing is sent, and the request has failed with its reason
   */
  isend(
    buffer: BufferArgument,
    dest: number,
    tag?: number,
    options?: AwaitableOptions,
  ): Request<void>;
  isend(buffer: BufferArgument, dest: number, options: AwaitableOptions): Request<void>;
  isend(
    buffer: BufferArgument,
    dest: number,
    tag: number | AwaitableOptions = 0,
    options?: AwaitableOptions,
  ): Request<void> {
    const group = this.members;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isRank(dest, group.size) &&
      isTag(tag) &&
      options === undefined
    ) {
      const peer = group.toWorld(dest);
      const operation = (this.engine as Engine).isend(buffer, peer, tag, this.context);
      return operation.done
        ? new Request<void>(undefined)
        : startedRequest(operation, nothing, 'isend', dest, tag);
    }
    return this.#isendAny(buffer, dest, tag, options);
  }

  #isendAny(buffer: unknown, dest: unknown, tag: unknown, options: unknown): Request<void> {
    if (isOptions(tag) && options === undefined) return this.#isendChecked(buffer, dest, 0, tag);
    return this.#isendChecked(buffer, dest, tag, options);
  }

  #isendChecked(buffer: unknown, dest: unknown, tag: unknown, options: unknown): Request<void> {
    const view = resolveBuffer('isend', 'buffer', buffer);
    const to = checkDest('isend', dest, this.place());
    const label = checkTag('isend', tag);
    const limits = checkAwaitableOptions('isend', options);
    if (limits?.signal?.aborted) return refused(limits.signal, 'isend', to, label);
    if (to === PROC_NULL) return new Request<void>(undefined);
    const peer = this.joined().toWorld(to);
    const operation = this.started().isend(view, peer, label, this.context);
    return startedRequest(operation, nothing, 'isend', to, label, limits);
  }

  /**
   * Starts to receive (MPI_Irecv, MPI-4.1 section 3.7.2). The buffer must not be touched before the request has
   * completed; its result is who sent what.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: the request is complete at once
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds and `signal`, see `AwaitableOptions`; with a signal that is aborted already
   *   nothing is received, and the request has failed with its reason
   */
  irecv(
    buffer: BufferArgument,
    source?: number,
    tag?: number,
    options?: AwaitableOptions,
  ): Request<Status>;
  irecv(buffer: BufferArgument, source: number, options: AwaitableOptions): Request<Status>;
  irecv(buffer: BufferArgument, options: AwaitableOptions): Request<Status>;
  irecv(
    buffer: BufferArgument,
    source: number | AwaitableOptions = ANY_SOURCE,
    tag: number | AwaitableOptions = ANY_TAG,
    options?: AwaitableOptions,
  ): Request<Status> {
    const group = this.members;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isSource(source, group.size) &&
      isTagOrAny(tag) &&
      options === undefined
    ) {
      const peer = group.sourceToWorld(source);
      const operation = (this.engine as Engine).irecv(buffer, peer, tag, this.context);
      return operation.done
        ? new Request(undefined, statusIn(group, operation.arrival as Arrival))
        : startedRequest(operation, this.toStatus, 'irecv', source, tag);
    }
    return this.#irecvAny(buffer, source, tag, options);
  }

  #irecvAny(buffer: unknown, source: unknown, tag: unknown, options: unknown): Request<Status> {
    if (isOptions(source) && tag === ANY_TAG && options === undefined) {
      return this.#irecvChecked(buffer, ANY_SOURCE, ANY_TAG, source);
    }
    if (isOptions(tag) && options === undefined) {
      return this.#irecvChecked(buffer, source, ANY_TAG, tag);
    }
    return this.#irecvChecked(buffer, source, tag, options);
  }

  #irecvChecked(buffer: unknown, source: unknown, tag: unknown, options: unknown): Request<Status> {
    const view = resolveBuffer('irecv', 'buffer', buffer);
    const from = checkSource('irecv', source, this.place());
    const label = checkTagOrAny('irecv', tag);
    const limits = checkAwaitableOptions('irecv', options);
    if (limits?.signal?.aborted) return refused(limits.signal, 'irecv', from, label);
    if (from === PROC_NULL) return new Request(undefined, statusOfNobody());
    const peer = this.joined().sourceToWorld(from);
    const operation = this.started().irecv(view, peer, label, this.context);
    return startedRequest(operation, this.toStatus, 'irecv', from, label, limits);
  }
}
