import type { Region, Side, Step } from '../schedule.ts';
import { Accesses } from './accesses.ts';
import { SimulationError } from './error.ts';
import {
  type Binding,
  Buffers,
  bytesOf,
  type Extent,
  type Memory,
  overlap,
  piece,
  placesIn,
  read,
  same,
  write,
} from './memory.ts';
import { seeded } from './random.ts';
import { UNWRITTEN, type Values } from './values.ts';
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
  return new Run(wiring, bindings, values, options).finish();
}

/** The regions of a step, resolved when it starts. */
interface Regions {
  readonly from: Extent | undefined;
  readonly own: Extent | undefined;
  readonly into: Extent | undefined;
  /** Of an eager send: what was in `from` when it started. */
  readonly copied: readonly number[] | undefined;
}

/** Elements that fit into a rank's cell of the collective area, in the simulation. */
const CELL_CAPACITY = 2 ** 14;

class Run {
  readonly #wiring: Wiring;
  readonly #values: Values;
  readonly #options: RunOptions;
  readonly #buffers: readonly Buffers[];
  readonly #cells: readonly Memory[];
  readonly #copiedIn: number[];
  readonly #published: number[];
  readonly #random: (() => number) | undefined;
  readonly #trace: Trace;
  /** What is left before a step may start; the start of the `earlier` step counts as one. */
  readonly #missing: Int32Array;
  readonly #followers: number[][];
  /** Steps that wait for an `earlier` one to start. */
  readonly #next: Int32Array;
  readonly #regions: (Regions | undefined)[];
  readonly #pullsLeft: Int32Array;
  readonly #awaiting: number[][];
  /** What can happen now: 2n is the start of step n, 2n + 1 its end. */
  readonly #possible: number[] = [];
  #taken = 0;
  #moment = 0;

  constructor(
    wiring: Wiring,
    bindings: readonly (readonly (Binding | undefined)[])[],
    values: Values,
    options: RunOptions,
  ) {
    this.#wiring = wiring;
    this.#values = values;
    this.#options = options;
    this.#random = options.seed === undefined ? undefined : seeded(options.seed);
    let memories = 1 + Math.max(0, ...bindings.flat().map((binding) => binding?.memory.id ?? 0));
    const newMemory = (name: string, cells: number): Memory => {
      memories += 1;
      return {
        id: memories,
        name,
        cells: new Float64Array(cells).fill(UNWRITTEN),
        readOnly: false,
      };
    };
    this.#buffers = wiring.schedules.map(
      (schedule, rank) =>
        new Buffers(schedule, bindings[rank] ?? [], options.elementBytes, newMemory),
    );
    this.#cells = wiring.schedules.map(({ steps }, rank) =>
      newMemory(
        `the cell of rank ${rank}`,
        steps.some(({ kind }) => kind === 'copyIn') ? CELL_CAPACITY : 0,
      ),
    );
    this.#copiedIn = wiring.schedules.map(() => 0);
    this.#published = wiring.schedules.map(() => 0);
    this.#awaiting = wiring.schedules.map(() => []);

    const count = wiring.steps.length;
    this.#trace = {
      wiring,
      started: new Int32Array(count).fill(NONE),
      completed: new Int32Array(count).fill(NONE),
      bytes: new Float64Array(count),
      accesses: new Accesses(),
    };
    this.#missing = new Int32Array(count);
    this.#followers = wiring.steps.map(() => []);
    this.#next = new Int32Array(count).fill(NONE);
    this.#regions = new Array<Regions | undefined>(count).fill(undefined);
    this.#pullsLeft = new Int32Array(count);
    for (const [accept, pulls] of wiring.pulls) this.#pullsLeft[accept] = pulls.length;
    for (let number = 0; number < count; number += 1) {
      const after = wiring.after(number);
      for (const before of after) (this.#followers[before] as number[]).push(number);
      const earlier = wiring.earlier[number] as number;
      if (earlier !== NONE) this.#next[earlier] = number;
      this.#missing[number] = after.length + (earlier === NONE ? 0 : 1);
      if (this.#missing[number] === 0) this.#possible.push(2 * number);
    }
  }

  finish(): Trace {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      const number = event >> 1;
      this.#moment += 1;
      try {
        if ((event & 1) === 0) this.#start(number);
        else this.#complete(number);
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
    this.#trace.started[number] = this.#moment;
    this.#regions[number] = this.#resolve(number);
    const next = this.#next[number] as number;
    if (next !== NONE) this.#lessMissing(next);

    const step = this.#wiring.step(number);
    const partner = this.#wiring.partners[number] as number;
    switch (step.kind) {
      case 'send':
        if (this.#options.sends === 'eager') this.#mayEnd(number);
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
        else (this.#awaiting[step.peer] as number[]).push(number);
        break;
      default:
        this.#mayEnd(number);
    }
  }

  #complete(number: number): void {
    this.#execute(number);
    this.#trace.completed[number] = this.#moment;
    for (const follower of this.#followers[number] as number[]) this.#lessMissing(follower);

    const step = this.#wiring.step(number);
    const partner = this.#wiring.partners[number] as number;
    switch (step.kind) {
      case 'recv':
      case 'recvReduce':
        if (this.#options.sends === 'synchronous') this.#mayEnd(partner);
        break;
      case 'accept':
        if (this.#pullsLeft[number] === 0) this.#mayEnd(partner);
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
    this.#pullsLeft[accept] = (this.#pullsLeft[accept] as number) - 1;
    if (this.#pullsLeft[accept] === 0) this.#mayEnd(this.#wiring.partners[accept] as number);
  }

  #publish(rank: number): void {
    this.#published[rank] = (this.#published[rank] as number) + 1;
    const waiting = this.#awaiting[rank] as number[];
    this.#awaiting[rank] = waiting.filter((number) => {
      const step = this.#wiring.step(number);
      if (step.kind === 'await' && step.count > (this.#published[rank] as number)) return true;
      this.#mayEnd(number);
      return false;
    });
  }

  #lessMissing(number: number): void {
    this.#missing[number] = (this.#missing[number] as number) - 1;
    if (this.#missing[number] === 0) this.#possible.push(2 * number);
  }

  #mayEnd(number: number): void {
    this.#possible.push(2 * number + 1);
  }

  #resolve(number: number): Regions {
    const step = this.#wiring.step(number);
    const from = this.#extent(number, fromOf(step));
    const own = this.#extent(number, 'own' in step ? step.own : undefined);
    const into = this.#extent(number, 'into' in step ? step.into : undefined);
    this.#trace.bytes[number] = bytesOf(into ?? from);
    this.#checkRegions(number, { from, own, into });
    const { accesses } = this.#trace;
    const nothing = own === undefined && from && into && same(from, into);
    // A shape and a region to measure are only named; what is pulled is accounted for by the exposure.
    const named = step.kind === 'accept' || step.kind === 'measure';
    if (from && !named && !nothing) accesses.add(number, from, false);
    if (own) accesses.add(number, own, false);
    if (into && !nothing) accesses.add(number, into, true);
    const eager = step.kind === 'send' && this.#options.sends === 'eager';
    const copied = eager && from ? read(from) : undefined;
    return { from, own, into, copied };
  }

  #extent(number: number, region: Region | undefined): Extent | undefined {
    if (region === undefined) return undefined;
    const buffers = this.#buffers[this.#wiring.rankOf(number)] as Buffers;
    const extent = buffers.resolve(region);
    // Whichever step comes first to a buffer reads its layout, so each of them might.
    const lengths = buffers.lengthsReadFor(region.buffer);
    if (lengths !== undefined) this.#trace.accesses.add(number, lengths, false);
    return extent;
  }

  /** What holds among the regions of one step. */
  #checkRegions(number: number, { from, own, into }: Omit<Regions, 'copied'>): void {
    if (into === undefined) return;
    if (own !== undefined) {
      if (own.cells !== into.cells || own.cellBytes !== into.cellBytes) {
        throw new SimulationError('length', `${own.cells} elements into ${into.cells}`);
      }
      if (overlap(own, into) && !same(own, into)) {
        throw new SimulationError('race', 'own and into overlap');
      }
    }
    if (from === undefined || this.#wiring.step(number).kind === 'measure') return;
    if (from.cells !== into.cells || from.cellBytes !== into.cellBytes) {
      throw new SimulationError('length', `${from.cells} elements into ${into.cells}`);
    }
    if (overlap(from, into) && !(own === undefined && same(from, into))) {
      throw new SimulationError('race', 'from and into overlap');
    }
  }

  #execute(number: number): void {
    const step = this.#wiring.step(number);
    const rank = this.#wiring.rankOf(number);
    const { from, own, into } = this.#regions[number] as Regions;
    switch (step.kind) {
      case 'recv':
        write(into as Extent, this.#received(number, into as Extent));
        break;
      case 'recvReduce':
        this.#reduce(this.#received(number, into as Extent), own, into, step.incoming);
        break;
      case 'accept':
        this.#checkBytes(number, from as Extent);
        break;
      case 'pull':
        write(into as Extent, this.#pulled(number, step.part));
        break;
      case 'pullReduce':
        this.#reduce(this.#pulled(number, step.part), own, into, step.incoming);
        break;
      case 'copy':
      case 'pack':
      case 'unpack':
        if (!same(from as Extent, into as Extent)) {
          write(into as Extent, read(from as Extent));
        }
        break;
      case 'reduce':
        this.#reduce(read(from as Extent), own, into, step.incoming);
        break;
      case 'measure': {
        const lengths = (this.#buffers[rank] as Buffers).lengthsOf(step.from);
        write(into as Extent, lengths);
        break;
      }
      case 'copyIn':
        this.#copiedIn[rank] = (from as Extent).cells;
        write(this.#cell(number, rank, true), read(from as Extent));
        break;
      case 'copyOut':
        write(into as Extent, read(this.#cell(number, step.peer, false)));
        break;
      default:
    }
  }

  #reduce(
    incoming: readonly number[],
    own: Extent | undefined,
    into: Extent | undefined,
    side: Side,
  ): void {
    const mine = read(own as Extent);
    if (mine.length !== incoming.length) {
      throw new SimulationError('length', `${incoming.length} elements with ${mine.length}`);
    }
    const results = mine.map((value, i) =>
      side === 'left'
        ? this.#values.combine(incoming[i] as number, value)
        : this.#values.combine(value, incoming[i] as number),
    );
    write(into as Extent, results);
  }

  #received(number: number, into: Extent): readonly number[] {
    this.#checkBytes(number, into);
    const partner = this.#wiring.partners[number] as number;
    const { from, copied } = this.#regions[partner] as Regions;
    return copied ?? read(from as Extent);
  }

  #checkBytes(number: number, mine: Extent): void {
    const partner = this.#wiring.partners[number] as number;
    const { from } = this.#regions[partner] as Regions;
    const theirs = from as Extent;
    if (bytesOf(theirs) === bytesOf(mine) && theirs.cells === mine.cells) return;
    throw new SimulationError(
      'length',
      `${this.#wiring.describe(partner)} has ${bytesOf(theirs)} bytes, not ${bytesOf(mine)}`,
    );
  }

  #pulled(number: number, part: Region): number[] {
    const accept = this.#wiring.acceptOf(number);
    if (!this.#isComplete(accept)) {
      throw new SimulationError('form', 'does not wait for its exposure');
    }
    const buffers = this.#buffers[this.#wiring.rankOf(number)] as Buffers;
    const acceptStep = this.#wiring.step(accept) as Step & { kind: 'accept' };
    const shape = buffers.resolve(acceptStep.shape);
    const wanted = buffers.resolve(part);
    const places = placesIn(shape, wanted);
    if (places === undefined) {
      throw new SimulationError('bounds', 'the part is outside of the exposure');
    }
    const expose = this.#wiring.partners[accept] as number;
    const exposed = (this.#regions[expose] as Regions).from as Extent;
    return places.flatMap((place, i) => {
      const length = (wanted.bounds[2 * i + 1] as number) - (wanted.bounds[2 * i] as number);
      return read(piece(exposed, place, length));
    });
  }

  #cell(number: number, rank: number, writes: boolean): Extent {
    const cells = this.#copiedIn[rank] as number;
    const memory = this.#cells[rank] as Memory;
    const { elementBytes } = this.#options;
    const extent = {
      memory,
      bounds: cells === 0 ? [] : [0, cells],
      cells,
      cellBytes: elementBytes,
    };
    this.#trace.accesses.add(number, extent, writes);
    return extent;
  }

  #checkEnd(): void {
    const { completed } = this.#trace;
    const late = this.#wiring.steps.map((_, number) => number).filter((n) => completed[n] === NONE);
    if (late.length > 0) throw new SimulationError('deadlock', this.#whoWaits(late));
    for (const [number, { kind }] of this.#wiring.steps.entries()) {
      const partner = this.#wiring.partners[number];
      if (kind === 'send' && partner === NONE) {
        throw new SimulationError('unmatched', `${this.#wiring.describe(number)} is not received`);
      }
    }
  }

  /** One line for each step that waits for another rank. */
  #whoWaits(late: readonly number[]): string {
    const waiting = late.filter((number) => this.#hasStarted(number));
    const lines = waiting.map((number) => {
      const what = this.#wiring.describe(number);
      const partner = this.#wiring.partners[number] as number;
      if (partner === NONE) return `${what} waits for a step that is not there`;
      const state = this.#hasStarted(partner) ? 'is not complete' : 'has not started';
      return `${what} waits: ${this.#wiring.describe(partner)} ${state}`;
    });
    return lines.length === 0 ? 'no step can start' : lines.join('; ');
  }
}

/** The region that a step reads, or whose length it goes by. */
function fromOf(step: Step): Region | undefined {
  if (step.kind === 'accept') return step.shape;
  return 'from' in step ? step.from : undefined;
}
