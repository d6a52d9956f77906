/** Buffers of one kind that take turns: a single one, or as many as `--off-cache` walks through. */
export class Places<T> {
  /** The one whose turn it is. */
  now: T;
  readonly #all: readonly T[];
  #at = 0;

  constructor(all: readonly T[]) {
    this.#all = all;
    this.now = all[0]!;
  }

  /** To the next one; with a single one it costs a comparison. */
  advance(): void {
    if (this.#all.length === 1) return;
    this.#at = this.#at + 1 === this.#all.length ? 0 : this.#at + 1;
    this.now = this.#all[this.#at]!;
  }
}
