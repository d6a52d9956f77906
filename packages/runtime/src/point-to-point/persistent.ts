import { ANY_SOURCE, ANY_TAG, MODE, PROC_NULL } from '@onecopy/engine';
import { checkDest, checkSource, checkTag, checkTagOrAny } from '../arguments.ts';
import { type BufferArgument, resolveBuffer } from '../buffers.ts';
import { PersistentRequest } from '../persistent.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { ExchangedMessages } from './exchanged.ts';
import { nothing } from './making.ts';

/** Messages that are prepared once and started often (MPI-4.1 section 3.9). */
export abstract class PersistentMessages extends ExchangedMessages {
  /**
   * Prepares a send (MPI_Send_init, MPI-4.1 section 3.9); nothing is sent. Each `start` sends what is in the buffer then.
   *
   * @param dest rank of the receiver; `PROC_NULL`: each round is complete at once
   * @throws MpiError for arguments, as `isend` does
   */
  sendInit(buffer: BufferArgument, dest: number, tag: number = 0): PersistentRequest<void> {
    return this.#sendInit('sendInit', buffer, dest, tag, 0);
  }

  /**
   * Prepares a synchronous send (MPI_Ssend_init, MPI-4.1 section 3.9): a round completes once its message is being
   * received.
   *
   * @param dest rank of the receiver; `PROC_NULL`: each round is complete at once
   * @throws MpiError for arguments, as `issend` does
   */
  ssendInit(buffer: BufferArgument, dest: number, tag: number = 0): PersistentRequest<void> {
    return this.#sendInit('ssendInit', buffer, dest, tag, MODE.synchronous);
  }

  #sendInit(
    call: string,
    buffer: unknown,
    dest: unknown,
    tag: unknown,
    mode: number,
  ): PersistentRequest<void> {
    const view = resolveBuffer(call, 'buffer', buffer);
    const to = checkDest(call, dest, this.place());
    const label = checkTag(call, tag);
    const prepared =
      to === PROC_NULL
        ? undefined
        : this.started().prepareSend(view, this.joined().toWorld(to), label, this.context, mode);
    return new PersistentRequest({
      prepared,
      result: nothing,
      purpose: { call, peer: to, tag: label },
    });
  }

  /**
   * Prepares a receive (MPI_Recv_init, MPI-4.1 section 3.9); nothing is received. Each round receives one message.
   *
   * @param source rank of the sender, or `ANY_SOURCE`; `PROC_NULL`: each round is complete at once
   * @param tag of the message, or `ANY_TAG`
   * @throws MpiError for arguments, as `irecv` does
   */
  recvInit(
    buffer: BufferArgument,
    source: number = ANY_SOURCE,
    tag: number = ANY_TAG,
  ): PersistentRequest<Status> {
    const view = resolveBuffer('recvInit', 'buffer', buffer);
    const from = checkSource('recvInit', source, this.place());
    const label = checkTagOrAny('recvInit', tag);
    const purpose = { call: 'recvInit', peer: from, tag: label };
    if (from === PROC_NULL) {
      return new PersistentRequest({ prepared: undefined, result: statusOfNobody, purpose });
    }
    const peer = this.joined().sourceToWorld(from);
    const prepared = this.started().prepareRecv(view, peer, label, this.context);
    return new PersistentRequest({ prepared, result: this.toStatus, purpose });
  }
}
