// Messages between arrays from alloc, of all sorts of lengths, element types and places. Prints the counters of each
// rank and how many bytes of large messages it has received. Two ranks.
import { alloc, counters, type TypedArray, type TypedArrayClass, waitAll, world } from 'onecopy';

// Of what lies in the heap (native/core/engine/thresholds.h).
const EAGER_LIMIT = 1024;
const { rank } = world;
const other = 1 - rank;

const LENGTHS: readonly number[] = [
  ...[0, 1, 100, EAGER_LIMIT, EAGER_LIMIT + 1, 65_536, 65_537],
  ...[524_287, 524_288, 524_289, 1_048_576, 2_097_153, 5_000_003],
];
const CLASSES: readonly TypedArrayClass[] = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
];

const valueAt = (from: number, round: number, i: number): number =>
  (from * 31 + round * 7 + i * 13 + (i >> 8)) & 0x7f;

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function check(right: boolean, what: string): void {
  if (!right) throw new Error(`rank ${rank}: ${what}`);
}

let large = 0;
let round = 0;

function exchange(out: TypedArray, into: TypedArray, around: Uint8Array): void {
  round += 1;
  const sent = bytesOf(out);
  for (let i = 0; i < sent.length; i++) sent[i] = valueAt(rank, round, i);
  around.fill(0xee);
  waitAll([world.irecv(into, other, round), world.isend(out, other, round)]);
  const got = bytesOf(into);
  for (let i = 0; i < got.length; i++) {
    if (got[i] !== valueAt(other, round, i)) throw new Error(`round ${round}: byte ${i}`);
  }
  const from = into.byteOffset - around.byteOffset;
  for (const at of [from - 1, from + into.byteLength]) {
    if (at >= 0 && at < around.length) check(around[at] === 0xee, `round ${round}: wrote at ${at}`);
  }
  if (into.byteLength > EAGER_LIMIT) large += into.byteLength;
}

for (const bytes of LENGTHS) {
  const out = alloc(Uint8Array, bytes + 10);
  const into = alloc(Uint8Array, bytes + 10);
  check(out.length === bytes + 10 && out.every((value) => value === 0), 'not zeroed');
  for (const [from, to] of [
    [0, 0],
    [1, 0],
    [3, 7],
  ] as const) {
    exchange(out.subarray(from, from + bytes), into.subarray(to, to + bytes), into);
  }
}

for (const arrayClass of CLASSES) {
  const length = 40_000;
  const out = alloc(arrayClass, length);
  const into = alloc(arrayClass, length);
  exchange(out, into, bytesOf(into));
  exchange(out.subarray(3, 30_003), into.subarray(5, 30_005), bytesOf(into));
  out[Symbol.dispose]();
  into[Symbol.dispose]();
}
console.log(JSON.stringify({ rank, large, ...counters() }));
