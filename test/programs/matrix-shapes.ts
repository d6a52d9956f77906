// Cases of the table about what is no plain buffer: objects, and items of datatypes with gaps.
import { BYTE, Datatype } from 'onecopy';
import type { Case } from '../matrix.ts';
import { communicatorUnderTest } from '../support/communicator.ts';
import type { Trial } from './runtime-matrix.ts';

type Name =
  | 'isendObject, recvObject'
  | 'isendObject, irecvObject, await'
  | 'isendObject, mprobe, recvObject'
  | 'isend with gaps, recv'
  | 'isend, irecv with gaps, await'
  | 'isend with gaps, recv with gaps';

interface Parcel {
  readonly from: number;
  readonly content: Uint8Array;
}

const comm = communicatorUnderTest();
const { rank, size } = comm;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;
const GAP = 0xa5;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function parcelFor(trial: Trial): Parcel {
  return { from: rank, content: trial.content(rank, above) };
}

function checkParcel(trial: Trial, { from, content }: Parcel): void {
  must(from === below, `from ${from}, not ${below}`);
  must(Buffer.compare(content, trial.content(below, rank)) === 0, 'other bytes in the object');
}

/** Each element of the case, and a gap of its length after it. */
class Spread {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly count = 1;
  readonly datatype: Datatype;
  readonly #width: number;

  constructor(trial: Trial, bytes: number) {
    this.#width = trial.count === 0 ? 1 : bytes / trial.count;
    this.data = new Uint8Array(2 * bytes).fill(GAP);
    this.datatype = Datatype.vector(trial.count, this.#width, 2 * this.#width, BYTE);
  }

  fill(content: Uint8Array): this {
    content.forEach((byte, at) => {
      this.data[this.#place(at)] = byte;
    });
    return this;
  }

  check(content: Uint8Array): void {
    const expected = new Uint8Array(this.data.length).fill(GAP);
    content.forEach((byte, at) => {
      expected[this.#place(at)] = byte;
    });
    must(Buffer.compare(this.data, expected) === 0, 'other bytes, or one in a gap');
  }

  #place(at: number): number {
    const within = at % this.#width;
    return 2 * (at - within) + within;
  }
}

function outgoing(trial: Trial): Spread {
  const content = trial.content(rank, above);
  return new Spread(trial, content.length).fill(content);
}

function incoming(trial: Trial): Spread {
  return new Spread(trial, trial.content(below, rank).length);
}

/** Every rank sends to the one above and receives from the one below. */
export const SHAPE_OPERATIONS: Readonly<
  Record<Name & Case['operation'], (trial: Trial) => void | Promise<void>>
> = {
  'isendObject, recvObject'(trial) {
    const sending = comm.isendObject(parcelFor(trial), above, trial.tag);
    const { value, status } = comm.recvObject<Parcel>(below, trial.tag);
    checkParcel(trial, value);
    must(status.source === below && status.tag === trial.tag, 'another status');
    sending.wait();
  },

  async 'isendObject, irecvObject, await'(trial) {
    const receiving = comm.irecvObject<Parcel>(below, trial.tag);
    const sending = comm.isendObject(parcelFor(trial), above, trial.tag, { codec: 'v8' });
    checkParcel(trial, (await receiving).value);
    await sending;
  },

  'isendObject, mprobe, recvObject'(trial) {
    const sending = comm.isendObject(parcelFor(trial), above, trial.tag);
    checkParcel(trial, comm.mprobe(below, trial.tag).recvObject<Parcel>().value);
    sending.wait();
  },

  'isend with gaps, recv'(trial) {
    const into = trial.incoming();
    const sending = comm.isend(outgoing(trial), above, trial.tag);
    trial.checkArrival(comm.recv(into.buffer, below, trial.tag), into);
    sending.wait();
  },

  async 'isend, irecv with gaps, await'(trial) {
    const into = incoming(trial);
    const receiving = comm.irecv(into, below, trial.tag);
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const content = trial.content(below, rank);
    trial.checkStatus(await receiving, below, content.length);
    into.check(content);
    await sending;
  },

  'isend with gaps, recv with gaps'(trial) {
    const into = incoming(trial);
    const sending = comm.isend(outgoing(trial), above, trial.tag);
    const content = trial.content(below, rank);
    trial.checkStatus(comm.recv(into, below, trial.tag), below, content.length);
    into.check(content);
    sending.wait();
  },
};
