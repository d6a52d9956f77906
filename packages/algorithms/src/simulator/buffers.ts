import { IN, type Layout, OUT, type Region, type Schedule } from '../schedule.ts';
import { SimulationError } from './error.ts';
import { type Extent, type Memory, read } from './memory.ts';

/** What a caller's buffer is bound to. */
export interface Binding {
  readonly memory: Memory;
  /** Where the buffer begins in its memory, and how many elements it has. */
  readonly base: number;
  readonly length: number;
  /** Elements per block of an `even` layout, or of the whole of a `split` one. */
  readonly count: number;
  /** Of a `listed` layout. */
  readonly counts?: readonly number[];
  readonly displs?: readonly number[];
}

const LENGTH_BYTES = 8;

interface Buffer {
  readonly memory: Memory;
  /** First cell and length of each block. */
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  readonly cellBytes: number;
  /** The caller's own end of the buffer: no block may reach beyond. */
  readonly limit: number;
  /** The buffer of lengths that the layout was read from. */
  readonly lengthsRead?: Extent;
}

/** The buffers of one rank in one execution. */
export class Buffers {
  readonly #schedule: Schedule;
  readonly #bindings: readonly (Binding | undefined)[];
  readonly #elementBytes: number;
  readonly #newMemory: (name: string, cells: number) => Memory;
  readonly #laidOut = new Map<number, Buffer>();

  constructor(
    schedule: Schedule,
    bindings: readonly (Binding | undefined)[],
    elementBytes: number,
    newMemory: (name: string, cells: number) => Memory,
  ) {
    this.#schedule = schedule;
    this.#bindings = bindings;
    this.#elementBytes = elementBytes;
    this.#newMemory = newMemory;
  }

  /** Where a region lies. Lays its buffer out if this is the first time. */
  resolve(region: Region): Extent {
    const cellBytes = this.#cellBytes(region.buffer);
    const bounds: number[] = [];
    let cells = 0;
    if (region.ranges.length === 0) {
      // An empty region may name a buffer that is not bound.
      const memory = this.#laidOut.get(region.buffer)?.memory ?? NOWHERE;
      return { memory, bounds, cells, cellBytes };
    }
    const buffer = this.#buffer(region.buffer);
    for (const { first, blocks } of region.ranges) {
      if (first < 0 || blocks < 1 || first + blocks > buffer.starts.length) {
        throw new SimulationError(
          'bounds',
          `blocks ${first} to ${first + blocks - 1} of ${buffer.memory.name}, which has ${buffer.starts.length}`,
        );
      }
      for (let block = first; block < first + blocks; block += 1) {
        const start = buffer.starts[block] as number;
        const length = buffer.lengths[block] as number;
        if (length === 0) continue;
        if (start + length > buffer.limit) {
          throw new SimulationError('bounds', `beyond the end of ${buffer.memory.name}`);
        }
        cells += length;
        if (bounds.at(-1) === start) bounds[bounds.length - 1] = start + length;
        else bounds.push(start, start + length);
      }
    }
    return { memory: buffer.memory, bounds, cells, cellBytes };
  }

  /** The lengths of a region's blocks, in bytes. */
  lengthsOf(region: Region): number[] {
    this.resolve(region);
    return region.ranges.flatMap(({ first, blocks }) =>
      this.#buffer(region.buffer)
        .lengths.slice(first, first + blocks)
        .map((length) => length * this.#cellBytes(region.buffer)),
    );
  }

  /** The memory that a buffer's layout is read from, if it is. */
  lengthsReadFor(buffer: number): Extent | undefined {
    return this.#laidOut.get(buffer)?.lengthsRead;
  }

  #cellBytes(number: number): number {
    const shape = this.#schedule.buffers[number];
    if (shape === undefined) throw new SimulationError('form', `no buffer ${number}`);
    return shape.like === 'lengths' ? LENGTH_BYTES : this.#elementBytes;
  }

  #buffer(number: number): Buffer {
    let buffer = this.#laidOut.get(number);
    if (buffer === undefined) {
      const shape = this.#schedule.buffers[number];
      if (shape === undefined) throw new SimulationError('form', `no buffer ${number}`);
      buffer =
        number === IN || number === OUT
          ? this.#caller(number, shape.layout)
          : this.#scratch(number, shape.layout, shape.like);
      this.#laidOut.set(number, buffer);
    }
    return buffer;
  }

  #caller(number: number, layout: Layout): Buffer {
    const bound = this.#bound(number);
    const cellBytes = this.#elementBytes;
    const { starts, lengths } = this.#laid(layout, bound.count, bound);
    const limit = bound.base + bound.length;
    return {
      memory: bound.memory,
      starts: starts.map((start) => start + bound.base),
      lengths,
      cellBytes,
      limit,
    };
  }

  #scratch(number: number, layout: Layout, like: typeof IN | typeof OUT | 'lengths'): Buffer {
    const name = `scratch ${number} of rank ${this.#schedule.rank}`;
    if (layout.kind === 'counted') return this.#counted(layout.counts, layout.blocks, name);
    const count = like === 'lengths' ? 1 : this.#bound(like).count;
    const { starts, lengths } = this.#laid(layout, count, undefined);
    const cells = lengths.reduce((sum, length) => sum + length, 0);
    const cellBytes = like === 'lengths' ? LENGTH_BYTES : this.#elementBytes;
    return { memory: this.#newMemory(name, cells), starts, lengths, cellBytes, limit: cells };
  }

  #counted(counts: number, blocks: number, name: string): Buffer {
    const whole = { buffer: counts, ranges: blocks === 0 ? [] : [{ first: 0, blocks }] };
    const extent = this.resolve(whole);
    const lengths = read(extent).map((bytes) => bytes / this.#elementBytes);
    const { starts, cells } = consecutive(lengths);
    const cellBytes = this.#elementBytes;
    const memory = this.#newMemory(name, cells);
    return { memory, starts, lengths, cellBytes, limit: cells, lengthsRead: extent };
  }

  #laid(
    layout: Layout,
    count: number,
    bound: Binding | undefined,
  ): { readonly starts: number[]; readonly lengths: number[] } {
    const blocks = Array.from({ length: layout.blocks }, (_, block) => block);
    if (layout.kind === 'even') {
      return { starts: blocks.map((block) => block * count), lengths: blocks.map(() => count) };
    }
    if (layout.kind === 'split') {
      const start = (block: number): number => Math.floor((block * count) / layout.blocks);
      return { starts: blocks.map(start), lengths: blocks.map((b) => start(b + 1) - start(b)) };
    }
    if (bound?.counts?.length !== layout.blocks || bound.displs?.length !== layout.blocks) {
      throw new SimulationError('form', `no list of ${layout.blocks} blocks is bound`);
    }
    return { starts: [...bound.displs], lengths: [...bound.counts] };
  }

  #bound(number: number): Binding {
    const binding = this.#bindings[number];
    if (binding === undefined) {
      const name = number === IN ? 'IN' : 'OUT';
      throw new SimulationError('bounds', `${name} is not bound on this rank`);
    }
    return binding;
  }
}

const NOWHERE: Memory = { id: -1, name: 'nothing', cells: new Float64Array(0), readOnly: true };

function consecutive(lengths: readonly number[]): { starts: number[]; cells: number } {
  let cells = 0;
  const starts = lengths.map((length) => {
    cells += length;
    return cells - length;
  });
  return { starts, cells };
}
