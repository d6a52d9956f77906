import { ANY_SOURCE, type Engine } from '@onecopy/engine';

/**
 * The members of a communicator, in order: its ranks, and those of the engine's world behind them
 * (MPI-4.1 section 7.2.1).
 */
export class Group {
  /** This process; -1 if it is no member. */
  readonly rank: number;
  readonly size: number;
  /** World ranks by rank; undefined when both are the same, so that `world` pays nothing for translation. */
  readonly #worldRanks: Int32Array | undefined;

  private constructor(rank: number, size: number, worldRanks: Int32Array | undefined) {
    this.rank = rank;
    this.size = size;
    this.#worldRanks = worldRanks;
  }

  static everybody(engine: Engine): Group {
    return new Group(engine.rank, engine.size, undefined);
  }

  static of(engine: Engine, worldRanks: Int32Array): Group {
    return new Group(worldRanks.indexOf(engine.rank), worldRanks.length, worldRanks);
  }

  /** The world rank of a member. */
  toWorld(rank: number): number {
    return this.#worldRanks === undefined ? rank : (this.#worldRanks[rank] as number);
  }

  /** The same for the source of a receive, which may be a wildcard. */
  sourceToWorld(source: number): number {
    return this.#worldRanks === undefined ? source : this.#sourceAmong(source);
  }

  #sourceAmong(source: number): number {
    // The engine knows no groups: a wildcard among one's own could only wait for others of the world, forever.
    if (source === ANY_SOURCE) return this.size === 1 ? this.toWorld(0) : source;
    return this.toWorld(source);
  }

  fromWorld(worldRank: number): number {
    return this.#worldRanks === undefined ? worldRank : this.#worldRanks.indexOf(worldRank);
  }
}
