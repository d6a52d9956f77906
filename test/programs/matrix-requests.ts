// Cases of the table about requests: synchronous and exchanged messages, persistent ones, and waits for some of many.
import {
  ANY_SOURCE,
  type Request,
  startAll,
  testAll,
  testAny,
  testSome,
  waitAll,
  waitAny,
  waitSome,
} from 'onecopy';
import type { Case } from '../matrix.ts';
import { communicatorUnderTest } from '../support/communicator.ts';
import type { Trial } from './runtime-matrix.ts';

type Name =
  | 'ssend, irecv'
  | 'issend, irecv, waitAny'
  | 'isend, irecv, waitSome'
  | 'isend, irecv, testSome'
  | 'isend, irecv, testAll'
  | 'isend, irecv with limits'
  | 'isendrecv'
  | 'isendrecv, waitAll'
  | 'sendrecvReplace'
  | 'isendrecvReplace'
  | 'sendInit, recvInit'
  | 'ssendInit, recvInit, await';

const comm = communicatorUnderTest();
const { rank, size } = comm;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;
/** Of the persistent ones. */
const ROUNDS = 3;

/** Waits for all, one after the other, as `next` finds them. */
function waitOneByOne(requests: readonly Request<unknown>[], next: typeof waitAny): void {
  const open = [...requests];
  while (open.length > 0) {
    const found = next(open);
    if (found === undefined) continue;
    if (open[found.index]?.value !== found.value) throw new Error('the value of another request');
    open.splice(found.index, 1);
  }
}

/** Every rank sends to the one above and receives from the one below. */
export const REQUEST_OPERATIONS: Readonly<
  Record<Name & Case['operation'], (trial: Trial) => void | Promise<void>>
> = {
  'ssend, irecv'(trial) {
    const incoming = trial.incoming();
    const receiving = comm.irecv(incoming.buffer, below, trial.tag);
    comm.ssend(trial.outgoing().buffer, above, trial.tag);
    trial.checkArrival(receiving.wait(), incoming);
  },

  'issend, irecv, waitAny'(trial) {
    const incoming = trial.incoming();
    const sending = comm.issend(trial.outgoing().buffer, above, trial.tag);
    const receiving = comm.irecv(incoming.buffer, ANY_SOURCE, trial.tag);
    waitOneByOne([sending, receiving], waitAny);
    trial.checkArrival(receiving.value, incoming);
  },

  'isend, irecv, waitSome'(trial) {
    const incoming = trial.incoming();
    const receiving = comm.irecv(incoming.buffer, below, trial.tag);
    const open: Request<unknown>[] = [
      receiving,
      comm.isend(trial.outgoing().buffer, above, trial.tag),
    ];
    while (open.length > 0) {
      const found = waitSome(open, { timeout: 30_000 });
      if (found.length === 0) throw new Error('none, after a wait for some');
      for (const { index } of found.reverse()) open.splice(index, 1);
    }
    trial.checkArrival(receiving.value, incoming);
  },

  'isend, irecv, testSome'(trial) {
    const incoming = trial.incoming();
    const receiving = comm.irecv(incoming.buffer, below, trial.tag);
    const open: Request<unknown>[] = [
      receiving,
      comm.issend(trial.outgoing().buffer, above, trial.tag),
    ];
    while (open.length > 0) {
      for (const { index } of testSome(open).reverse()) open.splice(index, 1);
    }
    trial.checkArrival(receiving.value, incoming);
  },

  'isend, irecv, testAll'(trial) {
    const incoming = trial.incoming();
    const receiving = comm.irecv(incoming.buffer, below, trial.tag);
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    while (!testAll([sending, receiving]));
    trial.checkArrival(receiving.value, incoming);
    waitOneByOne([sending, receiving], testAny);
  },

  async 'isend, irecv with limits'(trial) {
    const incoming = trial.incoming();
    const { signal } = new AbortController();
    const limits = { timeout: 30_000, signal };
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag, limits);
    const status = await comm.irecv(incoming.buffer, below, trial.tag, limits);
    trial.checkArrival(status, incoming);
    sending.wait();
  },

  async isendrecv(trial) {
    const incoming = trial.incoming();
    const { buffer } = trial.outgoing();
    const request = comm.isendrecv(buffer, above, trial.tag, incoming.buffer, below, trial.tag);
    trial.checkArrival(await request, incoming);
  },

  'isendrecv, waitAll'(trial) {
    const incoming = trial.incoming();
    const { buffer } = trial.outgoing();
    const request = comm.isendrecv(buffer, above, trial.tag, incoming.buffer, below, trial.tag);
    const [status] = waitAll([request]);
    trial.checkArrival(status, incoming);
    waitOneByOne([request], waitAny);
  },

  sendrecvReplace(trial) {
    const both = trial.outgoing();
    const status = comm.sendrecvReplace(both.buffer, above, trial.tag, below, trial.tag);
    trial.checkArrival(status, both);
  },

  async isendrecvReplace(trial) {
    const both = trial.outgoing();
    const request = comm.isendrecvReplace(both.buffer, above, trial.tag, below, trial.tag);
    trial.checkArrival(await request, both);
  },

  'sendInit, recvInit'(trial) {
    const incoming = trial.incoming();
    const sending = comm.sendInit(trial.outgoing().buffer, above, trial.tag);
    const receiving = comm.recvInit(incoming.buffer, below, trial.tag);
    for (let round = 0; round < ROUNDS; round++) {
      const [status] = waitAll(startAll([receiving, sending]));
      trial.checkArrival(status, incoming);
    }
    sending.free();
    receiving.free();
  },

  async 'ssendInit, recvInit, await'(trial) {
    const incoming = trial.incoming();
    const sending = comm.ssendInit(trial.outgoing().buffer, above, trial.tag);
    const receiving = comm.recvInit(incoming.buffer, ANY_SOURCE, trial.tag);
    for (let round = 0; round < ROUNDS; round++) {
      const sent = sending.start();
      const received = receiving.start();
      if (round + 1 === ROUNDS) {
        // It goes on, and the end of the round is the end of the request.
        sending.free();
        receiving.free();
      }
      trial.checkArrival(await received, incoming);
      await sent;
      // With wildcards a faster rank's next message could be taken for this one.
      comm.barrier();
    }
  },
};
