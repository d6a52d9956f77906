/** Grids of ranks, as numbers: no communicator is needed for this (MPI-4.1 sections 8.5.1 to 8.5.5). */
import { MpiError, PROC_NULL } from '@onecopy/engine';
import { isRank, show } from '../arguments.ts';

/** Extents of a grid, and in which directions it is closed to a ring. Ranks are numbered row by row. */
export interface Grid {
  readonly dims: readonly number[];
  readonly periods: readonly boolean[];
}

/** Ranks that a rank receives from and sends to when all shift their data; `PROC_NULL` beyond an edge. */
export interface Shift {
  readonly source: number;
  readonly dest: number;
}

/**
 * Shares out `nnodes` among the dimensions of a grid, as evenly as can be (MPI_Dims_create, MPI-4.1 section 8.5.2): the
 * largest extent is as small as possible, then the next. `dimsCreate(12, 2)` is `[4, 3]`; `dimsCreate(12, [0, 2, 0])`,
 * where the middle extent is given, `[3, 2, 2]`.
 *
 * @param dims their number, or their extents, 0 for those that are to be found; these do not increase
 * @throws MpiError `ERR_DIMS` if the given extents do not divide `nnodes`; `ERR_ARG` for what is no count or no extent
 */
export function dimsCreate(nnodes: number, dims: number | readonly number[]): number[] {
  if (!isExtent(nnodes) || nnodes === 0) {
    throw new MpiError(
      'ERR_ARG',
      `dimsCreate: the number of ranks is a whole number from 1, not ${show(nnodes)}`,
    );
  }
  const wanted = typeof dims === 'number' ? freeDims(dims) : [...checkList('dimsCreate', dims)];
  for (const extent of wanted) {
    if (isExtent(extent)) continue;
    throw new MpiError(
      'ERR_ARG',
      `dimsCreate: an extent is a whole number, 0 for one that is to be found, not ${show(extent)}`,
    );
  }
  const fixed = product(wanted.filter((extent) => extent !== 0));
  const free = wanted.filter((extent) => extent === 0).length;
  if (nnodes % fixed !== 0 || (free === 0 && fixed !== nnodes)) {
    throw new MpiError(
      'ERR_DIMS',
      `dimsCreate: ${nnodes} ranks make no grid of ${wanted.map((each) => each || '?').join(' x ')}`,
    );
  }
  const found = factors(nnodes / fixed, free, nnodes) as number[];
  return wanted.map((extent) => extent || (found.shift() as number));
}

function freeDims(count: unknown): number[] {
  if (isExtent(count)) return new Array<number>(count).fill(0);
  throw new MpiError('ERR_ARG', `dimsCreate: ${show(count)} is not a number of dimensions`);
}

/** The least of all ways, in lexical order, to write n as so many factors that do not increase and are at most `most`. */
function factors(n: number, count: number, most: number): number[] | undefined {
  if (count === 0) return n === 1 ? [] : undefined;
  for (const largest of divisorsOf(n)) {
    if (largest ** count < n || largest > most) continue;
    const rest = factors(n / largest, count - 1, largest);
    if (rest !== undefined) return [largest, ...rest];
  }
  return undefined;
}

function divisorsOf(n: number): number[] {
  const low: number[] = [];
  const high: number[] = [];
  for (let divisor = 1; divisor * divisor <= n; divisor += 1) {
    if (n % divisor !== 0) continue;
    low.push(divisor);
    if (divisor * divisor !== n) high.unshift(n / divisor);
  }
  return [...low, ...high];
}

/** Ranks of a grid. */
export function product(dims: readonly number[]): number {
  return dims.reduce((all, extent) => all * extent, 1);
}

export function coordsOf({ dims }: Grid, rank: number): number[] {
  const coords = new Array<number>(dims.length);
  let rest = rank;
  for (let direction = dims.length - 1; direction >= 0; direction -= 1) {
    const extent = dims[direction] as number;
    coords[direction] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return coords;
}

/** The rank at some coordinates; undefined if they lie beyond an edge. */
export function rankAt({ dims, periods }: Grid, coords: readonly number[]): number | undefined {
  let rank = 0;
  for (const [direction, extent] of dims.entries()) {
    const coord = coords[direction] as number;
    const inside = coord >= 0 && coord < extent;
    if (!inside && !periods[direction]) return undefined;
    rank = rank * extent + (inside ? coord : ((coord % extent) + extent) % extent);
  }
  return rank;
}

export function shiftOf(grid: Grid, rank: number, direction: number, disp: number): Shift {
  const coords = coordsOf(grid, rank);
  const at = (distance: number): number =>
    rankAt(
      grid,
      coords.map((coord, each) => (each === direction ? coord + distance : coord)),
    ) ?? PROC_NULL;
  return { source: at(-disp), dest: at(disp) };
}

export function checkGrid(call: string, dims: unknown, periods: unknown, size: number): Grid {
  const extents = [...checkList(call, dims)];
  for (const extent of extents) {
    if (isExtent(extent) && extent > 0) continue;
    throw new MpiError(
      'ERR_DIMS',
      `${call}: an extent is a whole number from 1, not ${show(extent)}; dimsCreate finds extents`,
    );
  }
  if (product(extents) > size) {
    throw new MpiError(
      'ERR_DIMS',
      `${call}: a grid of ${extents.join(' x ')} needs ${product(extents)} ranks, and there are ${size}`,
    );
  }
  return { dims: extents, periods: checkPeriods(call, periods, extents.length) };
}

function checkPeriods(call: string, periods: unknown, dimensions: number): boolean[] {
  if (periods === undefined || typeof periods === 'boolean') {
    return new Array<boolean>(dimensions).fill(periods ?? false);
  }
  return checkFlags(call, 'periods', periods, dimensions);
}

export function checkFlags(
  call: string,
  what: string,
  flags: unknown,
  dimensions: number,
): boolean[] {
  if (
    Array.isArray(flags) &&
    flags.length === dimensions &&
    flags.every((each) => typeof each === 'boolean')
  ) {
    return [...flags];
  }
  throw new MpiError(
    'ERR_ARG',
    `${call}: ${what} are ${dimensions} times true or false, one for each dimension, not ` +
      (Array.isArray(flags) ? `[${flags.map(show).join(', ')}]` : show(flags)),
  );
}

export function checkCoords(call: string, coords: unknown, { dims }: Grid): readonly number[] {
  const list = checkList(call, coords);
  if (list.length === dims.length && list.every((each) => Number.isSafeInteger(each))) return list;
  throw new MpiError(
    'ERR_ARG',
    `${call}: coordinates are ${dims.length} whole numbers, one for each dimension, not [${list.map(show).join(', ')}]`,
  );
}

export function checkDirection(call: string, direction: unknown, { dims }: Grid): number {
  if (isRank(direction, dims.length)) return direction;
  throw new MpiError(
    'ERR_DIMS',
    `${call}: ${show(direction)} is no direction of the grid, which has ` +
      (dims.length === 0 ? 'none' : `0 to ${dims.length - 1}`),
  );
}

function checkList(call: string, list: unknown): readonly number[] {
  if (Array.isArray(list)) return list as number[];
  throw new MpiError(
    'ERR_ARG',
    `${call}: give an array with a number for each dimension, not ${show(list)}`,
  );
}

function isExtent(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value && value >= 0;
}
