import { MpiError, UNDEFINED } from '@onecopy/engine';
import { isOptions, show } from '../arguments.ts';
import type { CartCommunicator, DistGraphCommunicator } from '../communicator.ts';
import { agree, digest, type Statement, within } from '../management/agreement.ts';
import { Creation, type Made } from '../management/creation.ts';
import {
  checkEdges,
  checkRanks,
  checkWeights,
  decodeEdges,
  EDGE_FIELDS,
  type Edge,
  encodeEdges,
  type Neighbors,
  neighborsOf,
} from './graph.ts';
import { checkGrid, type Grid, product } from './grid.ts';

/** Options of `createCart`. */
export interface CartOptions {
  /** In which directions the grid is closed to a ring: all, none (the default), or one value for each. */
  readonly periods?: boolean | readonly boolean[];
  /** Ranks may be numbered anew. They never are: all cores of the machine are alike to the messages. */
  readonly reorder?: boolean;
}

/** Options of `createDistGraphAdjacent`. */
export interface AdjacentOptions {
  /** One for each source; all ranks give weights, or none does. */
  readonly sourceWeights?: ArrayLike<number>;
  readonly destWeights?: ArrayLike<number>;
  /** As in `CartOptions`. */
  readonly reorder?: boolean;
}

/** Options of `createDistGraph`. */
export interface DistGraphOptions {
  /** One for each edge; all ranks give weights, or none does. */
  readonly weights?: ArrayLike<number>;
  /** As in `CartOptions`. */
  readonly reorder?: boolean;
}

/** Communicators whose ranks have places (MPI-4.1 chapter 8). What `Creation` says holds for these calls too. */
export abstract class Topologies extends Creation {
  /** @internal */
  protected abstract deriveCart(made: Made, grid: Grid): CartCommunicator;
  /** @internal */
  protected abstract deriveGraph(
    made: Made,
    neighbors: Neighbors,
    weighted: boolean,
  ): DistGraphCommunicator;

  /**
   * A communicator whose ranks stand in a grid, numbered row by row (MPI_Cart_create, MPI-4.1 section 8.5.1).
   *
   * @param dims extents, the same on all ranks; see `dimsCreate`
   * @returns undefined on ranks for which there is no place in the grid
   * @throws MpiError `ERR_DIMS` if an extent is none, or the grid has more places than there are ranks; `ERR_ARG`;
   *   `ERR_TOPOLOGY` on all ranks if they describe different grids; see also `Creation`
   */
  createCart(dims: readonly number[], options: CartOptions = {}): CartCommunicator | undefined {
    const call = 'createCart';
    const { periods } = checkOptions(call, options, ['periods', 'reorder']) as CartOptions;
    const parent = this.parent();
    const grid = checkGrid(call, dims, periods, parent.size);
    const count = product(grid.dims);
    const color = parent.rank < count ? 0 : UNDEFINED;
    const own = { color, key: 0, digest: digest(grid.dims, grid.periods.map(Number)), count };
    const { statements, first } = agree(parent, call, own, true);
    checkSame(call, statements, own.digest, 'grid');
    if (color === UNDEFINED) return undefined;
    const group = count === parent.size ? this.joined() : this.groupOf([...Array(count).keys()]);
    return this.deriveCart(this.made(`createCart(${grid.dims.join(', ')})`, first, group), grid);
  }

  /**
   * A communicator whose ranks are the nodes of a graph, each naming its own edges (MPI_Dist_graph_create_adjacent,
   * MPI-4.1 section 8.5.4). An edge is named on both its sides.
   *
   * @param sources ranks that this one receives from
   * @param dests ranks that it sends to
   * @throws MpiError `ERR_RANK`; `ERR_COUNT` if there is not a weight for each edge; `ERR_ARG`; `ERR_TOPOLOGY` on all
   *   ranks if only some give weights; see also `Creation`
   */
  createDistGraphAdjacent(
    sources: ArrayLike<number>,
    dests: ArrayLike<number>,
    options: AdjacentOptions = {},
  ): DistGraphCommunicator {
    const call = 'createDistGraphAdjacent';
    const { sourceWeights, destWeights } = checkOptions(call, options, [
      'sourceWeights',
      'destWeights',
      'reorder',
    ]) as AdjacentOptions;
    const parent = this.parent();
    const from = checkRanks(call, 'sources', sources, parent.size);
    const to = checkRanks(call, 'destinations', dests, parent.size);
    const weighted = sourceWeights !== undefined;
    if (weighted !== (destWeights !== undefined)) {
      throw new MpiError(
        'ERR_ARG',
        `${call}: give weights of both sources and destinations, or none`,
      );
    }
    const neighbors = {
      sources: from,
      dests: to,
      ...(weighted && {
        sourceWeights: checkWeights(call, sourceWeights, from.length),
        destWeights: checkWeights(call, destWeights, to.length),
      }),
    };
    const own = { color: 0, key: 0, digest: Number(weighted), count: 0 };
    const { statements, first } = agree(parent, call, own, true);
    checkSame(call, statements, own.digest, 'weights');
    return this.deriveGraph(this.made(`${call}()`, first, this.joined()), neighbors, weighted);
  }

  /**
   * The same, any rank naming any edges (MPI_Dist_graph_create, MPI-4.1 section 8.5.4).
   *
   * @param sources ranks that edges begin at
   * @param degrees of each of these, how many edges follow
   * @param dests where they end, those of the first source first
   * @throws MpiError `ERR_RANK`; `ERR_COUNT` if lengths do not agree; `ERR_ARG`; `ERR_TOPOLOGY` on all ranks if only
   *   some give weights; see also `Creation`
   */
  createDistGraph(
    sources: ArrayLike<number>,
    degrees: ArrayLike<number>,
    dests: ArrayLike<number>,
    options: DistGraphOptions = {},
  ): DistGraphCommunicator {
    const call = 'createDistGraph';
    const { weights } = checkOptions(call, options, ['weights', 'reorder']) as DistGraphOptions;
    const parent = this.parent();
    const edges = checkEdges(call, sources, degrees, dests, weights, parent.size);
    const weighted = weights !== undefined;
    const own = { color: 0, key: 0, digest: Number(weighted), count: edges.length };
    const { statements, first } = agree(parent, call, own, true);
    // A rank without edges has no weights to give.
    checkSame(
      call,
      statements.filter(({ count }) => count > 0),
      edges.length > 0 ? own.digest : undefined,
      'weights',
    );
    const isWeighted = statements.some(({ digest: given }) => given === 1);
    const all = this.#gather(call, edges, statements);
    const neighbors = neighborsOf(all, parent.rank, isWeighted);
    return this.deriveGraph(this.made(`${call}()`, first, this.joined()), neighbors, isWeighted);
  }

  #gather(call: string, own: readonly Edge[], statements: readonly Statement[]): Edge[] {
    const counts = statements.map(({ count }) => count * EDGE_FIELDS);
    const data = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
    within(call, () => this.allgatherv(encodeEdges(own), { data, counts }));
    return decodeEdges(data);
  }
}

/** All have seen all statements, so all throw; `own` undefined: this rank does not mind. */
function checkSame(
  call: string,
  statements: readonly Statement[],
  own: number | undefined,
  what: string,
): void {
  const expected = own ?? statements[0]?.digest;
  const other = statements.findIndex((each) => each.digest !== expected);
  if (other < 0) return;
  throw new MpiError(
    'ERR_TOPOLOGY',
    what === 'grid'
      ? `${call}: rank ${other} describes another grid than this rank. All ranks must pass the same extents and periods`
      : `${call}: some ranks give weights and others do not. All must, or none`,
    what === 'grid' ? { peer: other } : {},
  );
}

function checkOptions(call: string, options: unknown, known: readonly string[]): object {
  if (!isOptions(options) || Array.isArray(options)) {
    throw new MpiError('ERR_ARG', `${call}: the options are an object, not ${show(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return options;
  throw new MpiError(
    'ERR_ARG',
    `${call}: there is no option ${unknown}; there are ${known.join(', ')}`,
  );
}
