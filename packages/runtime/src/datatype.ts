import { type DATATYPES, type Layout, MpiError } from '@onecopy/engine';
import { isOptions, show, wrongDatatype } from './arguments.ts';
import { checkCount, checkDistance, checkLengths, checkList } from './layouts/numbers.ts';
import { list, NOTHING, padded, repeat, type Shape } from './layouts/shape.ts';

/** Names of the basic types: all but `MIXED`, which is what a structure of several of them sends. */
export type BasicDatatypeName = Exclude<keyof typeof DATATYPES, 'MIXED'>;

/** A datatype, or the name of a basic one. */
export type DatatypeArgument = Datatype | BasicDatatypeName;

/** Options of `Datatype.subarray`. */
export interface SubarrayOptions {
  /** `'C'` (the default): the last index runs fastest; `'Fortran'`: the first one does. */
  readonly order?: 'C' | 'Fortran' | undefined;
}

/** Basic types by their names and classes; filled by datatypes.ts. */
let basicTypeOf: (argument: unknown) => Datatype | undefined = () => undefined;

/** @internal */
export function findBasicTypesBy(find: (argument: unknown) => Datatype | undefined): void {
  basicTypeOf = find;
}

/**
 * Which bytes of a buffer are the data of a message, in which order (MPI-4.1 chapter 5). The basic ones are constants
 * such as `DOUBLE`; others are derived from them by the static functions of this class, to any depth. They are used as
 * `{ data, count, datatype }` wherever a message is sent or received.
 *
 * Datatypes are values: they never change, need neither MPI_Type_commit nor MPI_Type_free, and are collected once
 * nothing refers to them; operations in flight keep what they need.
 */
export class Datatype {
  /** Of a basic type its name; of a derived one how it was made, for messages. */
  readonly name: string;
  /** Bytes of data of one item, without gaps (MPI_Type_size, MPI-4.1 section 5.1.5). */
  readonly size: number;
  /** Where an item begins, in bytes from where it is placed (MPI_Type_get_extent, MPI-4.1 section 5.1.7). */
  readonly lb: number;
  /** Bytes from one item to the next (MPI_Type_get_extent, MPI-4.1 section 5.1.7). */
  readonly extent: number;
  /** Where its data begin (MPI_Type_get_true_extent, MPI-4.1 section 5.1.8). */
  readonly trueLb: number;
  /** From the first byte of its data to behind the last one (MPI_Type_get_true_extent, MPI-4.1 section 5.1.8). */
  readonly trueExtent: number;
  /** Element type as it travels in envelopes: that of its basic type; one of its own where there are several. */
  readonly code: number;
  /** @internal */
  readonly shape: Shape;
  /** @internal */
  readonly layout: Layout;

  /** @internal */
  constructor(name: string, shape: Shape) {
    this.name = name;
    this.shape = shape;
    this.size = shape.node.bytes;
    this.lb = shape.lb;
    this.extent = shape.ub - shape.lb;
    this.trueLb = shape.trueLb;
    this.trueExtent = shape.trueUb - shape.trueLb;
    this.code = shape.code;
    this.layout = { node: shape.node, extent: this.extent, name };
  }

  toString(): string {
    return this.name;
  }

  /**
   * `count` items, one after the other (MPI_Type_contiguous, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_TYPE`
   */
  static contiguous(count: number, type: DatatypeArgument): Datatype {
    const call = 'Datatype.contiguous';
    const base = typeOf(call, 'type', type);
    const times = checkCount(call, 'count', count);
    return made(`contiguous(${times}, ${base})`, repeat(call, base.shape, times, base.extent));
  }

  /**
   * `count` blocks of `blocklength` items, which begin `stride` items apart (MPI_Type_vector, MPI-4.1 section 5.1.2): a
   * column of a matrix with `m` columns is `vector(rows, 1, m, DOUBLE)`.
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static vector(
    count: number,
    blocklength: number,
    stride: number,
    type: DatatypeArgument,
  ): Datatype {
    const call = 'Datatype.vector';
    const base = typeOf(call, 'type', type);
    const step = checkDistance(call, 'stride', stride);
    const name = `vector(${count}, ${blocklength}, ${step}, ${base})`;
    return made(name, blocks(call, base, count, blocklength, step * base.extent));
  }

  /**
   * The same with `stride` in bytes (MPI_Type_create_hvector, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static hvector(
    count: number,
    blocklength: number,
    stride: number,
    type: DatatypeArgument,
  ): Datatype {
    const call = 'Datatype.hvector';
    const base = typeOf(call, 'type', type);
    const step = checkDistance(call, 'stride', stride);
    const name = `hvector(${count}, ${blocklength}, ${step}, ${base})`;
    return made(name, blocks(call, base, count, blocklength, step));
  }

  /**
   * Blocks of `blocklengths[i]` items at `displacements[i]`, in items (MPI_Type_indexed, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static indexed(
    blocklengths: ArrayLike<number>,
    displacements: ArrayLike<number>,
    type: DatatypeArgument,
  ): Datatype {
    return listed('indexed', blocklengths, displacements, type);
  }

  /**
   * The same with displacements in bytes (MPI_Type_create_hindexed, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static hindexed(
    blocklengths: ArrayLike<number>,
    displacements: ArrayLike<number>,
    type: DatatypeArgument,
  ): Datatype {
    return listed('hindexed', blocklengths, displacements, type);
  }

  /**
   * Blocks of one length at displacements in items (MPI_Type_create_indexed_block, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static indexedBlock(
    blocklength: number,
    displacements: ArrayLike<number>,
    type: DatatypeArgument,
  ): Datatype {
    return listed('indexedBlock', blocklength, displacements, type);
  }

  /**
   * Blocks of one length at displacements in bytes (MPI_Type_create_hindexed_block, MPI-4.1 section 5.1.2).
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static hindexedBlock(
    blocklength: number,
    displacements: ArrayLike<number>,
    type: DatatypeArgument,
  ): Datatype {
    return listed('hindexedBlock', blocklength, displacements, type);
  }

  /**
   * A block of an array of several dimensions (MPI_Type_create_subarray, MPI-4.1 section 5.1.3). Its extent is that of
   * the whole array.
   *
   * @param sizes of the whole array, by dimension
   * @param subsizes of the block
   * @param starts where the block begins
   * @throws MpiError `ERR_COUNT` for a block that reaches outside of the array, `ERR_ARG`, `ERR_TYPE`
   */
  static subarray(
    sizes: ArrayLike<number>,
    subsizes: ArrayLike<number>,
    starts: ArrayLike<number>,
    type: DatatypeArgument,
    options?: SubarrayOptions,
  ): Datatype {
    const call = 'Datatype.subarray';
    const base = typeOf(call, 'type', type);
    const order = orderOf(call, options);
    const lists = {
      sizes: checkList(call, 'sizes', sizes, checkCount),
      subsizes: checkList(call, 'subsizes', subsizes, checkCount),
      starts: checkList(call, 'starts', starts, checkCount),
    };
    checkLengths(call, lists);
    const dimensions = lists.sizes.map((size, i) => {
      const subsize = lists.subsizes[i] as number;
      const start = lists.starts[i] as number;
      if (start + subsize > size) {
        throw new MpiError(
          'ERR_COUNT',
          `${call}: dimension ${i} of the block reaches from ${start} to ${start + subsize}, but the array has ${size}`,
        );
      }
      return { size, subsize, start };
    });
    if (order === 'C') dimensions.reverse();
    let shape = base.shape;
    let stride = base.extent;
    let offset = 0;
    for (const { size, subsize, start } of dimensions) {
      shape = repeat(call, shape, subsize, stride);
      offset += start * stride;
      stride *= size;
    }
    shape = list(call, [shape], [0], [offset], [1]);
    const name = `subarray([${lists.sizes}], [${lists.subsizes}], [${lists.starts}], ${base})`;
    return made(name, bounded(call, shape, 0, stride));
  }

  /**
   * Blocks of several types at displacements in bytes (MPI_Type_create_struct, MPI-4.1 section 5.1.2). The extent is
   * rounded up to the largest alignment that C gives one of its basic types, unless one of `types` was resized.
   *
   * @throws MpiError `ERR_COUNT`, `ERR_ARG`, `ERR_TYPE`
   */
  static struct(
    blocklengths: ArrayLike<number>,
    displacements: ArrayLike<number>,
    types: ArrayLike<DatatypeArgument>,
  ): Datatype {
    const call = 'Datatype.struct';
    if (typeof types !== 'object' || types === null || typeof types.length !== 'number') {
      throw new MpiError(
        'ERR_ARG',
        `${call}: types must be a list of datatypes, not ${show(types)}`,
      );
    }
    const bases = Array.from(types, (type, i) => typeOf(call, `types[${i}]`, type));
    const counts = checkList(call, 'blocklengths', blocklengths, checkCount);
    const offsets = checkList(call, 'displacements', displacements, checkDistance);
    checkLengths(call, { blocklengths: counts, displacements: offsets, types: bases });
    if (bases.length === 0) return made('struct()', NOTHING);
    const shapes = bases.map(({ shape }) => shape);
    const strides = bases.map(({ extent }) => extent);
    const shape = list(call, shapes, strides, offsets, counts);
    return made(`struct(${named(bases)})`, padded(shape));
  }

  /**
   * The same data with other bounds: where an item begins and how far it is to the next (MPI_Type_create_resized,
   * MPI-4.1 section 5.1.7). Of columns of a matrix that follow each other, `resized(column, 0, 8)`.
   *
   * @throws MpiError `ERR_ARG`, `ERR_TYPE`
   */
  static resized(type: DatatypeArgument, lb: number, extent: number): Datatype {
    const call = 'Datatype.resized';
    const base = typeOf(call, 'type', type);
    const low = checkDistance(call, 'lb', lb);
    const length = checkDistance(call, 'extent', extent);
    return made(`resized(${base}, ${low}, ${length})`, bounded(call, base.shape, low, length));
  }

  /**
   * The same datatype again (MPI_Type_dup, MPI-4.1 section 5.1.10).
   *
   * @throws MpiError `ERR_TYPE`
   */
  static dup(type: DatatypeArgument): Datatype {
    const { name, shape } = typeOf('Datatype.dup', 'type', type);
    return made(name, shape);
  }
}

const MOST_OF_NAME = 200;

function made(name: string, shape: Shape): Datatype {
  return new Datatype(name.length > MOST_OF_NAME ? `${name.slice(0, MOST_OF_NAME)}…` : name, shape);
}

function named(types: readonly Datatype[]): string {
  const first = types.slice(0, 4).map(({ name }) => name);
  return types.length > 4 ? `${first.join(', ')}, …` : first.join(', ');
}

function typeOf(call: string, name: string, value: unknown): Datatype {
  if (value instanceof Datatype) return value;
  const found = typeof value === 'string' ? basicTypeOf(value) : undefined;
  return found ?? wrongDatatype(`${call}, ${name}`, value);
}

function blocks(
  call: string,
  base: Datatype,
  count: unknown,
  blocklength: unknown,
  stride: number,
): Shape {
  const times = checkCount(call, 'count', count);
  const length = checkCount(call, 'blocklength', blocklength);
  return repeat(call, repeat(call, base.shape, length, base.extent), times, stride);
}

function listed(
  kind: 'indexed' | 'hindexed' | 'indexedBlock' | 'hindexedBlock',
  lengths: unknown,
  displacements: unknown,
  type: unknown,
): Datatype {
  const call = `Datatype.${kind}`;
  const base = typeOf(call, 'type', type);
  const unit = kind.startsWith('h') ? 1 : base.extent;
  const offsets = checkList(call, 'displacements', displacements, checkDistance);
  let counts: number[];
  if (kind.endsWith('Block')) {
    const length = checkCount(call, 'blocklength', lengths);
    counts = offsets.map(() => length);
  } else {
    counts = checkList(call, 'blocklengths', lengths, checkCount);
    checkLengths(call, { blocklengths: counts, displacements: offsets });
  }
  const places = unit === 1 ? offsets : offsets.map((offset) => offset * unit);
  const shape = list(call, [base.shape], [base.extent], places, counts);
  return made(`${kind}(${counts.length} blocks of ${base})`, shape);
}

function bounded(call: string, shape: Shape, lb: number, extent: number): Shape {
  const ub = lb + extent;
  if (Number.isSafeInteger(ub)) return { ...shape, lb, ub, bounded: true };
  throw new MpiError('ERR_COUNT', `${call}: the datatype would span more than 2^53 bytes`);
}

function orderOf(call: string, options: unknown): 'C' | 'Fortran' {
  if (options === undefined) return 'C';
  if (!isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the options must be an object such as { order: 'Fortran' }, not ${show(options)}`,
    );
  }
  const { order = 'C' } = options as { order?: unknown };
  if (order === 'C' || order === 'Fortran') return order;
  throw new MpiError('ERR_ARG', `${call}: order must be 'C' or 'Fortran', not ${show(order)}`);
}
