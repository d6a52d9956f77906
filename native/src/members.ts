/** The ranks of the engine's world that are in a communicator, for messages. */
export class Members {
  readonly #ranks: ReadonlyMap<number, number>;

  constructor(worldRanks: Iterable<number>) {
    this.#ranks = new Map([...worldRanks].map((world, rank) => [world, rank]));
  }

  /** What a rank of the world is called in the communicator; -1 if it is no member. */
  rankOf(worldRank: number): number {
    return this.#ranks.get(worldRank) ?? -1;
  }
}
