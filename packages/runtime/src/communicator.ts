import { MpiError } from '@onecopy/engine';
import { isRank, show } from './arguments.ts';
import { AttributeKey, type KeyOptions } from './management/attributes.ts';
import type { Made } from './management/creation.ts';
import type { Joined } from './membership.ts';
import type { Request } from './request.ts';
import { Topologies } from './topologies/creation.ts';
import type { Neighbors, NeighborsCount } from './topologies/graph.ts';
import {
  checkCoords,
  checkDirection,
  checkFlags,
  coordsOf,
  type Grid,
  rankAt,
  type Shift,
  shiftOf,
} from './topologies/grid.ts';

/**
 * Ranks that can talk to each other, apart from all other communicators (MPI-4.1 chapter 7). Every process of a job has
 * `world`, with all ranks, and `self`, with itself.
 *
 * A call that throws `MpiError` because of its arguments has done nothing, and the communicator stays usable.
 *
 * Common to all calls: a *buffer* is a typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer, or
 * `{ data, count, datatype }` around one. Ranks and tags are whole numbers. Options come last, and optional arguments
 * before them may be left out: `recv(buffer, { timeout: 100 })`.
 *
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_BUFFER` `ERR_COUNT` `ERR_TYPE` `ERR_RANK` `ERR_TAG` `ERR_ARG` | an argument is not what it should be |
 * | `ERR_DETACHED` | the buffer was transferred away |
 * | `ERR_FREED` | the buffer came from `alloc` and was disposed of |
 * | `ERR_RESIZABLE` | a call that does not block, or has a timeout, was given a resizable buffer |
 * | `ERR_TRUNCATE` | the message is longer than the receive buffer; it is consumed |
 * | `ERR_TYPE` | the element types of both sides differ and neither is bytes; the message is consumed |
 * | `ERR_DEADLOCK` | the call could never return |
 * | `ERR_PROC_FAILED` `ERR_PROC_LEFT` | the peer died, or left the job |
 * | `ERR_ABORTED` | the job is ending because of another rank |
 * | `ERR_COMM` | the communicator was freed |
 * | `ERR_THREAD` `ERR_BOOTSTRAP` `ERR_NATIVE` `ERR_FINALIZED` | onecopy cannot be used here, or not any more |
 */
export class Communicator extends Topologies {
  /**
   * A key by which libraries keep values with communicators, `comm.setAttr(key, value)` (MPI_Comm_create_keyval,
   * MPI-4.1 section 7.7.2). It says of what type they are, and what happens to them.
   *
   * @throws MpiError `ERR_ARG` if the options are none
   */
  static createKey<T>(options: KeyOptions<T> = {}): AttributeKey<T> {
    return new AttributeKey(options);
  }

  /** Number of this process in the communicator, from 0 (MPI_Comm_rank, MPI-4.1 section 7.4.1). */
  get rank(): number {
    return this.joined().rank;
  }

  /** Number of ranks (MPI_Comm_size, MPI-4.1 section 7.4.1). */
  get size(): number {
    return this.joined().size;
  }

  /**
   * Ends the whole job now (MPI_Abort, MPI-4.1 section 11.4.2). Nothing that is outstanding is completed, and the
   * launcher exits with this code. Does not return.
   *
   * @param code 0 to 255
   * @param reason printed by the launcher
   */
  abort(code = 1, reason?: string): never {
    if (!Number.isInteger(code) || code < 0 || code > 255) {
      throw new MpiError(
        'ERR_ARG',
        `abort: an exit code is a whole number from 0 to 255, not ${show(code)}`,
      );
    }
    return this.started().abort(code, reason);
  }

  /** @internal */
  protected override derive(made: Made): Communicator {
    return new Communicator(made.title, made.context, () => made).join();
  }

  /** @internal */
  protected override deriveCart(made: Made, grid: Grid): CartCommunicator {
    return new CartCommunicator(made.title, made.context, () => made, grid).join();
  }

  /** @internal */
  protected override deriveGraph(
    made: Made,
    neighbors: Neighbors,
    weighted: boolean,
  ): DistGraphCommunicator {
    const { title, context } = made;
    return new DistGraphCommunicator(title, context, () => made, neighbors, weighted).join();
  }
}

/** Ranks in a grid, numbered row by row (MPI-4.1 section 8.5.1); made by `createCart`. */
export class CartCommunicator extends Communicator {
  readonly #grid: Grid;

  /** @internal */
  constructor(title: string, context: number, join: () => Joined, grid: Grid) {
    super(title, context, join);
    this.#grid = grid;
  }

  /** Extents of the grid (MPI_Cart_get, MPI-4.1 section 8.5.5). */
  get dims(): readonly number[] {
    return this.#grid.dims;
  }

  /** In which directions the grid is closed to a ring (MPI_Cart_get, MPI-4.1 section 8.5.5). */
  get periods(): readonly boolean[] {
    return this.#grid.periods;
  }

  /**
   * Where a rank stands (MPI_Cart_coords, MPI-4.1 section 8.5.5).
   *
   * @throws MpiError `ERR_RANK`
   */
  coords(rank: number = this.rank): number[] {
    if (isRank(rank, this.size)) return coordsOf(this.#grid, rank);
    throw new MpiError(
      'ERR_RANK',
      `coords: ${show(rank)} is not a rank of ${this.name}, which has ranks 0 to ${this.size - 1}`,
      typeof rank === 'number' ? { peer: rank } : {},
    );
  }

  /**
   * Who stands there (MPI_Cart_rank, MPI-4.1 section 8.5.5). Where the grid is closed, coordinates beyond its edge come
   * in again on the other side.
   *
   * @throws MpiError `ERR_RANK` beyond an edge that is one; `ERR_ARG` for what are no coordinates
   */
  rankOf(coords: readonly number[]): number {
    const rank = rankAt(this.#grid, checkCoords('rankOf', coords, this.#grid));
    if (rank !== undefined) return rank;
    throw new MpiError(
      'ERR_RANK',
      `rankOf: [${coords.join(', ')}] lies beyond the edge of the grid of ${this.dims.join(' x ')}, ` +
        'which is not closed there',
    );
  }

  /**
   * Ranks to receive from and to send to when all shift their data by some places (MPI_Cart_shift, MPI-4.1 section
   * 8.5.6): ready to be passed to `sendrecv`, `PROC_NULL` beyond an edge.
   *
   * @param direction dimension, from 0
   * @param disp places; negative ones go back
   * @throws MpiError `ERR_DIMS` for what is no direction; `ERR_ARG`
   */
  shift(direction: number, disp: number): Shift {
    checkDirection('shift', direction, this.#grid);
    if (!Number.isSafeInteger(disp)) {
      throw new MpiError(
        'ERR_ARG',
        `shift: a shift is by a whole number of places, not ${show(disp)}`,
      );
    }
    return shiftOf(this.#grid, this.rank, direction, disp);
  }

  /**
   * Cuts the grid into smaller ones, each of which gets the communicator of its ranks (MPI_Cart_sub, MPI-4.1 section
   * 8.5.7). All ranks call it.
   *
   * @param remain which dimensions the smaller grids keep, the same on all ranks
   * @throws MpiError `ERR_ARG`; `ERR_TOPOLOGY` on all ranks if they keep different ones; see also `Creation`
   */
  sub(remain: readonly boolean[]): CartCommunicator {
    const { dims, periods } = this.#grid;
    const keeps = checkFlags('sub', 'dimensions to keep', remain, dims.length);
    const kept = <T>(list: readonly T[]): T[] => list.filter((_, each) => keeps[each]);
    const dropped = <T>(list: readonly T[]): T[] => list.filter((_, each) => !keeps[each]);
    const across: Grid = { dims: dropped(dims), periods: dropped(periods) };
    const color = rankAt(across, dropped(this.coords())) as number;
    const { group, context } = this.part(color, keeps);
    const grid = { dims: kept(dims), periods: kept(periods) };
    return this.deriveCart(this.made('sub()', context, group), grid);
  }

  override dup(): CartCommunicator {
    return super.dup() as CartCommunicator;
  }

  override idup(): Request<CartCommunicator> {
    return super.idup() as Request<CartCommunicator>;
  }

  /** @internal A duplicate has the grid too (MPI-4.1 section 7.4.2). */
  protected override deriveDuplicate(made: Made): CartCommunicator {
    return this.deriveCart(made, this.#grid);
  }
}

/** Ranks that are the nodes of a graph (MPI-4.1 section 8.5.4). */
export class DistGraphCommunicator extends Communicator {
  readonly #neighbors: Neighbors;
  readonly #weighted: boolean;

  /** @internal */
  constructor(
    title: string,
    context: number,
    join: () => Joined,
    neighbors: Neighbors,
    weighted: boolean,
  ) {
    super(title, context, join);
    this.#neighbors = neighbors;
    this.#weighted = weighted;
  }

  /** Whom this rank receives from and sends to (MPI_Dist_graph_neighbors, MPI-4.1 section 8.5.5). */
  get neighbors(): Neighbors {
    return this.#neighbors;
  }

  /** How many these are (MPI_Dist_graph_neighbors_count, MPI-4.1 section 8.5.5). */
  get neighborsCount(): NeighborsCount {
    const { sources, dests } = this.#neighbors;
    return { indegree: sources.length, outdegree: dests.length, weighted: this.#weighted };
  }

  override dup(): DistGraphCommunicator {
    return super.dup() as DistGraphCommunicator;
  }

  override idup(): Request<DistGraphCommunicator> {
    return super.idup() as Request<DistGraphCommunicator>;
  }

  /** @internal */
  protected override deriveDuplicate(made: Made): DistGraphCommunicator {
    return this.deriveGraph(made, this.#neighbors, this.#weighted);
  }
}
