/**
 * Parallel sorting by regular sampling, each rank's own steps. Nothing here sends anything.
 *
 * Every rank has some numbers, sorted. Some of them, at regular distances, are samples; the samples of all ranks, sorted,
 * give the *splitters*, which say what part of the numbers each rank gets. Equal numbers are told apart by where they
 * were, so that many of them do not all go to the same rank.
 *
 * -0 comes before 0, as in the sort of typed arrays. No number is NaN.
 */

/** Samples and splitters are triples: a number, the rank that has it, and its place there. Here are many of them. */
export type Keys = Float64Array;

const [NUMBER, RANK, PLACE, KEY] = [0, 1, 2, 3];
const NUMBERS_PER_PIECE = 65_536;

/**
 * How far apart samples are, so that there are about ranks² of them. A rank then gets less than twice its fair share, and
 * some numbers more where there are only few.
 */
export function samplingDistance(total: number, ranks: number): number {
  return Math.max(1, Math.floor(total / (ranks * ranks)));
}

export function newKeys(count: number): Keys {
  return new Float64Array(count * KEY);
}

export function sampleKeys(sorted: Float64Array, rank: number, distance: number): Keys {
  const keys = newKeys(Math.floor(sorted.length / distance));
  for (let key = 0; key < keys.length; key += KEY) {
    const place = (key / KEY + 1) * distance - 1;
    keys.set([sorted[place]!, rank, place], key);
  }
  return keys;
}

/** The last key of each part but the last part. There must be at least one sample. */
export function chooseSplitters(samples: Keys, parts: number): Keys {
  const order = Array.from({ length: samples.length / KEY }, (_, i) => i * KEY);
  order.sort((a, b) => compareKeys(samples, a, b));
  const splitters = newKeys(parts - 1);
  for (let part = 1; part < parts; part++) {
    const key = order[Math.ceil((order.length * part) / parts) - 1]!;
    splitters.set(samples.subarray(key, key + KEY), (part - 1) * KEY);
  }
  return splitters;
}

function compareKeys(keys: Keys, a: number, b: number): number {
  const [m, n] = [keys[a + NUMBER]!, keys[b + NUMBER]!];
  if (precedes(m, n)) return -1;
  if (precedes(n, m)) return 1;
  return keys[a + RANK]! - keys[b + RANK]! || keys[a + PLACE]! - keys[b + PLACE]!;
}

/** How many of this rank's numbers go to each part. */
export function cutAtSplitters(sorted: Float64Array, rank: number, splitters: Keys): number[] {
  const cuts = [0];
  for (let key = 0; key < splitters.length; key += KEY) {
    const number = splitters[key + NUMBER]!;
    const owner = splitters[key + RANK]!;
    if (owner === rank) cuts.push(splitters[key + PLACE]! + 1);
    else cuts.push(rank < owner ? countUpTo(sorted, number) : countBelow(sorted, number));
  }
  cuts.push(sorted.length);
  return cuts.slice(1).map((cut, part) => cut - cuts[part]!);
}

function countBelow(sorted: Float64Array, number: number): number {
  return firstPlace(sorted, (other) => !precedes(other, number));
}

function countUpTo(sorted: Float64Array, number: number): number {
  return firstPlace(sorted, (other) => precedes(number, other));
}

/** The first place whose number passes a test that all after it pass too. */
function firstPlace(sorted: Float64Array, passes: (number: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (passes(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Sorts numbers that are sorted runs of these lengths, one after the other. May use `numbers` as its own. */
export function mergeRuns(numbers: Float64Array, lengths: readonly number[]): Float64Array {
  let ends: number[] = [];
  for (const length of lengths) ends.push((ends.at(-1) ?? 0) + length);
  let from = numbers;
  let to: Float64Array = new Float64Array(numbers.length);
  while (ends.length > 1) {
    const merged: number[] = [];
    for (let run = 0; run < ends.length; run += 2) {
      const end = ends[run + 1] ?? ends[run]!;
      merge(from, run === 0 ? 0 : ends[run - 1]!, ends[run]!, end, to);
      merged.push(end);
    }
    [from, to, ends] = [to, from, merged];
  }
  return from;
}

/** Two neighbouring runs into the same place of another array. */
function merge(
  from: Float64Array,
  start: number,
  middle: number,
  end: number,
  to: Float64Array,
): void {
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    const takesRight = left === middle || (right < end && precedes(from[right]!, from[left]!));
    to[at] = takesRight ? from[right++]! : from[left++]!;
  }
}

/** Whether no number precedes the one before it, nor the first one `before`. */
export function isSorted(numbers: Float64Array, before: number): boolean {
  return numbers.every((number, i) => !precedes(number, i === 0 ? before : numbers[i - 1]!));
}

function precedes(a: number, b: number): boolean {
  return a < b || (a === 0 && b === 0 && Object.is(a, -0) && !Object.is(b, -0));
}

/** One number a line, in pieces of a size that is good to write. */
export function* toLines(numbers: Float64Array): Generator<string> {
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_PIECE) {
    let lines = '';
    for (const number of numbers.subarray(at, at + NUMBERS_PER_PIECE)) {
      lines += Object.is(number, -0) ? '-0\n' : `${number}\n`;
    }
    yield lines;
  }
}
