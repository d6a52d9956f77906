import {
  ANY_SOURCE,
  ANY_TAG,
  type Engine,
  type PendingOperation,
  PROC_NULL,
} from '@onecopy/engine';
import {
  type BlockingOptions,
  checkBlockingOptions,
  checkDest,
  checkSource,
  checkTag,
  checkTagOrAny,
} from '../arguments.ts';
import { type BufferArgument, bytesIn, checkMemory, copyOf, resolveBuffer } from '../buffers.ts';
import { type AwaitableOptions, checkAwaitableOptions, type Limits } from '../limits.ts';
import { Request } from '../request.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { abandon, exchange, exchangeWithin, type Leg } from './completing.ts';
import { refused, startedRequest } from './making.ts';
import { Pair } from './pair.ts';
import { SynchronousMessages } from './synchronous.ts';

/** What remains of an exchange after its checks. */
interface Exchange {
  /** Ranks of the communicator. */
  readonly to: number;
  readonly from: number;
  readonly send: Leg;
  readonly recv: Leg;
}

/** A message out and another one in, as one operation (MPI-4.1 section 3.10). */
export abstract class ExchangedMessages extends SynchronousMessages {
  /**
   * Starts to send one message and to receive another (MPI_Isendrecv, MPI-4.1 section 3.10). The two buffers must not
   * overlap, and must not be touched before the request has completed.
   *
   * The request completes when both have. `cancel`, a time limit or a signal take back what no peer has matched; then
   * the request fails once the rest is over.
   *
   * @param options `timeout` in milliseconds and `signal`, as for `isend`
   * @returns a request whose result is who sent what was received
   */
  isendrecv(
    sendbuf: BufferArgument,
    dest: number,
    sendtag: number,
    recvbuf: BufferArgument,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
    options?: AwaitableOptions,
  ): Request<Status> {
    const call = 'isendrecv';
    const outgoing = resolveBuffer(call, 'send buffer', sendbuf);
    const incoming = resolveBuffer(call, 'receive buffer', recvbuf);
    const exchanged = this.#check(call, dest, sendtag, source, recvtag, { outgoing, incoming });
    const limits = checkAwaitableOptions(call, options);
    if (limits?.signal?.aborted) return refused(limits.signal, call, exchanged.to, sendtag);
    checkMemory(call, 'send buffer', outgoing);
    checkMemory(call, 'receive buffer', incoming);
    return this.#start(call, exchanged, limits);
  }

  /**
   * Sends what is in a buffer and receives into the same buffer, blocking until both are done (MPI_Sendrecv_replace,
   * MPI-4.1 section 3.10). What comes may be shorter than what goes; the rest of the buffer is left as it was.
   *
   * What goes is copied first, into memory of the same length, unless nothing goes or comes, or the message is so short
   * that it is on its way at once.
   *
   * @param options `timeout` in milliseconds; what has not completed by then is taken back
   * @returns who sent what was received
   */
  sendrecvReplace(
    buffer: BufferArgument,
    dest: number,
    sendtag: number,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
    options?: BlockingOptions,
  ): Status {
    const call = 'sendrecvReplace';
    const view = resolveBuffer(call, 'buffer', buffer);
    const both = { outgoing: view, incoming: view };
    const { to, from, send, recv } = this.#check(call, dest, sendtag, source, recvtag, both);
    const timeout = checkBlockingOptions(call, options);
    if (from === PROC_NULL) {
      this.send(view as BufferArgument, to, sendtag, options);
      return statusOfNobody();
    }
    if (to === PROC_NULL) return this.recv(view as BufferArgument, from, recvtag, options);
    checkMemory(call, 'buffer', view);
    const engine = this.started();
    const short = timeout === undefined && goesAtOnce(engine, send, this.context);
    if (short) return this.statusOf(engine.recv(view, recv.peer, recv.tag, this.context));
    const copied = { ...send, buffer: copyOf(view) };
    return this.toStatus(
      timeout === undefined
        ? exchange(engine, this.context, copied, recv)
        : exchangeWithin(engine, this.context, copied, recv, timeout, `${call} with rank ${to}`),
    );
  }

  /**
   * Starts to send what is in a buffer and to receive into the same buffer (MPI_Isendrecv_replace, MPI-4.1 section
   * 3.10). The buffer must not be touched before the request has completed. What goes is copied first,
   * unless nothing goes or comes.
   *
   * @param options `timeout` in milliseconds and `signal`, as for `isendrecv`
   * @returns a request whose result is who sent what was received
   */
  isendrecvReplace(
    buffer: BufferArgument,
    dest: number,
    sendtag: number,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
    options?: AwaitableOptions,
  ): Request<Status> {
    const call = 'isendrecvReplace';
    const view = resolveBuffer(call, 'buffer', buffer);
    const both = { outgoing: view, incoming: view };
    const exchanged = this.#check(call, dest, sendtag, source, recvtag, both);
    const limits = checkAwaitableOptions(call, options);
    const { to, from, send } = exchanged;
    if (limits?.signal?.aborted) return refused(limits.signal, call, to, sendtag);
    checkMemory(call, 'buffer', view);
    if (to === PROC_NULL || from === PROC_NULL) return this.#start(call, exchanged, limits);
    return this.#start(call, { ...exchanged, send: { ...send, buffer: copyOf(view) } }, limits);
  }

  #check(
    call: string,
    dest: unknown,
    sendtag: unknown,
    source: unknown,
    recvtag: unknown,
    buffers: { readonly outgoing: Leg['buffer']; readonly incoming: Leg['buffer'] },
  ): Exchange {
    const place = this.place();
    const to = checkDest(call, dest, place);
    const from = checkSource(call, source, place);
    const group = this.joined();
    const send = {
      buffer: buffers.outgoing,
      peer: to === PROC_NULL ? to : group.toWorld(to),
      tag: checkTag(call, sendtag),
    };
    const recv = {
      buffer: buffers.incoming,
      peer: from === PROC_NULL ? from : group.sourceToWorld(from),
      tag: checkTagOrAny(call, recvtag),
    };
    return { to, from, send, recv };
  }

  #start(
    call: string,
    { to, from, send, recv }: Exchange,
    limits: Limits | undefined,
  ): Request<Status> {
    const engine = this.started();
    const receive = (): PendingOperation =>
      engine.irecv(recv.buffer, recv.peer, recv.tag, this.context);
    const transmit = (): PendingOperation =>
      engine.isend(send.buffer, send.peer, send.tag, this.context);
    if (from === PROC_NULL) {
      if (to === PROC_NULL) return new Request(undefined, statusOfNobody());
      return startedRequest(transmit(), statusOfNobody, call, to, send.tag, limits);
    }
    if (to === PROC_NULL) {
      return startedRequest(receive(), this.toStatus, call, from, recv.tag, limits);
    }
    const receiving = receive();
    let sending: PendingOperation;
    try {
      sending = transmit();
    } catch (error) {
      if (!receiving.done) abandon(receiving);
      throw error;
    }
    const pair = sending.done ? receiving : new Pair(receiving, sending);
    return startedRequest(pair, this.toStatus, call, to, send.tag, limits);
  }
}

/** No message that is longer can be on its way at once; so many bytes are copied in no time. */
const SHORT = 8192;

/** Sends a short message if it can be done without its buffer being needed any longer. */
function goesAtOnce(engine: Engine, { buffer, peer, tag }: Leg, context: number): boolean {
  if (bytesIn(buffer) > SHORT) return false;
  const sending = engine.isend(buffer, peer, tag, context);
  if (sending.done) {
    sending.wait();
    return true;
  }
  if (sending.cancel()) {
    try {
      sending.wait();
    } catch {
      // ERR_CANCELLED.
    }
    return false;
  }
  // Its receiver has matched it already, and needs nothing more of this rank than that it goes on.
  sending.wait();
  return true;
}
