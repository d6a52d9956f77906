/** One rank's part of a block of cells in three dimensions, and its layers that neighbours have to know. */
import { Datatype, DOUBLE, type Request, waitAll, world } from 'onecopy';
import { partSizes } from './parts.ts';

const { rank, size } = world;

/** So many ranks along each dimension: the prime factors of their number, shared out evenly. */
export function gridOf(ranks: number): [number, number, number] {
  const grid: [number, number, number] = [1, 1, 1];
  const factors: number[] = [];
  for (let rest = ranks, factor = 2; rest > 1; factor++) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor);
  }
  for (const factor of factors.reverse()) grid[grid.indexOf(Math.min(...grid))]! *= factor;
  return grid;
}

/** A layer to give to a neighbour, and where the layer from the neighbour on the other side goes. */
interface Face {
  readonly to: number;
  readonly from: number;
  readonly own: Datatype;
  readonly halo: Datatype;
}

/** This rank's part of the block, with a layer of its neighbours' cells all around. */
export class Part {
  readonly lengths: readonly number[];
  readonly faces: readonly Face[];
  cells: Float64Array;
  #next: Float64Array;

  constructor(cells: number) {
    const grid = gridOf(size);
    const [, ny, nz] = grid;
    const place = [Math.floor(rank / (ny * nz)), Math.floor(rank / nz) % ny, rank % nz];
    const parts = grid.map((ranks) => partSizes(ranks, cells));
    this.lengths = parts.map((sizes, dimension) => sizes[place[dimension]!]!);
    const whole = this.lengths.map((length) => length + 2);
    this.cells = new Float64Array(whole.reduce((product, length) => product * length));
    this.#next = new Float64Array(this.cells.length);
    this.faces = [0, 1, 2].flatMap((dimension) =>
      [-1, 1].map((direction): Face => {
        const length = this.lengths[dimension]!;
        const layer = this.lengths.map((each, i) => (i === dimension ? 1 : each));
        const at = (index: number): number[] => [0, 1, 2].map((i) => (i === dimension ? index : 1));
        const neighbour = (step: number): number => {
          const [x, y, z] = place.map((each, i) =>
            i === dimension ? (each + step + grid[i]!) % grid[i]! : each,
          ) as [number, number, number];
          return (x * ny + y) * nz + z;
        };
        return {
          to: neighbour(direction),
          from: neighbour(-direction),
          own: Datatype.subarray(whole, layer, at(direction < 0 ? 1 : length), DOUBLE),
          halo: Datatype.subarray(whole, layer, at(direction < 0 ? length + 1 : 0), DOUBLE),
        };
      }),
    );
    // One hot cell in the first corner.
    if (rank === 0) this.cells[this.#index(1, 1, 1)] = 1000;
  }

  /** Fills the layer around this part with what the neighbours have. */
  exchange(): void {
    const { cells: data } = this;
    const requests: Request<unknown>[] = [];
    for (const [tag, { from, halo }] of this.faces.entries()) {
      requests.push(world.irecv({ data, count: 1, datatype: halo }, from, tag));
    }
    for (const [tag, { to, own }] of this.faces.entries()) {
      requests.push(world.isend({ data, count: 1, datatype: own }, to, tag));
    }
    waitAll(requests);
  }

  /** Every cell becomes the mean of its six neighbours. */
  step(): void {
    const [nx, ny, nz] = this.lengths as [number, number, number];
    const { cells } = this;
    const next = this.#next;
    const row = nz + 2;
    const plane = (ny + 2) * row;
    for (let x = 1; x <= nx; x++) {
      for (let y = 1; y <= ny; y++) {
        for (let i = this.#index(x, y, 1), end = i + nz; i < end; i++) {
          const across = cells[i - plane]! + cells[i + plane]!;
          const along = cells[i - row]! + cells[i + row]!;
          next[i] = (across + along + (cells[i - 1]! + cells[i + 1]!)) / 6;
        }
      }
    }
    this.#next = cells;
    this.cells = next;
  }

  get hottest(): number {
    const [nx, ny, nz] = this.lengths as [number, number, number];
    let hottest = 0;
    for (let x = 1; x <= nx; x++) {
      for (let y = 1; y <= ny; y++) {
        for (let z = 1; z <= nz; z++) {
          hottest = Math.max(hottest, this.cells[this.#index(x, y, z)]!);
        }
      }
    }
    return hottest;
  }

  #index(x: number, y: number, z: number): number {
    const [, ny, nz] = this.lengths as [number, number, number];
    return (x * (ny + 2) + y) * (nz + 2) + z;
  }
}
