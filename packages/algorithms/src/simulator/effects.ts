import type { Region, Schedule, Side, Step } from '../schedule.ts';
import type { Accesses } from './accesses.ts';
import { type Binding, Buffers } from './buffers.ts';
import { SimulationError } from './error.ts';
import {
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
import { UNWRITTEN, type Values } from './values.ts';
import type { Wiring } from './wiring.ts';

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

/** What steps do to memory; when they do it is not decided here. */
export class Effects {
  readonly #wiring: Wiring;
  readonly #values: Values;
  readonly #elementBytes: number;
  readonly #accesses: Accesses;
  readonly #buffers: readonly Buffers[];
  readonly #cells: readonly Memory[];
  readonly #copiedIn: number[];
  readonly #regions: (Regions | undefined)[];

  constructor(
    wiring: Wiring,
    bindings: readonly (readonly (Binding | undefined)[])[],
    values: Values,
    elementBytes: number,
    accesses: Accesses,
  ) {
    this.#wiring = wiring;
    this.#values = values;
    this.#elementBytes = elementBytes;
    this.#accesses = accesses;
    let memories = Math.max(0, ...bindings.flat().map((binding) => binding?.memory.id ?? 0));
    const newMemory = (name: string, size: number): Memory => {
      memories += 1;
      const cells = new Float64Array(size).fill(UNWRITTEN);
      return { id: memories, name, cells, readOnly: false };
    };
    this.#buffers = wiring.schedules.map(
      (schedule, rank) => new Buffers(schedule, bindings[rank] ?? [], elementBytes, newMemory),
    );
    this.#cells = wiring.schedules.map((schedule, rank) =>
      newMemory(`the cell of rank ${rank}`, usesCell(schedule) ? CELL_CAPACITY : 0),
    );
    this.#copiedIn = wiring.schedules.map(() => 0);
    this.#regions = wiring.steps.map(() => undefined);
  }

  /** Finds the regions of a step that starts, and notes what it touches. Returns how many bytes it is about. */
  begin(number: number, eager: boolean): number {
    const step = this.#wiring.step(number);
    const from = this.#extent(number, fromOf(step));
    const own = this.#extent(number, 'own' in step ? step.own : undefined);
    const into = this.#extent(number, 'into' in step ? step.into : undefined);
    const regions = { from, own, into };
    checkRegions(step, regions);
    this.#note(number, step, regions);
    const copied = eager && step.kind === 'send' && from ? read(from) : undefined;
    this.#regions[number] = { ...regions, copied };
    return bytesOf(into ?? from);
  }

  /** Does what a step does, all at once. */
  carryOut(number: number): void {
    const step = this.#wiring.step(number);
    const rank = this.#wiring.rankOf(number);
    const { from, own, into } = this.#regionsOf(number);
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
        if (!same(from as Extent, into as Extent)) write(into as Extent, read(from as Extent));
        break;
      case 'reduce':
        this.#reduce(read(from as Extent), own, into, step.incoming);
        break;
      case 'measure':
        write(into as Extent, this.#buffersOf(number).lengthsOf(step.from));
        break;
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

  #regionsOf(number: number): Regions {
    return this.#regions[number] as Regions;
  }

  #buffersOf(number: number): Buffers {
    return this.#buffers[this.#wiring.rankOf(number)] as Buffers;
  }

  #extent(number: number, region: Region | undefined): Extent | undefined {
    if (region === undefined) return undefined;
    const buffers = this.#buffersOf(number);
    const extent = buffers.resolve(region);
    // Whichever step comes first to a buffer reads its layout, so each of them might.
    const lengths = buffers.lengthsReadFor(region.buffer);
    if (lengths !== undefined) this.#accesses.add(number, lengths, false);
    return extent;
  }

  #note(number: number, { kind }: Step, { from, own, into }: Omit<Regions, 'copied'>): void {
    // A copy to where it comes from does nothing.
    if (own === undefined && from && into && same(from, into)) return;
    // A shape and a region to measure are only named; what is pulled is accounted for by the exposure.
    const named = kind === 'accept' || kind === 'measure';
    if (from && !named) this.#accesses.add(number, from, false);
    if (own) this.#accesses.add(number, own, false);
    if (into) this.#accesses.add(number, into, true);
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
    const { from, copied } = this.#regionsOf(this.#wiring.partners[number] as number);
    return copied ?? read(from as Extent);
  }

  #checkBytes(number: number, mine: Extent): void {
    const partner = this.#wiring.partners[number] as number;
    const theirs = this.#regionsOf(partner).from as Extent;
    if (bytesOf(theirs) === bytesOf(mine) && theirs.cells === mine.cells) return;
    throw new SimulationError(
      'length',
      `${this.#wiring.describe(partner)} has ${bytesOf(theirs)} bytes, not ${bytesOf(mine)}`,
    );
  }

  #pulled(number: number, part: Region): number[] {
    const accept = this.#wiring.acceptOf(number);
    const shape = this.#regionsOf(accept).from as Extent;
    const wanted = this.#buffersOf(number).resolve(part);
    const places = placesIn(shape, wanted);
    if (places === undefined) {
      throw new SimulationError('bounds', 'the part is outside of the exposure');
    }
    const exposed = this.#regionsOf(this.#wiring.partners[accept] as number).from as Extent;
    return places.flatMap((place, i) => {
      const length = (wanted.bounds[2 * i + 1] as number) - (wanted.bounds[2 * i] as number);
      return read(piece(exposed, place, length));
    });
  }

  #cell(number: number, rank: number, writes: boolean): Extent {
    const cells = this.#copiedIn[rank] as number;
    const memory = this.#cells[rank] as Memory;
    const bounds = cells === 0 ? [] : [0, cells];
    const extent = { memory, bounds, cells, cellBytes: this.#elementBytes };
    this.#accesses.add(number, extent, writes);
    return extent;
  }
}

function usesCell({ steps }: Schedule): boolean {
  return steps.some(({ kind }) => kind === 'copyIn');
}

/** The region that a step reads, or whose length it goes by. */
function fromOf(step: Step): Region | undefined {
  if (step.kind === 'accept') return step.shape;
  return 'from' in step ? step.from : undefined;
}

/** What must hold among the regions of one step. */
function checkRegions({ kind }: Step, { from, own, into }: Omit<Regions, 'copied'>): void {
  if (into === undefined) return;
  if (own !== undefined) {
    checkSameLength(own, into);
    if (overlap(own, into) && !same(own, into)) {
      throw new SimulationError('race', 'own and into overlap');
    }
  }
  if (from === undefined || kind === 'measure') return;
  checkSameLength(from, into);
  const nothingToDo = own === undefined && same(from, into);
  if (overlap(from, into) && !nothingToDo) {
    throw new SimulationError('race', 'from and into overlap');
  }
}

function checkSameLength(one: Extent, other: Extent): void {
  if (one.cells === other.cells && one.cellBytes === other.cellBytes) return;
  throw new SimulationError('length', `${bytesOf(one)} bytes into ${bytesOf(other)}`);
}
