import { Accesses } from './accesses.ts';
import type { Binding } from './buffers.ts';
import { Effects } from './effects.ts';
import { SimulationError } from './error.ts';
import { seeded } from './random.ts';
import type { Values } from './values.ts';
import { NONE, type Wiring } from './wiring.ts';

export interface RunOptions {
  readonly elementBytes: number;
  /** Whether a send is complete at once, its bytes copied, or only when they have been received out of its region. */
  readonly sends: 'eager' | 'synchronous';
  /** In what order things happen that may happen in any order; without one, as soon as they can. */
  readonly seed?: number | undefined;
}

/** What a run has shown. */
export interface Trace {
  readonly wiring: Wiring;
  /** Moments at which each step started and was complete, by the number of the step. */
  readonly started: Int32Array;
  readonly completed: Int32Array;
  /** How many bytes each step moved or combined. */
  readonly bytes: Float64Array;
  readonly accesses: Accesses;
}

/** Executes the schedules of all ranks. `bindings`: the buffers IN and OUT of each rank. */
export function run(
  wiring: Wiring,
  bindings: readonly (readonly (Binding | undefined)[])[],
  values: Values,
  options: RunOptions,
): Trace {
  const accesses = new Accesses();
  const effects = new Effects(wiring, bindings, values, options.elementBytes, accesses);
  return new Run(wiring, effects, accesses, options).finish();
}

/** Decides what happens when. A step is active from its start to its end; its effect comes at the end. */
class Run {
  readonly #wiring: Wiring;
  readonly #effects: Effects;
  readonly #eager: boolean;
  readonly #random: (() => number) | undefined;
  readonly #trace: Trace;
  /** What is left before each step may start. */
  readonly #missing: Int32Array;
  /** What is left before each exposure ends, by its `accept`. */
  readonly #pullsLeft = new Map<number, number>();
  readonly #published: number[];
  /** Who waits for each rank's counter. */
  readonly #awaiting: number[][];
  /** What can happen now: 2n is the start of step n, 2n + 1 its end. */
  readonly #possible: number[] = [];
  #taken = 0;
  #moment = 0;

  constructor(wiring: Wiring, effects: Effects, accesses: Accesses, options: RunOptions) {
    this.#wiring = wiring;
    this.#effects = effects;
    this.#eager = options.sends === 'eager';
    this.#random = options.seed === undefined ? undefined : seeded(options.seed);
    this.#published = wiring.schedules.map(() => 0);
    this.#awaiting = wiring.schedules.map(() => []);
    const count = wiring.steps.length;
    this.#trace = {
      wiring,
      started: new Int32Array(count).fill(NONE),
      completed: new Int32Array(count).fill(NONE),
      bytes: new Float64Array(count),
      accesses,
    };
    this.#missing = wiring.waits.slice();
    for (const [accept, pulls] of wiring.pulls) this.#pullsLeft.set(accept, pulls.length);
    for (const [number, missing] of this.#missing.entries()) {
      if (missing === 0) this.#possible.push(2 * number);
    }
  }

  finish(): Trace {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      const number = event >> 1;
      this.#moment += 1;
      try {
        if ((event & 1) === 0) this.#start(number);
        else this.#end(number);
      } catch (error) {
        if (!(error instanceof SimulationError)) throw error;
        throw error.at(this.#wiring.describe(number));
      }
    }
    this.#checkEnd();
    return this.#trace;
  }

  #take(): number | undefined {
    const possible = this.#possible;
    if (this.#random === undefined) {
      if (this.#taken === possible.length) return undefined;
      this.#taken += 1;
      return possible[this.#taken - 1];
    }
    const last = possible.pop();
    if (last === undefined || possible.length === 0) return last;
    const place = Math.floor(this.#random() * (possible.length + 1));
    if (place === possible.length) return last;
    const taken = possible[place] as number;
    possible[place] = last;
    return taken;
  }

  #hasStarted(number: number): boolean {
    return number !== NONE && this.#trace.started[number] !== NONE;
  }

  #isComplete(number: number): boolean {
    return number !== NONE && this.#trace.completed[number] !== NONE;
  }

  #start(number: number): void {
    const step = this.#wiring.step(number);
    const partner = this.#wiring.partners[number] as number;
    this.#trace.started[number] = this.#moment;
    this.#trace.bytes[number] = this.#effects.begin(number, this.#eager);
    this.#lessMissing(this.#wiring.next[number] as number);
    switch (step.kind) {
      case 'send':
        if (this.#eager) this.#mayEnd(number);
        if (this.#hasStarted(partner)) this.#mayEnd(partner);
        break;
      case 'expose':
        if (this.#hasStarted(partner)) this.#mayEnd(partner);
        break;
      case 'recv':
      case 'recvReduce':
      case 'accept':
        if (this.#hasStarted(partner)) this.#mayEnd(number);
        break;
      case 'await':
        if ((this.#published[step.peer] as number) >= step.count) this.#mayEnd(number);
        else this.#awaiting[step.peer]?.push(number);
        break;
      case 'pull':
      case 'pullReduce':
        if (!this.#isComplete(this.#wiring.acceptOf(number))) {
          throw new SimulationError('form', 'does not wait for its exposure');
        }
        this.#mayEnd(number);
        break;
      default:
        this.#mayEnd(number);
    }
  }

  #end(number: number): void {
    const { kind } = this.#wiring.step(number);
    const partner = this.#wiring.partners[number] as number;
    this.#effects.carryOut(number);
    this.#trace.completed[number] = this.#moment;
    for (const follower of this.#wiring.followers[number] ?? []) this.#lessMissing(follower);
    switch (kind) {
      case 'recv':
      case 'recvReduce':
        if (!this.#eager) this.#mayEnd(partner);
        break;
      case 'accept':
        if (!this.#pullsLeft.has(number)) this.#mayEnd(partner);
        break;
      case 'pull':
      case 'pullReduce':
        this.#endPull(this.#wiring.acceptOf(number));
        break;
      case 'publish':
        this.#publish(this.#wiring.rankOf(number));
        break;
      default:
    }
  }

  #endPull(accept: number): void {
    const left = (this.#pullsLeft.get(accept) ?? 0) - 1;
    this.#pullsLeft.set(accept, left);
    if (left === 0) this.#mayEnd(this.#wiring.partners[accept] as number);
  }

  #publish(rank: number): void {
    const count = (this.#published[rank] as number) + 1;
    this.#published[rank] = count;
    this.#awaiting[rank] = (this.#awaiting[rank] ?? []).filter((number) => {
      const step = this.#wiring.step(number);
      if (step.kind === 'await' && step.count > count) return true;
      this.#mayEnd(number);
      return false;
    });
  }

  #lessMissing(number: number): void {
    if (number === NONE) return;
    this.#missing[number] = (this.#missing[number] as number) - 1;
    if (this.#missing[number] === 0) this.#possible.push(2 * number);
  }

  #mayEnd(number: number): void {
    this.#possible.push(2 * number + 1);
  }

  #checkEnd(): void {
    const late = this.#wiring.steps.map((_, n) => n).filter((n) => !this.#isComplete(n));
    if (late.length > 0) throw new SimulationError('deadlock', this.#whoWaits(late));
    for (const [number, { kind }] of this.#wiring.steps.entries()) {
      const partner = this.#wiring.partners[number];
      if (kind === 'send' && partner === NONE) {
        throw new SimulationError('unmatched', `${this.#wiring.describe(number)} is not received`);
      }
    }
  }

  /** A few words for each step that waits for another rank. */
  #whoWaits(late: readonly number[]): string {
    const waits = late
      .filter((number) => this.#hasStarted(number))
      .map((number) => `${this.#wiring.describe(number)} waits${this.#forWhat(number)}`);
    return waits.length === 0 ? 'no step can start' : waits.join('; ');
  }

  #forWhat(number: number): string {
    const step = this.#wiring.step(number);
    if (step.kind === 'await') return ` for ${step.count} of ${step.peer}`;
    const partner = this.#wiring.partners[number] as number;
    if (partner === NONE) return ' for a step that is not there';
    const state = this.#hasStarted(partner) ? 'is not complete' : 'has not started';
    return `: ${this.#wiring.describe(partner)} ${state}`;
  }
}
