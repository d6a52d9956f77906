// Runs cases of the table in test/matrix.ts on all ranks: node runtime-matrix.ts seed code code…
// Each rank writes one line of JSON, see `Report`.
import {
  ANY_SOURCE,
  ANY_TAG,
  type BufferArgument,
  type BufferLike,
  MpiError,
  self,
  type Status,
  type TypedArray,
  type TypedArrayClass,
  waitAll,
  world,
  wtime,
} from 'onecopy';
import { type Case, type Count, decode, type Element } from '../matrix.ts';
import { Random } from '../support/random.ts';

export interface Report {
  readonly rank: number;
  readonly ran: number;
  readonly eagerLimit: number;
  readonly failures: readonly string[];
}

const { rank, size } = world;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;
const GUARD = 0xa5;

const [seed = 0, ...codes] = process.argv.slice(2).map(Number);
const eagerLimit = findEagerLimit();
const failures: string[] = [];

for (const code of codes) {
  const one = decode(code);
  try {
    await new Trial(one, code).run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    failures.push(`rank ${rank}, ${JSON.stringify(one)}: ${text}`);
    // The others may wait for what this rank has not done: what follows would fail for no reason of its own.
    break;
  }
}
const report: Report = { rank, ran: codes.length, eagerLimit, failures };
console.log(JSON.stringify(report));
if (failures.length > 0) process.exitCode = 1;

/** The largest message that a blocking send to oneself does not wait with; 0 if there is none. */
function findEagerLimit(): number {
  const isEager = (bytes: number): boolean => {
    try {
      self.send(new Uint8Array(bytes), 0);
    } catch (error) {
      if (error instanceof MpiError && error.code === 'ERR_DEADLOCK') return false;
      throw error;
    }
    self.recv(new Uint8Array(bytes), 0);
    return true;
  };
  let low = 0;
  let high = 1 << 24;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (isEager(middle)) low = middle;
    else high = middle;
  }
  return low;
}
