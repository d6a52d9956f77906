// Datatypes at random, each with a list of the bytes that it names, made by nothing but loops.
import {
  type BasicDatatype,
  COMPLEX,
  Datatype,
  DOUBLE,
  FLOAT,
  INT8_T,
  INT16_T,
  INT32_T,
  SHORT_INT,
} from 'onecopy';
import type { Random } from './random.ts';

/** One element in a type map: where it lies, and what it is. */
export interface Entry {
  readonly offset: number;
  readonly type: BasicDatatype;
}

/** A datatype and its type map, in the order of the standard (MPI-4.1 section 5.1). */
export interface Sample {
  readonly datatype: Datatype;
  readonly entries: readonly Entry[];
  readonly lb: number;
  readonly ub: number;
  /** Its bounds were set: it counts also where it is empty. */
  readonly bounded: boolean;
}

const BASICS: readonly BasicDatatype[] = [
  INT8_T,
  INT16_T,
  INT32_T,
  FLOAT,
  DOUBLE,
  COMPLEX,
  SHORT_INT,
];
/** So that one test does not take all the time. */
const MOST_ENTRIES = 3000;

export function sampleOf(type: BasicDatatype): Sample {
  return { datatype: type, entries: [{ offset: 0, type }], lb: 0, ub: type.extent, bounded: false };
}

/** A type of at most so many levels. */
export function randomSample(random: Random, depth: number): Sample {
  if (depth === 0) return sampleOf(random.pick(BASICS));
  const base = randomSample(random, depth - 1);
  const other = random.below(2) === 0 ? base : randomSample(random, random.below(depth));
  const made = random.pick(MAKERS)(random, base, other);
  return made.entries.length > MOST_ENTRIES ? base : made;
}

type Maker = (random: Random, base: Sample, other: Sample) => Sample;

const MAKERS: readonly Maker[] = [
  (random, base) => {
    const count = random.below(5);
    return {
      datatype: Datatype.contiguous(count, base.datatype),
      ...placed(steps(count, extentOf(base)).map((offset) => ({ offset, sample: base }))),
    };
  },
  (random, base) => {
    const [count, length, stride] = [random.below(5), random.below(4), random.below(9) - 2];
    const parts = steps(count, stride * extentOf(base)).flatMap((start) =>
      steps(length, extentOf(base)).map((offset) => ({ offset: start + offset, sample: base })),
    );
    return { datatype: Datatype.vector(count, length, stride, base.datatype), ...placed(parts) };
  },
  (random, base) => {
    const [count, length, stride] = [random.below(5), random.below(4), random.below(200) - 40];
    const parts = steps(count, stride).flatMap((start) =>
      steps(length, extentOf(base)).map((offset) => ({ offset: start + offset, sample: base })),
    );
    return { datatype: Datatype.hvector(count, length, stride, base.datatype), ...placed(parts) };
  },
  (random, base) => {
    const lengths = numbers(random.below(6), () => random.below(4));
    const places = ascending(random, lengths, 3);
    return {
      datatype: Datatype.indexed(lengths, places, base.datatype),
      ...placed(
        blocks(
          base,
          lengths,
          places.map((place) => place * extentOf(base)),
        ),
      ),
    };
  },
  (random, base) => {
    const lengths = numbers(random.below(6), () => random.below(4));
    const places = lengths.map(() => random.below(400) - 100);
    return {
      datatype: Datatype.hindexed(Int32Array.from(lengths), places, base.datatype),
      ...placed(blocks(base, lengths, places)),
    };
  },
  (random, base) => {
    const length = random.below(4);
    const places = ascending(
      random,
      numbers(random.below(6), () => length),
      4,
    );
    return {
      datatype: Datatype.indexedBlock(length, places, base.datatype),
      ...placed(
        blocks(
          base,
          places.map(() => length),
          places.map((place) => place * extentOf(base)),
        ),
      ),
    };
  },
  (random, base) => {
    const length = random.below(4);
    const places = numbers(random.below(6), () => random.below(400) - 100);
    return {
      datatype: Datatype.hindexedBlock(length, places, base.datatype),
      ...placed(
        blocks(
          base,
          places.map(() => length),
          places,
        ),
      ),
    };
  },
  (random, base) => {
    const fortran = random.below(2) === 0;
    const sizes = numbers(1 + random.below(3), () => 1 + random.below(5));
    const subsizes = sizes.map((size) => random.below(size + 1));
    const starts = sizes.map((size, i) => random.below(size - subsizes[i]! + 1));
    // By increasing offset: the dimension that runs fastest is the innermost.
    let offsets = [0];
    let stride = extentOf(base);
    for (const i of fortran ? sizes.keys() : [...sizes.keys()].reverse()) {
      offsets = steps(subsizes[i]!, stride).flatMap((step) =>
        offsets.map((offset) => offset + step + starts[i]! * stride),
      );
      stride *= sizes[i]!;
    }
    return {
      datatype: Datatype.subarray(sizes, subsizes, starts, base.datatype, {
        order: fortran ? 'Fortran' : 'C',
      }),
      ...placed(offsets.map((offset) => ({ offset, sample: base }))),
      lb: 0,
      ub: stride,
      bounded: true,
    };
  },
  (random, base, other) => {
    const types = numbers(1 + random.below(4), () => random.below(2)).map((i) =>
      i === 0 ? base : other,
    );
    const lengths = types.map(() => random.below(3));
    const places = types.map(() => random.below(400) - 100);
    const parts = types.flatMap((sample, i) =>
      steps(lengths[i]!, extentOf(sample)).map((offset) => ({
        offset: places[i]! + offset,
        sample,
      })),
    );
    // Resized, since how far a structure is rounded up is another test's.
    const structure = Datatype.struct(
      lengths,
      places,
      types.map(({ datatype }) => datatype),
    );
    const { lb, ub, entries } = placed(parts);
    return { datatype: Datatype.resized(structure, lb, ub - lb), entries, lb, ub, bounded: true };
  },
  (random, base) => {
    const lb = random.below(40) - 20;
    const extent = extentOf(base) + random.below(30);
    return {
      datatype: Datatype.resized(base.datatype, lb, extent),
      entries: base.entries,
      lb,
      ub: lb + extent,
      bounded: true,
    };
  },
  (_random, base) => ({ ...base, datatype: Datatype.dup(base.datatype) }),
];

function extentOf({ lb, ub }: Sample): number {
  return ub - lb;
}

function numbers(count: number, make: () => number): number[] {
  return Array.from({ length: count }, make);
}

function steps(count: number, stride: number): number[] {
  return Array.from({ length: count }, (_, i) => i * stride);
}

/** Places one behind the other, with gaps at random. */
function ascending(random: Random, lengths: readonly number[], gap: number): number[] {
  let place = random.below(gap);
  return lengths.map((length) => {
    const here = place;
    place += length + random.below(gap);
    return here;
  });
}

interface Part {
  readonly offset: number;
  readonly sample: Sample;
}

function blocks(base: Sample, lengths: readonly number[], places: readonly number[]): Part[] {
  return places.flatMap((place, i) =>
    steps(lengths[i]!, extentOf(base)).map((offset) => ({ offset: place + offset, sample: base })),
  );
}

function placed(parts: readonly Part[]): Omit<Sample, 'datatype'> {
  const entries = parts.flatMap(({ offset, sample }) =>
    sample.entries.map((entry) => ({ offset: entry.offset + offset, type: entry.type })),
  );
  // What is empty is nowhere, unless it was told where to begin and end.
  const real = parts.filter(({ sample }) => sample.entries.length > 0 || sample.bounded);
  if (real.length === 0) return { entries, lb: 0, ub: 0, bounded: false };
  return {
    entries,
    lb: real.reduce((low, { offset, sample }) => Math.min(low, offset + sample.lb), Infinity),
    ub: real.reduce((high, { offset, sample }) => Math.max(high, offset + sample.ub), -Infinity),
    bounded: real.some(({ sample }) => sample.bounded),
  };
}

/** The bytes of `count` items, in the order in which they travel. */
export function bytesOf({ entries, lb, ub }: Sample, count: number): number[] {
  return steps(count, ub - lb).flatMap((start) =>
    entries.flatMap(({ offset, type }) => dataBytes(type).map((byte) => start + offset + byte)),
  );
}

/** Of one element, without the gaps of a structure. */
function dataBytes(type: BasicDatatype): number[] {
  const all = steps(type.bytes, 1);
  return type === SHORT_INT ? all.filter((byte) => byte !== 2 && byte !== 3) : all;
}

/**
 * A type of the same signature that lies otherwise: its elements in the same order, at places of its own, so that no
 * byte is named twice.
 */
export function scattered(random: Random, elements: readonly BasicDatatype[]): Sample {
  const gap = 1 + random.below(20);
  let end = random.below(gap);
  const entries = elements.map((type) => {
    const offset = end;
    // Often none, so that some lie next to each other.
    end += type.bytes + (random.below(2) === 0 ? 0 : random.below(gap));
    return { offset, type };
  });
  // In memory in another order than in the message, by pairs.
  if (random.below(3) === 0) {
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const [a, b] = [entries[i]!, entries[i + 1]!];
      if (a.type !== b.type) continue;
      entries[i] = { ...a, offset: b.offset };
      entries[i + 1] = { ...b, offset: a.offset };
    }
  }
  const datatype = Datatype.struct(
    entries.map(() => 1),
    entries.map(({ offset }) => offset),
    entries.map(({ type }) => type),
  );
  return { datatype, entries, lb: datatype.lb, ub: datatype.lb + datatype.extent, bounded: false };
}
