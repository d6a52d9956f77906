import type { Schedule, Step, StepId } from '../schedule.ts';
import { SimulationError } from './error.ts';

/** No step. */
export const NONE = -1;

type Direction = 'out' | 'in';

/** All steps of all ranks under one numbering, and which of them meet. */
export class Wiring {
  readonly schedules: readonly Schedule[];
  readonly steps: readonly Step[];
  /** The rank of each step. */
  readonly ranks: readonly number[];
  /** The step on the other side of a message; `NONE` if there is none. */
  readonly partners: Int32Array;
  /** The step before with the same direction and peer: it must have started first. */
  readonly earlier: Int32Array;
  /** The step after with the same direction and peer. */
  readonly next: Int32Array;
  /** Steps that name each step as their predecessor. */
  readonly followers: readonly (readonly number[])[];
  /** How many steps must be complete before each may start; the start of the `earlier` one counts as one more. */
  readonly waits: Int32Array;
  /** The pulls that name each `accept`. */
  readonly pulls: ReadonlyMap<number, readonly number[]>;
  /** The publish steps of each rank. */
  readonly publishes: readonly (readonly number[])[];
  readonly #offsets: number[] = [];

  constructor(schedules: readonly Schedule[]) {
    this.schedules = schedules;
    this.steps = schedules.flatMap((schedule) => {
      this.#offsets.push((this.#offsets.at(-1) ?? 0) + schedule.steps.length);
      return schedule.steps;
    });
    this.ranks = schedules.flatMap(({ steps }, rank) => steps.map(() => rank));
    this.partners = new Int32Array(this.steps.length).fill(NONE);
    this.earlier = new Int32Array(this.steps.length).fill(NONE);
    this.#checkForm();
    this.pulls = this.#findPulls();
    this.publishes = this.#findPublishes();
    this.#checkAwaits();
    this.next = new Int32Array(this.steps.length).fill(NONE);
    this.#match();
    this.waits = new Int32Array(this.steps.length);
    this.followers = this.#findFollowers();
  }

  /** The number of a rank's step. */
  number(rank: number, step: StepId): number {
    return (rank === 0 ? 0 : (this.#offsets[rank - 1] as number)) + step;
  }

  step(number: number): Step {
    return this.steps[number] as Step;
  }

  rankOf(number: number): number {
    return this.ranks[number] as number;
  }

  /** The numbers of a step's predecessors. */
  after(number: number): number[] {
    const first = this.number(this.rankOf(number), 0);
    return this.step(number).after.map((id) => first + id);
  }

  /** The `accept` that a pull names. */
  acceptOf(number: number): number {
    const step = this.step(number);
    if (step.kind !== 'pull' && step.kind !== 'pullReduce') return NONE;
    return this.number(this.rankOf(number), step.exposure);
  }

  describe(number: number): string {
    const step = this.step(number);
    const rank = this.rankOf(number);
    const id = number - this.number(rank, 0);
    const peer =
      'peer' in step ? ` ${directionOf(step) === 'in' ? 'from' : 'to'} ${step.peer}` : '';
    return `rank ${rank} step ${id} (${step.kind}${peer})`;
  }

  #findPulls(): Map<number, number[]> {
    const pulls = new Map<number, number[]>();
    for (let number = 0; number < this.steps.length; number += 1) {
      const accept = this.acceptOf(number);
      if (accept === NONE) continue;
      if (this.steps[accept]?.kind !== 'accept') {
        throw new SimulationError('form', `${this.describe(number)} names no accept`);
      }
      const known = pulls.get(accept);
      if (known === undefined) pulls.set(accept, [number]);
      else known.push(number);
    }
    return pulls;
  }

  #findPublishes(): number[][] {
    const expected = this.schedules[0]?.publishes ?? 0;
    return this.schedules.map(({ steps, publishes }, rank) => {
      const found = steps.flatMap(({ kind }, id) =>
        kind === 'publish' ? [this.number(rank, id)] : [],
      );
      if (found.length !== publishes || publishes !== expected) {
        throw new SimulationError(
          'publish',
          `rank ${rank} publishes ${found.length} times and says ${publishes}, rank 0 says ${expected}`,
        );
      }
      // Who waits for the k-th must know which one that is.
      for (const [k, number] of found.entries()) {
        if (k > 0 && !this.#comesAfter(number, found[k - 1] as number)) {
          throw new SimulationError('publish', `${this.describe(number)} may come before another`);
        }
      }
      return found;
    });
  }

  #findFollowers(): number[][] {
    const followers: number[][] = this.steps.map(() => []);
    for (let number = 0; number < this.steps.length; number += 1) {
      const after = this.after(number);
      for (const before of after) followers[before]?.push(number);
      this.waits[number] = after.length + (this.earlier[number] === NONE ? 0 : 1);
    }
    return followers;
  }

  /** Whether a step has another of the same rank among its predecessors and theirs. */
  #comesAfter(number: number, before: number): boolean {
    const seen = new Set<number>();
    const open = this.after(number);
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      if (step === before) return true;
      if (step < before || seen.has(step)) continue;
      seen.add(step);
      open.push(...this.after(step));
    }
    return false;
  }

  #checkForm(): void {
    const size = this.schedules.length;
    for (const [rank, schedule] of this.schedules.entries()) {
      if (schedule.size !== size || schedule.rank !== rank) {
        throw new SimulationError(
          'form',
          `schedule ${rank} is not that of rank ${rank} of ${size}`,
        );
      }
    }
    for (const [number, step] of this.steps.entries()) {
      const id = number - this.number(this.rankOf(number), 0);
      if (step.after.some((before) => before < 0 || before >= id)) {
        throw new SimulationError('form', `${this.describe(number)} comes before a predecessor`);
      }
      if (!('peer' in step)) continue;
      if (step.peer < 0 || step.peer >= size || !Number.isInteger(step.peer)) {
        throw new SimulationError('form', `${this.describe(number)} has no such peer`);
      }
      if (directionOf(step) !== undefined && step.peer === this.rankOf(number)) {
        throw new SimulationError('form', `${this.describe(number)} talks to itself`);
      }
    }
  }

  #checkAwaits(): void {
    for (const [number, step] of this.steps.entries()) {
      if (step.kind === 'await' && step.count > (this.publishes[step.peer] ?? []).length) {
        throw new SimulationError('publish', `${this.describe(number)} waits for ever`);
      }
    }
  }

  #match(): void {
    const lines = new Map<string, { out: number[]; in: number[] }>();
    for (const [number, step] of this.steps.entries()) {
      const direction = directionOf(step);
      if (direction === undefined || !('peer' in step)) continue;
      const rank = this.rankOf(number);
      const key = direction === 'out' ? `${rank}>${step.peer}` : `${step.peer}>${rank}`;
      const line = lines.get(key) ?? { out: [], in: [] };
      lines.set(key, line);
      const earlier = line[direction].at(-1) ?? NONE;
      this.earlier[number] = earlier;
      if (earlier !== NONE) this.next[earlier] = number;
      line[direction].push(number);
    }
    for (const { out, in: incoming } of lines.values()) {
      for (const [k, number] of out.entries()) {
        const partner = incoming[k];
        if (partner === undefined) continue;
        if ((this.step(number).kind === 'expose') !== (this.step(partner).kind === 'accept')) {
          throw new SimulationError(
            'unmatched',
            `${this.describe(number)} meets ${this.describe(partner)}`,
          );
        }
        this.partners[number] = partner;
        this.partners[partner] = number;
      }
    }
  }
}

/** Whether a step sends or receives. */
export function directionOf(step: Step): Direction | undefined {
  switch (step.kind) {
    case 'send':
    case 'expose':
      return 'out';
    case 'recv':
    case 'recvReduce':
    case 'accept':
      return 'in';
    default:
      return undefined;
  }
}
