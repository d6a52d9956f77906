import { ANY_SOURCE, ANY_TAG, type Engine, PROC_NULL } from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
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
import { type BufferArgument, checkMemory, resolveBuffer } from '../buffers.ts';
import { Collectives } from '../collectives/operations.ts';
import { statusIn } from '../membership.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { completeWithin, exchange, exchangeWithin } from './completing.ts';

/** Messages that are sent and received by calls that block (MPI-4.1 section 3.2). */
export abstract class BlockingMessages extends Collectives {
  /**
   * Sends a message and blocks until the buffer can be used again (MPI_Send, MPI-4.1 section 3.2.1). Small messages do
   * not wait for the receiver, large ones do; correct programs do not rely on where the limit is.
   *
   * @param dest rank of the receiver; `PROC_NULL`: nothing is sent
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   */
  send(buffer: BufferArgument, dest: number, tag?: number, options?: BlockingOptions): void;
  send(buffer: BufferArgument, dest: number, options: BlockingOptions): void;
  send(
    buffer: BufferArgument,
    dest: number,
    tag: number | BlockingOptions = 0,
    options?: BlockingOptions,
  ): void {
    const group = this.members;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isRank(dest, group.size) &&
      isTag(tag) &&
      options === undefined
    ) {
      (this.engine as Engine).send(buffer, group.toWorld(dest), tag, this.context);
    } else {
      this.#sendAny(buffer, dest, tag, options);
    }
  }

  // What is not the usual has functions of its own: V8 makes one piece of the usual while that is short.
  #sendAny(buffer: unknown, dest: unknown, tag: unknown, options: unknown): void {
    if (isOptions(tag) && options === undefined) this.#sendChecked(buffer, dest, 0, tag);
    else this.#sendChecked(buffer, dest, tag, options);
  }

  #sendChecked(buffer: unknown, dest: unknown, tag: unknown, options: unknown): void {
    const view = resolveBuffer('send', 'buffer', buffer);
    const place = this.place();
    const to = checkDest('send', dest, place);
    const label = checkTag('send', tag);
    const timeout = checkBlockingOptions('send', options);
    if (to === PROC_NULL) return;
    const peer = this.joined().toWorld(to);
    if (timeout === undefined) {
      this.started().send(view, peer, label, this.context);
    } else {
      const operation = this.started().isend(view, peer, label, this.context);
      completeWithin(operation, timeout, `send to rank ${to}, tag ${label}`);
    }
  }

  /**
   * Receives a message into a buffer and blocks until it is there (MPI_Recv, MPI-4.1 section 3.2.4). The message may be
   * shorter than the buffer; the rest of the buffer is left as it was.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: nothing is received
   * @param tag of the message, or `ANY_TAG`
   * @param options `timeout` in milliseconds, see `BlockingOptions`
   * @returns who sent what
   */
  recv(buffer: BufferArgument, source?: number, tag?: number, options?: BlockingOptions): Status;
  recv(buffer: BufferArgument, source: number, options: BlockingOptions): Status;
  recv(buffer: BufferArgument, options: BlockingOptions): Status;
  recv(
    buffer: BufferArgument,
    source: number | BlockingOptions = ANY_SOURCE,
    tag: number | BlockingOptions = ANY_TAG,
    options?: BlockingOptions,
  ): Status {
    const group = this.members;
    if (
      group !== undefined &&
      ArrayBuffer.isView(buffer) &&
      isSource(source, group.size) &&
      isTagOrAny(tag) &&
      options === undefined
    ) {
      const from = group.sourceToWorld(source);
      return statusIn(group, (this.engine as Engine).recv(buffer, from, tag, this.context));
    }
    return this.#recvAny(buffer, source, tag, options);
  }

  #recvAny(buffer: unknown, source: unknown, tag: unknown, options: unknown): Status {
    if (isOptions(source) && tag === ANY_TAG && options === undefined) {
      return this.#recvChecked(buffer, ANY_SOURCE, ANY_TAG, source);
    }
    if (isOptions(tag) && options === undefined) {
      return this.#recvChecked(buffer, source, ANY_TAG, tag);
    }
    return this.#recvChecked(buffer, source, tag, options);
  }

  #recvChecked(buffer: unknown, source: unknown, tag: unknown, options: unknown): Status {
    const view = resolveBuffer('recv', 'buffer', buffer);
    const place = this.place();
    const from = checkSource('recv', source, place);
    const label = checkTagOrAny('recv', tag);
    const timeout = checkBlockingOptions('recv', options);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.joined().sourceToWorld(from);
    if (timeout === undefined) {
      return this.statusOf(this.started().recv(view, peer, label, this.context));
    }
    const operation = this.started().irecv(view, peer, label, this.context);
    const who = from === ANY_SOURCE ? 'any rank' : `rank ${from}`;
    const what = label === ANY_TAG ? 'any tag' : `tag ${label}`;
    completeWithin(operation, timeout, `recv from ${who}, ${what}`);
    return this.toStatus(operation);
  }

  /**
   * Sends one message and receives another at the same time (MPI_Sendrecv, MPI-4.1 section 3.10): shifts along a ring
   * need no order. The two buffers must not overlap. Blocks until both are done.
   *
   * @param options `timeout` in milliseconds; what has not completed by then is taken back
   * @returns who sent what was received
   */
  sendrecv(
    sendbuf: BufferArgument,
    dest: number,
    sendtag: number,
    recvbuf: BufferArgument,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
    options?: BlockingOptions,
  ): Status {
    const outgoing = resolveBuffer('sendrecv', 'send buffer', sendbuf);
    const incoming = resolveBuffer('sendrecv', 'receive buffer', recvbuf);
    const place = this.place();
    const to = checkDest('sendrecv', dest, place);
    const from = checkSource('sendrecv', source, place);
    checkTag('sendrecv', sendtag);
    checkTagOrAny('sendrecv', recvtag);
    const timeout = checkBlockingOptions('sendrecv', options);
    if (from === PROC_NULL) {
      this.#sendChecked(outgoing, to, sendtag, options);
      return statusOfNobody();
    }
    if (to === PROC_NULL) return this.#recvChecked(incoming, from, recvtag, options);
    checkMemory('sendrecv', 'send buffer', outgoing);
    checkMemory('sendrecv', 'receive buffer', incoming);
    const send = { buffer: outgoing, peer: this.joined().toWorld(to), tag: sendtag };
    const recv = { buffer: incoming, peer: this.joined().sourceToWorld(from), tag: recvtag };
    const engine = this.started();
    return this.toStatus(
      timeout === undefined
        ? exchange(engine, this.context, send, recv)
        : exchangeWithin(engine, this.context, send, recv, timeout, `sendrecv with rank ${to}`),
    );
  }
}
