import { ANY_SOURCE, type Engine, MpiError, PROC_NULL, UNDEFINED } from '@onecopy/engine';
import { isRank, show } from './arguments.ts';
import { IDENT, SIMILAR, UNEQUAL } from './comparison.ts';

/** First rank, last rank and stride; a stride of 1 may be left out. The last need not be met. */
export type RankRange = readonly [first: number, last: number, stride?: number];

/**
 * An ordered set of processes: the members of a communicator, or what `Communicator.create` makes one of
 * (MPI-4.1 section 7.2.1). Groups never change; their methods give new ones and talk to nobody.
 */
export class Group {
  static #empty: Group | undefined;

  /** The group of nobody (MPI_GROUP_EMPTY, MPI-4.1 section 7.2.1). */
  static get empty(): Group {
    // Not made with the class: esbuild, through which tsx runs programs, loses a class that refers to itself there.
    Group.#empty ??= new Group(UNDEFINED, 0, new Int32Array(0));
    return Group.#empty;
  }

  /** Rank of this process; `UNDEFINED` if it is no member (MPI_Group_rank, MPI-4.1 section 7.3.1). */
  readonly rank: number;
  /** Number of members (MPI_Group_size, MPI-4.1 section 7.3.1). */
  readonly size: number;
  /** World ranks by rank; undefined when both are the same, so that `world` pays nothing for translation. */
  readonly #worldRanks: Int32Array | undefined;
  /** World rank of this process; undefined where there was nobody to ask. */
  readonly #self: number | undefined;
  /** Ranks by world rank, UNDEFINED for others; made when first asked for. */
  #ranks: Int32Array | undefined;

  private constructor(
    rank: number,
    size: number,
    worldRanks: Int32Array | undefined,
    self?: number,
  ) {
    this.rank = rank;
    this.size = size;
    this.#worldRanks = worldRanks;
    this.#self = self;
  }

  /** @internal */
  static everybody(engine: Engine): Group {
    return new Group(engine.rank, engine.size, undefined, engine.rank);
  }

  /** @internal */
  static of(engine: Engine, worldRanks: Int32Array): Group {
    return Group.#among(worldRanks, engine.rank);
  }

  static #among(worldRanks: Int32Array, self: number | undefined): Group {
    if (worldRanks.length === 0) return Group.empty;
    const rank = self === undefined ? -1 : worldRanks.indexOf(self);
    return new Group(rank < 0 ? UNDEFINED : rank, worldRanks.length, worldRanks, self);
  }

  /** @internal All ranks of the world, by their numbers there. */
  get isEverybody(): boolean {
    return this.#worldRanks === undefined;
  }

  /** @internal The world rank of a member. */
  toWorld(rank: number): number {
    return this.#worldRanks === undefined ? rank : (this.#worldRanks[rank] as number);
  }

  /** @internal The same for the source of a receive, which may be a wildcard. */
  sourceToWorld(source: number): number {
    return this.#worldRanks === undefined ? source : this.#sourceAmong(source);
  }

  #sourceAmong(source: number): number {
    // So that the engine sees at once that nobody but this process could send.
    if (source === ANY_SOURCE) return this.size === 1 ? this.toWorld(0) : source;
    return this.toWorld(source);
  }

  /** @internal UNDEFINED for who is no member. */
  fromWorld(worldRank: number): number {
    if (this.#worldRanks === undefined) return worldRank < this.size ? worldRank : UNDEFINED;
    this.#ranks ??= inverseOf(this.#worldRanks);
    return this.#ranks[worldRank] ?? UNDEFINED;
  }

  /** @internal World ranks by rank. */
  toWorldRanks(): Int32Array {
    return this.#worldRanks ?? Int32Array.from({ length: this.size }, (_, rank) => rank);
  }

  /**
   * The members of this group, and then those of the other that are not in it (MPI_Group_union, MPI-4.1 section 7.3.2).
   *
   * @throws MpiError `ERR_GROUP` if `other` is no group; so do all methods that take one
   */
  union(other: Group): Group {
    checkGroup('union', other);
    const more = other.toWorldRanks().filter((each) => this.fromWorld(each) === UNDEFINED);
    return this.#with(Int32Array.of(...this.toWorldRanks(), ...more), other);
  }

  /** The members of both groups, in the order of this one (MPI_Group_intersection, MPI-4.1 section 7.3.2). */
  intersection(other: Group): Group {
    checkGroup('intersection', other);
    const both = this.toWorldRanks().filter((each) => other.fromWorld(each) !== UNDEFINED);
    return this.#with(both, other);
  }

  /** The members that are not in the other group (MPI_Group_difference, MPI-4.1 section 7.3.2). */
  difference(other: Group): Group {
    checkGroup('difference', other);
    const rest = this.toWorldRanks().filter((each) => other.fromWorld(each) === UNDEFINED);
    return this.#with(rest, other);
  }

  /**
   * The members with these ranks, in the order given (MPI_Group_incl, MPI-4.1 section 7.3.2).
   *
   * @throws MpiError `ERR_RANK` if one is not a rank of the group, or stands there twice
   */
  incl(ranks: ArrayLike<number>): Group {
    return this.#including(checkRanks('incl', ranks, this.size));
  }

  /**
   * The members without these (MPI_Group_excl, MPI-4.1 section 7.3.2).
   *
   * @throws MpiError `ERR_RANK` as for `incl`
   */
  excl(ranks: ArrayLike<number>): Group {
    return this.#excluding(checkRanks('excl', ranks, this.size));
  }

  /**
   * The members in ranges of ranks, in the order given: `[[0, 6, 2], [5, 1, -2]]` are 0, 2, 4, 6, 5, 3, 1
   * (MPI_Group_range_incl, MPI-4.1 section 7.3.2).
   *
   * @throws MpiError `ERR_ARG` for what is no range or has a stride of 0; `ERR_RANK` as for `incl`
   */
  rangeIncl(ranges: readonly RankRange[]): Group {
    return this.#including(checkRanges('rangeIncl', ranges, this.size));
  }

  /**
   * The members that are in none of the ranges (MPI_Group_range_excl, MPI-4.1 section 7.3.2).
   *
   * @throws MpiError as for `rangeIncl`
   */
  rangeExcl(ranges: readonly RankRange[]): Group {
    return this.#excluding(checkRanges('rangeExcl', ranges, this.size));
  }

  /**
   * The ranks that members of this group have in another (MPI_Group_translate_ranks, MPI-4.1 section 7.3.1):
   * `UNDEFINED` for who is not in it, and `PROC_NULL` for `PROC_NULL`.
   *
   * @throws MpiError `ERR_RANK` if one is not a rank of this group
   */
  translateRanks(ranks: ArrayLike<number>, other: Group): number[] {
    checkGroup('translateRanks', other);
    return listOf('translateRanks', ranks).map((rank) => {
      if (rank === PROC_NULL) return PROC_NULL;
      return other.fromWorld(this.toWorld(checkRank('translateRanks', rank, this.size)));
    });
  }

  /**
   * `IDENT` for the same members in the same order, `SIMILAR` for the same in another order, else `UNEQUAL`
   * (MPI_Group_compare, MPI-4.1 section 7.3.1).
   */
  compare(other: Group): typeof IDENT | typeof SIMILAR | typeof UNEQUAL {
    checkGroup('compare', other);
    if (this.size !== other.size) return UNEQUAL;
    const mine = this.toWorldRanks();
    const theirs = other.toWorldRanks();
    if (mine.every((each, rank) => each === theirs[rank])) return IDENT;
    return mine.every((each) => other.fromWorld(each) !== UNDEFINED) ? SIMILAR : UNEQUAL;
  }

  #including(ranks: readonly number[]): Group {
    return this.#with(Int32Array.from(ranks, (rank) => this.toWorld(rank)));
  }

  #excluding(ranks: readonly number[]): Group {
    const excluded = new Set(ranks);
    return this.#with(this.toWorldRanks().filter((_, rank) => !excluded.has(rank)));
  }

  #with(worldRanks: Int32Array, other?: Group): Group {
    return Group.#among(worldRanks, this.#self ?? (other === undefined ? undefined : other.#self));
  }
}

function inverseOf(worldRanks: Int32Array): Int32Array {
  let highest = 0;
  for (const each of worldRanks) highest = Math.max(highest, each);
  const ranks = new Int32Array(highest + 1).fill(UNDEFINED);
  for (let rank = 0; rank < worldRanks.length; rank += 1) ranks[worldRanks[rank] as number] = rank;
  return ranks;
}

/** @returns `group`, which is one */
export function checkGroup(call: string, group: unknown): Group {
  if (group instanceof Group) return group;
  throw new MpiError(
    'ERR_GROUP',
    `${call}: ${show(group)} is not a group. Take one from a communicator, world.group, and choose ` +
      'among its members with incl, excl and the like',
  );
}

function listOf(call: string, ranks: unknown): number[] {
  if (typeof ranks === 'object' && ranks !== null && 'length' in ranks) {
    return Array.from(ranks as ArrayLike<number>);
  }
  throw new MpiError('ERR_ARG', `${call}: ranks are given as an array, not as ${show(ranks)}`);
}

function checkRank(call: string, rank: unknown, size: number): number {
  if (isRank(rank, size)) return rank;
  throw new MpiError(
    'ERR_RANK',
    `${call}: ${show(rank)} is not a rank of the group, which has ` +
      (size === 0 ? 'no members' : size === 1 ? 'rank 0 only' : `ranks 0 to ${size - 1}`),
    typeof rank === 'number' ? { peer: rank } : {},
  );
}

function checkRanks(call: string, ranks: unknown, size: number): number[] {
  const list = listOf(call, ranks);
  const seen = new Set<number>();
  for (const rank of list) {
    checkRank(call, rank, size);
    if (seen.has(rank)) {
      throw new MpiError('ERR_RANK', `${call}: rank ${rank} is named twice; name each once`, {
        peer: rank,
      });
    }
    seen.add(rank);
  }
  return list;
}

function checkRanges(call: string, ranges: unknown, size: number): number[] {
  const ranks: number[] = [];
  for (const range of listOf(call, ranges) as unknown[]) {
    const [first, last, stride = 1] = Array.isArray(range) ? (range as number[]) : [];
    if (!Number.isInteger(stride) || stride === 0) {
      throw new MpiError(
        'ERR_ARG',
        `${call}: a range is [first, last] or [first, last, stride], and the stride is a whole number ` +
          `other than 0, not ${show(stride)}`,
      );
    }
    const from = checkRank(call, first, size);
    const to = checkRank(call, last, size);
    for (let rank = from; stride > 0 ? rank <= to : rank >= to; rank += stride) ranks.push(rank);
  }
  return checkRanks(call, ranks, size);
}
