/** A prime, so that the pattern never repeats where a page, a slice or a block begins. */
const PERIOD = 1_048_573;

/** Pseudo-random bytes, twice in a row: a run of up to PERIOD bytes can begin anywhere in the first half. */
const table = makeTable();

/** What a message is filled with: another stretch of the table for every message. */
export interface Message {
  readonly source: number;
  /** The source itself when it is for all. */
  readonly dest: number;
  readonly iteration: number;
}

export interface Mismatch {
  readonly offset: number;
  readonly expected: number;
  readonly got: number;
}

export function fill(view: Uint8Array, message: Message): void {
  const start = startOf(message, view.length);
  for (let offset = 0; offset < view.length; offset += PERIOD) {
    const bytes = Math.min(PERIOD, view.length - offset);
    view.set(table.subarray(start, start + bytes), offset);
  }
}

/** The first byte that is not as `fill` made it, or undefined. */
export function verify(view: Uint8Array, message: Message): Mismatch | undefined {
  const start = startOf(message, view.length);
  for (let offset = 0; offset < view.length; offset += PERIOD) {
    const got = view.subarray(offset, Math.min(offset + PERIOD, view.length));
    const expected = table.subarray(start, start + got.length);
    if (Buffer.compare(got, expected) === 0) continue;
    const index = got.findIndex((byte, position) => byte !== expected[position]);
    return { offset: offset + index, expected: expected[index]!, got: got[index]! };
  }
  return undefined;
}

function startOf({ source, dest, iteration }: Message, bytes: number): number {
  // Neighbours in any of the four differ: the factors are primes, and none is a multiple of PERIOD.
  return (iteration * 7919 + source * 104_729 + dest * 611_953 + (bytes % PERIOD) * 31) % PERIOD;
}

function makeTable(): Uint8Array {
  const bytes = new Uint8Array(2 * PERIOD);
  let state = 0x9e3779b9;
  for (let index = 0; index < PERIOD; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state >>> 24;
  }
  bytes.copyWithin(PERIOD, 0, PERIOD);
  return bytes;
}
