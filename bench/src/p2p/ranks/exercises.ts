import { type BufferArgument, Datatype, DOUBLE, MpiError, world } from '@onecopy/runtime';
import { Awaited } from '../../ranks/awaited.ts';
import { Memory } from '../../ranks/memory.ts';
import { pageAligned } from '../../ranks/page-aligned.ts';
import { Persistent } from '../../ranks/persistent.ts';
import { OneWay } from '../../ranks/windows.ts';
import { makeRecords } from '../records.ts';
import {
  ARRAY_BYTES,
  ELEMENTS_BYTES,
  IN_FLIGHT,
  POSTED,
  ROW_BYTES,
  ROWS_BYTES,
  SMALL,
  STRIDE_BYTES,
} from '../sizes.ts';
import type { P2pExercise } from './exercise.ts';
import { InFlight } from './in-flight.ts';
import { InTurns } from './in-turns.ts';

export type ExerciseName =
  | 'awaited'
  | 'in flight'
  | 'matching'
  | 'matching among others'
  | 'isend'
  | 'persistent'
  | 'contiguous rows'
  | 'strided rows'
  | 'strided elements'
  | 'records'
  | 'array'
  | 'new array'
  | 'array in an object';

const TAG = 1;
/** The first of those that nobody sends with. */
const OTHER_TAGS = 1000;
const WIDTH = Float64Array.BYTES_PER_ELEMENT;

const memory = (): Memory => new Memory({});
const peer = (): number => 1 - world.rank;

/** Each throws `Unavailable` on both ranks where onecopy cannot do it. */
export const EXERCISES: Readonly<Record<ExerciseName, () => P2pExercise>> = {
  awaited: () => new Awaited(SMALL, memory()),
  'in flight': () => new InFlight(IN_FLIGHT, SMALL),
  matching: () => matching(0),
  'matching among others': () => matching(POSTED),
  isend: () => new OneWay(SMALL, memory()),
  persistent: () => new Persistent(SMALL, memory()),
  'contiguous rows': () => messages(doubles(ROWS_BYTES)),
  'strided rows': () => {
    const block = ROW_BYTES / WIDTH;
    const datatype = Datatype.vector(ROWS_BYTES / ROW_BYTES, block, 2 * block, DOUBLE);
    return messages({ data: doubles(2 * ROWS_BYTES), count: 1, datatype });
  },
  'strided elements': () => {
    const count = ELEMENTS_BYTES / WIDTH;
    const datatype = Datatype.vector(count, 1, STRIDE_BYTES / WIDTH, DOUBLE);
    const out = { data: doubles(count * STRIDE_BYTES), count: 1, datatype };
    const into = doubles(ELEMENTS_BYTES);
    return new InTurns(
      () => world.send(out, peer(), TAG),
      () => world.recv(into, peer(), TAG),
    );
  },
  records: () => objects(makeRecords()),
  array: () => messages(doubles(ARRAY_BYTES)),
  'new array': () => {
    const data = doubles(ARRAY_BYTES);
    return new InTurns(
      () => world.send(data, peer(), TAG),
      () => world.recvNew(Float64Array, peer(), TAG),
    );
  },
  'array in an object': () => objects({ title: 'a large array', data: doubles(ARRAY_BYTES) }),
};

/** Written to, so that each page is there. */
function doubles(bytes: number): Float64Array {
  const { buffer, byteOffset } = pageAligned(bytes);
  return new Float64Array(buffer, byteOffset, bytes / WIDTH).fill(1);
}

/** Back into where it was sent from: the cache is as warm for all. */
function messages(buffer: BufferArgument): P2pExercise {
  return new InTurns(
    () => world.send(buffer, peer(), TAG),
    () => world.recv(buffer, peer(), TAG),
  );
}

function objects(value: unknown): P2pExercise {
  return new InTurns(
    () => world.sendObject(value, peer(), TAG),
    () => world.recvObject(peer(), TAG),
  );
}

/** A small message each way, of a tag of its own, while so many receives wait for other tags. */
function matching(posted: number): P2pExercise {
  const buffer = new Uint8Array(SMALL);
  const unused = new Uint8Array(SMALL);
  const others = Array.from({ length: posted }, (_, i) =>
    world.irecv(unused, peer(), OTHER_TAGS + i),
  );
  return new InTurns(
    () => world.send(buffer, peer(), TAG),
    () => world.recv(buffer, peer(), TAG),
    () => {
      for (const request of others) {
        request.catch(ignoreCancelled);
        request.cancel();
      }
    },
  );
}

function ignoreCancelled(error: unknown): void {
  if (!(error instanceof MpiError && error.code === 'ERR_CANCELLED')) throw error;
}
