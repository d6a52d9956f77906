import type { BenchmarkName } from '../benchmarks.ts';

/** What the coordinator tells a rank. Each is answered, so that all ranks are ready before one begins. */
export type Order =
  | { readonly kind: 'prepare'; readonly benchmark: BenchmarkName; readonly bytes: number }
  | { readonly kind: 'run'; readonly iterations: number };

export type Report = { readonly kind: 'ready' } | { readonly kind: 'done'; readonly ms: number };

/**
 * A rank of a rival: the same traffic as ours, driven by messages as they come out of the event loop. Each rival
 * brings its own way to send one; every message is copied, and a receiver gets it as a new Uint8Array.
 */
export class EventLoopRank {
  readonly #rank: number;
  readonly #size: number;
  readonly #send: (dest: number, payload: Uint8Array) => void;
  readonly #report: (report: Report) => void;
  #traffic: Traffic | undefined;

  constructor(
    rank: number,
    size: number,
    send: (dest: number, payload: Uint8Array) => void,
    report: (report: Report) => void,
  ) {
    this.#rank = rank;
    this.#size = size;
    this.#send = send;
    this.#report = report;
  }

  obey(order: Order): void {
    if (order.kind === 'prepare') {
      this.#traffic = this.#makeTraffic(order.benchmark, order.bytes);
      this.#report({ kind: 'ready' });
    } else {
      this.#traffic?.begin(order.iterations);
    }
  }

  receive(source: number, payload: Uint8Array): void {
    this.#traffic?.receive(source, payload);
  }

  #makeTraffic(benchmark: BenchmarkName, bytes: number): Traffic {
    const done = (ms: number) => this.#report({ kind: 'done', ms });
    if (benchmark === 'alltoall') {
      return new AllToAllTraffic(this.#rank, this.#size, bytes, this.#send, done);
    }
    const peer = 1 - this.#rank;
    const payload = new Uint8Array(bytes);
    const send = () => this.#send(peer, payload);
    return this.#rank === 0 ? new Serve(send, done) : new Return(send, done);
  }
}

interface Traffic {
  begin(iterations: number): void;
  receive(source: number, payload: Uint8Array): void;
}

/** The end of a ping-pong that holds the clock. */
class Serve implements Traffic {
  readonly #send: () => void;
  readonly #done: (ms: number) => void;
  #left = 0;
  #begin = 0;

  constructor(send: () => void, done: (ms: number) => void) {
    this.#send = send;
    this.#done = done;
  }

  begin(iterations: number): void {
    this.#left = iterations;
    this.#begin = performance.now();
    this.#send();
  }

  receive(): void {
    this.#left -= 1;
    if (this.#left > 0) this.#send();
    else this.#done(performance.now() - this.#begin);
  }
}

/** The end of a ping-pong that answers. */
class Return implements Traffic {
  readonly #send: () => void;
  readonly #done: (ms: number) => void;

  constructor(send: () => void, done: (ms: number) => void) {
    this.#send = send;
    this.#done = done;
  }

  begin(): void {
    this.#done(0);
  }

  receive(): void {
    this.#send();
  }
}

/** A block to every other rank, then a wait for one from each; a fast peer may be one iteration ahead. */
class AllToAllTraffic implements Traffic {
  readonly #rank: number;
  readonly #size: number;
  readonly #send: (dest: number, payload: Uint8Array) => void;
  readonly #done: (ms: number) => void;
  /** Not views of one buffer: structured clone would copy all of it for each. */
  readonly #blocks: readonly Uint8Array[];
  readonly #own: Uint8Array;
  /** By source: blocks that came and belong to no finished iteration. */
  readonly #waiting: number[];
  #left = 0;
  #begin = 0;

  constructor(
    rank: number,
    size: number,
    bytes: number,
    send: (dest: number, payload: Uint8Array) => void,
    done: (ms: number) => void,
  ) {
    this.#rank = rank;
    this.#size = size;
    this.#send = send;
    this.#done = done;
    this.#blocks = Array.from({ length: size }, () => new Uint8Array(bytes));
    this.#own = new Uint8Array(bytes);
    this.#waiting = new Array<number>(size).fill(0);
  }

  begin(iterations: number): void {
    this.#left = iterations;
    this.#begin = performance.now();
    this.#sendAll();
    this.#advance();
  }

  receive(source: number): void {
    this.#waiting[source]! += 1;
    this.#advance();
  }

  #sendAll(): void {
    this.#own.set(this.#blocks[this.#rank]!);
    for (let step = 1; step < this.#size; step += 1) {
      // Staggered, so that not all begin with the same peer.
      const dest = (this.#rank + step) % this.#size;
      this.#send(dest, this.#blocks[dest]!);
    }
  }

  #advance(): void {
    while (this.#left > 0 && this.#allHaveCome()) {
      for (let source = 0; source < this.#size; source += 1) this.#waiting[source]! -= 1;
      this.#waiting[this.#rank] = 0;
      this.#left -= 1;
      if (this.#left === 0) this.#done(performance.now() - this.#begin);
      else this.#sendAll();
    }
  }

  #allHaveCome(): boolean {
    return this.#waiting.every((count, source) => count > 0 || source === this.#rank);
  }
}
