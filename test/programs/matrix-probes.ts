// Cases of the table about messages that are taken before they are received.
import { ANY_SOURCE, ANY_TAG, type Message } from 'onecopy';
import type { Case } from '../matrix.ts';
import { communicatorUnderTest } from '../support/communicator.ts';
import type { Trial } from './runtime-matrix.ts';

type Name =
  | 'isend, mprobe, recv'
  | 'isend, improbe, irecv'
  | 'isend, mprobe, recvNew'
  | 'isend, messages';

const comm = communicatorUnderTest();
const { rank, size } = comm;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Every rank sends to the one above and receives from the one below. */
export const PROBE_OPERATIONS: Readonly<
  Record<Name & Case['operation'], (trial: Trial) => void | Promise<void>>
> = {
  'isend, mprobe, recv'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const message = comm.mprobe(ANY_SOURCE, trial.tag, { timeout: 30_000 });
    trial.checkStatus(message, below, trial.content(below, rank).length);
    must(comm.improbe(below, trial.tag) === undefined, 'the message was taken and is still there');
    trial.checkArrival(message.recv(incoming.buffer), incoming);
    sending.wait();
  },

  async 'isend, improbe, irecv'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    let message: Message | undefined;
    while (message === undefined) message = comm.improbe(below, ANY_TAG);
    trial.checkArrival(await message.irecv(incoming.buffer), incoming);
    await sending;
  },

  'isend, mprobe, recvNew'(trial) {
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const { data, status } = comm.mprobe(below, trial.tag).recvNew(trial.typedClass);
    const content = trial.content(below, rank);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    must(Buffer.compare(bytes, content) === 0, 'other bytes');
    trial.checkStatus(status, below, content.length);
    sending.wait();
  },

  async 'isend, messages'(trial) {
    const incoming = trial.incoming();
    const listening = comm.messages({ tag: trial.tag });
    const step = listening.next();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const { value: message } = await step;
    await listening.return?.();
    trial.checkArrival(await (message as Message).irecv(incoming.buffer), incoming);
    await sending;
  },
};
