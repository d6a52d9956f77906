import {
  ANY_SOURCE,
  ANY_TAG,
  type Arrival,
  type Engine,
  MpiError,
  type PendingOperation,
  PROC_NULL,
} from '@onecopy/engine';
import {
  checkDest,
  checkSource,
  checkTag,
  checkTagOrAny,
  isRank,
  isSource,
  isTag,
  isTagOrAny,
} from '../arguments.ts';
import { type BufferArgument, resolveBuffer } from '../buffers.ts';
import { Completion, type Result } from '../completion.ts';
import { neverForget } from '../forgotten.ts';
import { statusIn } from '../membership.ts';
import { Request } from '../request.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { BlockingMessages } from './blocking.ts';

const nothing: Result<void> = () => undefined;

/** Messages that are started by calls that do not block (MPI-4.1 section 3.7). */
export abstract class StartedMessages extends BlockingMessages {
  /**
   * Starts to send (MPI_Isend, MPI-4.1 section 3.7.2). The buffer must not be changed before the request has completed.
   *
   * @param dest rank of the receiver; `PROC_NULL`: the request is complete at once
   */
  isend(buffer: BufferArgument, dest: number, tag?: number): Request<void>;
  isend(buffer: BufferArgument, dest: number, tag = 0, options?: unknown): Request<void> {
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
      return operation.done ? new Request<void>(undefined) : sending(operation, dest, tag);
    }
    return this.#isendChecked(buffer, dest, tag, options);
  }

  #isendChecked(buffer: unknown, dest: unknown, tag: unknown, options: unknown): Request<void> {
    const view = resolveBuffer('isend', 'buffer', buffer);
    const to = checkDest('isend', dest, this.place());
    const label = checkTag('isend', tag);
    refuseOptions('isend', options);
    if (to === PROC_NULL) return new Request<void>(undefined);
    const peer = this.joined().toWorld(to);
    const operation = this.started().isend(view, peer, label, this.context);
    return operation.done ? new Request<void>(undefined) : sending(operation, to, label);
  }

  /**
   * Starts to receive (MPI_Irecv, MPI-4.1 section 3.7.2). The buffer must not be touched before the request has
   * completed; its result is who sent what.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: the request is complete at once
   * @param tag of the message, or `ANY_TAG`
   */
  irecv(buffer: BufferArgument, source?: number, tag?: number): Request<Status>;
  irecv(
    buffer: BufferArgument,
    source = ANY_SOURCE,
    tag = ANY_TAG,
    options?: unknown,
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
        : receiving(operation, this.toStatus, source, tag);
    }
    return this.#irecvChecked(buffer, source, tag, options);
  }

  #irecvChecked(buffer: unknown, source: unknown, tag: unknown, options: unknown): Request<Status> {
    const view = resolveBuffer('irecv', 'buffer', buffer);
    const from = checkSource('irecv', source, this.place());
    const label = checkTagOrAny('irecv', tag);
    refuseOptions('irecv', options);
    if (from === PROC_NULL) return new Request(undefined, statusOfNobody());
    const peer = this.joined().sourceToWorld(from);
    const operation = this.started().irecv(view, peer, label, this.context);
    return operation.done
      ? new Request(undefined, this.toStatus(operation))
      : receiving(operation, this.toStatus, from, label);
  }
}

function sending(operation: PendingOperation, dest: number, tag: number): Request<void> {
  const request = new Request(new Completion(operation, nothing, 'isend', dest, tag));
  neverForget(request);
  return request;
}

function receiving(
  operation: PendingOperation,
  result: Result<Status>,
  source: number,
  tag: number,
): Request<Status> {
  const request = new Request(new Completion(operation, result, 'irecv', source, tag));
  neverForget(request);
  return request;
}

function refuseOptions(call: string, options: unknown): void {
  if (options === undefined) return;
  throw new MpiError(
    'ERR_ARG',
    `${call}: takes no options. Use the methods of the request: wait({ timeout }), cancel()`,
  );
}
