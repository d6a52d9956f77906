import type { Step } from '../schedule.ts';
import { Agenda } from './agenda.ts';
import type { Trace } from './run.ts';
import { NONE } from './wiring.ts';

/** What things cost, in any unit of time. */
export interface Prices {
  /** Per message, exposure or counter seen. */
  readonly alpha: number;
  /** Per byte moved. */
  readonly beta: number;
  /** Per byte combined. */
  readonly gamma: number;
}

/**
 * How long an execution takes, from the start of all ranks together to the end of the last. Each rank sends one message
 * at a time, and does one thing of all else at a time: receives, pulls, copies or combines. It may send and receive at
 * once. A pull costs its source nothing.
 */
export function priceOf(trace: Trace, prices: Prices): number {
  return new Pricing(trace, prices).total();
}

/** The longest chain of messages, one after the other. */
export function roundsOf(trace: Trace): number {
  return priceOf(trace, { alpha: 1, beta: 0, gamma: 0 });
}

type Event = { readonly kind: 'ready' | 'arriving' | 'end'; readonly number: number };

class Pricing {
  readonly #trace: Trace;
  readonly #prices: Prices;
  readonly #agenda = new Agenda<Event>();
  readonly #missing: Int32Array;
  /** When each rank may send again, and do other things again. */
  readonly #outFree: number[];
  readonly #otherFree: number[];
  readonly #ready: (number | undefined)[];
  readonly #arriving: (number | undefined)[];
  readonly #pullsLeft: Map<number, number>;
  readonly #published: number[];
  #last = 0;

  constructor(trace: Trace, prices: Prices) {
    const { wiring } = trace;
    this.#trace = trace;
    this.#prices = prices;
    this.#missing = wiring.waits.slice();
    this.#outFree = wiring.schedules.map(() => 0);
    this.#otherFree = wiring.schedules.map(() => 0);
    this.#published = wiring.schedules.map(() => 0);
    this.#ready = wiring.steps.map(() => undefined);
    this.#arriving = wiring.steps.map(() => undefined);
    this.#pullsLeft = new Map([...wiring.pulls].map(([accept, pulls]) => [accept, pulls.length]));
    for (const [number, missing] of this.#missing.entries()) {
      if (missing === 0) this.#agenda.put(0, { kind: 'ready', number });
    }
  }

  total(): number {
    for (let entry = this.#agenda.take(); entry !== undefined; entry = this.#agenda.take()) {
      const { time, what } = entry;
      this.#last = Math.max(this.#last, time);
      if (what.kind === 'ready') this.#begin(what.number, time);
      else if (what.kind === 'arriving') this.#arrive(what.number, time);
      else this.#end(what.number, time);
    }
    return this.#last;
  }

  #begin(number: number, time: number): void {
    const { wiring, bytes } = this.#trace;
    const step = wiring.step(number);
    const rank = wiring.rankOf(number);
    this.#ready[number] = time;
    const next = wiring.next[number] as number;
    if (next !== NONE) this.#lessMissing(next, time);
    switch (step.kind) {
      case 'send':
      case 'expose': {
        const start = Math.max(time, this.#outFree[rank] as number);
        const end = start + this.#transfer(number);
        this.#outFree[rank] = end;
        this.#agenda.put(start, { kind: 'arriving', number: wiring.partners[number] as number });
        if (step.kind === 'send') this.#agenda.put(end, { kind: 'end', number });
        break;
      }
      case 'recv':
      case 'recvReduce':
      case 'accept':
        if (this.#arriving[number] !== undefined) this.#receive(number, time);
        break;
      case 'await':
        if ((this.#published[step.peer] as number) >= step.count) {
          this.#busy(number, time, this.#prices.alpha);
        }
        break;
      default:
        this.#busy(number, time, this.#workOf(step, bytes[number] as number));
    }
  }

  #arrive(number: number, time: number): void {
    if (number === NONE) return;
    this.#arriving[number] = time;
    if (this.#ready[number] !== undefined) this.#receive(number, time);
  }

  /** A receive takes its time from when the message began to come, but cannot be complete before it was posted. */
  #receive(number: number, time: number): void {
    const rank = this.#trace.wiring.rankOf(number);
    const step = this.#trace.wiring.step(number);
    const begin = Math.max(this.#arriving[number] as number, this.#otherFree[rank] as number);
    const there = Math.max(begin + this.#transfer(number), time);
    const reduced = step.kind === 'recvReduce' ? (this.#trace.bytes[number] as number) : 0;
    const end = there + this.#prices.gamma * reduced;
    this.#otherFree[rank] = end;
    this.#agenda.put(end, { kind: 'end', number });
  }

  #busy(number: number, time: number, cost: number): void {
    const rank = this.#trace.wiring.rankOf(number);
    // What costs nothing does not wait for its turn.
    const end = cost === 0 ? time : Math.max(time, this.#otherFree[rank] as number) + cost;
    if (cost > 0) this.#otherFree[rank] = end;
    this.#agenda.put(end, { kind: 'end', number });
  }

  #end(number: number, time: number): void {
    const { wiring } = this.#trace;
    for (const follower of wiring.followers[number] ?? []) this.#lessMissing(follower, time);
    const step = wiring.step(number);
    if (step.kind === 'accept' && !wiring.pulls.has(number)) this.#endExposure(number, time);
    if (step.kind === 'publish') this.#publish(wiring.rankOf(number), time);
    const accept = wiring.acceptOf(number);
    if (accept === NONE) return;
    const left = (this.#pullsLeft.get(accept) ?? 0) - 1;
    this.#pullsLeft.set(accept, left);
    if (left === 0) this.#endExposure(accept, time);
  }

  #endExposure(accept: number, time: number): void {
    const number = this.#trace.wiring.partners[accept] as number;
    this.#agenda.put(time, { kind: 'end', number });
  }

  #publish(rank: number, time: number): void {
    const count = (this.#published[rank] as number) + 1;
    this.#published[rank] = count;
    for (const [number, step] of this.#trace.wiring.steps.entries()) {
      const waits = step.kind === 'await' && step.peer === rank && step.count === count;
      if (waits && this.#ready[number] !== undefined) this.#busy(number, time, this.#prices.alpha);
    }
  }

  #lessMissing(number: number, time: number): void {
    this.#missing[number] = (this.#missing[number] as number) - 1;
    if (this.#missing[number] === 0) this.#agenda.put(time, { kind: 'ready', number });
  }

  /** Of a message; an exposure carries no bytes itself. */
  #transfer(number: number): number {
    const { kind } = this.#trace.wiring.step(number);
    const { alpha, beta } = this.#prices;
    if (kind === 'expose' || kind === 'accept') return alpha;
    return alpha + beta * (this.#trace.bytes[number] as number);
  }

  #workOf({ kind }: Step, bytes: number): number {
    const { beta, gamma } = this.#prices;
    switch (kind) {
      case 'pull':
      case 'copy':
      case 'pack':
      case 'unpack':
      case 'copyIn':
      case 'copyOut':
        return beta * bytes;
      case 'pullReduce':
        return (beta + gamma) * bytes;
      case 'reduce':
        return gamma * bytes;
      default:
        return 0;
    }
  }
}
