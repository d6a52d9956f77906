import { SimulationError } from './error.ts';
import { UNWRITTEN } from './values.ts';

/** One piece of memory of one rank, a cell per element. */
export interface Memory {
  /** Unique among all of a simulation. */
  readonly id: number;
  readonly name: string;
  readonly cells: Float64Array;
  /** A send buffer that is not a receive buffer too. */
  readonly readOnly: boolean;
}

/** A region as it lies in memory: cells from `bounds[2i]` up to, not including, `bounds[2i + 1]`, in the order meant. */
export interface Extent {
  readonly memory: Memory;
  readonly bounds: readonly number[];
  readonly cells: number;
  readonly cellBytes: number;
}

export function bytesOf(extent: Extent | undefined): number {
  return extent === undefined ? 0 : extent.cells * extent.cellBytes;
}

/** All elements of an extent; it is an error if one was never written. */
export function read(extent: Extent): number[] {
  const { memory, bounds, cells } = extent;
  const values = new Array<number>(cells);
  let place = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    for (let cell = bounds[i] as number; cell < (bounds[i + 1] as number); cell += 1) {
      const value = memory.cells[cell] as number;
      if (value < 0) {
        const state = value === UNWRITTEN ? 'was never written' : 'is not part of the operation';
        throw new SimulationError(
          'uninitialised',
          `reads element ${cell} of ${memory.name}, which ${state}`,
        );
      }
      values[place] = value;
      place += 1;
    }
  }
  return values;
}

export function write(extent: Extent, values: readonly number[]): void {
  const { memory, bounds, cells } = extent;
  if (values.length !== cells) {
    throw new SimulationError(
      'length',
      `${values.length} elements for the ${cells} of ${memory.name}`,
    );
  }
  if (memory.readOnly && cells > 0) {
    throw new SimulationError('bounds', `writes into ${memory.name}`);
  }
  let place = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    for (let cell = bounds[i] as number; cell < (bounds[i + 1] as number); cell += 1) {
      memory.cells[cell] = values[place] as number;
      place += 1;
    }
  }
}

/** Whether two extents share a cell. */
export function overlap(one: Extent, other: Extent): boolean {
  if (one.memory !== other.memory) return false;
  for (let i = 0; i < one.bounds.length; i += 2) {
    for (let j = 0; j < other.bounds.length; j += 2) {
      const begin = Math.max(one.bounds[i] as number, other.bounds[j] as number);
      if (begin < Math.min(one.bounds[i + 1] as number, other.bounds[j + 1] as number)) return true;
    }
  }
  return false;
}

/** Whether two extents are the same cells in the same order. */
export function same(one: Extent, other: Extent): boolean {
  return (
    one.memory === other.memory &&
    one.bounds.length === other.bounds.length &&
    one.bounds.every((bound, i) => bound === other.bounds[i])
  );
}

/** How many cells of `whole` come before each range of `part`, which must lie in it; undefined if it does not. */
export function placesIn(whole: Extent, part: Extent): number[] | undefined {
  const places: number[] = [];
  for (let i = 0; i < part.bounds.length; i += 2) {
    const place = placeOf(whole, part.bounds[i] as number, part.bounds[i + 1] as number);
    if (place === undefined) return undefined;
    places.push(place);
  }
  return part.cells === 0 || part.memory === whole.memory ? places : undefined;
}

function placeOf(whole: Extent, begin: number, end: number): number | undefined {
  let before = 0;
  for (let i = 0; i < whole.bounds.length; i += 2) {
    const low = whole.bounds[i] as number;
    const high = whole.bounds[i + 1] as number;
    if (begin >= low && end <= high) return before + begin - low;
    before += high - low;
  }
  return undefined;
}

/** The cells of an extent from the one numbered `first` on. */
export function piece(whole: Extent, first: number, cells: number): Extent {
  const bounds: number[] = [];
  let before = 0;
  for (let i = 0; i < whole.bounds.length; i += 2) {
    const low = whole.bounds[i] as number;
    const high = whole.bounds[i + 1] as number;
    const begin = low + Math.max(0, first - before);
    const end = Math.min(high, low + first + cells - before);
    if (begin < end) bounds.push(begin, end);
    before += high - low;
  }
  return { memory: whole.memory, bounds, cells, cellBytes: whole.cellBytes };
}
