/** Things to do at some time, earliest first; of those at the same time, the one put in first. A binary heap. */
export class Agenda<T> {
  readonly #entries: { readonly time: number; readonly turn: number; readonly what: T }[] = [];
  #turn = 0;

  put(time: number, what: T): void {
    const entries = this.#entries;
    entries.push({ time, turn: this.#turn, what });
    this.#turn += 1;
    let place = entries.length - 1;
    while (place > 0 && this.#before(place, (place - 1) >> 1)) {
      this.#swap(place, (place - 1) >> 1);
      place = (place - 1) >> 1;
    }
  }

  take(): { readonly time: number; readonly what: T } | undefined {
    const entries = this.#entries;
    if (entries.length === 0) return undefined;
    this.#swap(0, entries.length - 1);
    const taken = entries.pop();
    for (let place = 0; ; ) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2]) {
        if (child < entries.length && this.#before(child, least)) least = child;
      }
      if (least === place) return taken;
      this.#swap(place, least);
      place = least;
    }
  }

  #before(one: number, other: number): boolean {
    const [a, b] = [this.#entries[one], this.#entries[other]];
    if (a === undefined || b === undefined) return false;
    return a.time < b.time || (a.time === b.time && a.turn < b.turn);
  }

  #swap(one: number, other: number): void {
    const entries = this.#entries;
    const [a, b] = [entries[one], entries[other]];
    if (a === undefined || b === undefined) return;
    entries[one] = b;
    entries[other] = a;
  }
}
