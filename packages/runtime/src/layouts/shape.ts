/**
 * What a datatype is apart from its name: its type map, and the bounds that follow from it (MPI-4.1 section 5.1). Pure
 * arithmetic on arguments that were checked.
 */
import { DATATYPES, type LayoutNode, MpiError } from '@onecopy/engine';

export interface Shape {
  readonly node: LayoutNode;
  /** Where an item begins and ends, for the next one to begin there; may be set by `resized`. */
  readonly lb: number;
  readonly ub: number;
  /** Where its data begin and end. */
  readonly trueLb: number;
  readonly trueUb: number;
  /** Element type code: of the basic type, where there is only one. */
  readonly code: number;
  /** Largest alignment, in C, of a basic type in it. */
  readonly alignment: number;
  /** Its bounds were set by `resized`, so that a structure does not round them up. */
  readonly bounded: boolean;
}

const { code: BYTE } = DATATYPES.BYTE;
const { code: MIXED } = DATATYPES.MIXED;

/** What a walk through nested nodes may need of the stack. */
const MOST_NESTED = 1000;

export const NOTHING: Shape = {
  node: {
    kind: 'list',
    bytes: 0,
    elements: 0,
    depth: 0,
    offsets: [],
    counts: [],
    children: [],
    strides: [],
  },
  lb: 0,
  ub: 0,
  trueLb: 0,
  trueUb: 0,
  code: BYTE,
  alignment: 1,
  bounded: false,
};

/** One element of a basic type, whose fields lie one after the other, or at the offsets given. */
export function basic(
  code: number,
  fields: readonly number[],
  offsets: readonly number[],
  extent: number,
): Shape {
  const runs: LayoutNode[] = fields.map((bytes) => ({ kind: 'run', bytes, elements: 1, depth: 0 }));
  const bytes = fields.reduce((sum, field) => sum + field, 0);
  const end = (offsets.at(-1) as number) + (fields.at(-1) as number);
  const node: LayoutNode =
    runs.length === 1
      ? (runs[0] as LayoutNode)
      : {
          kind: 'list',
          bytes,
          elements: runs.length,
          depth: 1,
          offsets,
          counts: fields.map(() => 1),
          children: runs,
          strides: fields.map(() => 0),
        };
  const bounds = { lb: 0, ub: extent, trueLb: 0, trueUb: end };
  return { node, ...bounds, code, alignment: 1, bounded: false };
}

/** So many items, so many bytes apart. */
export function repeat(call: string, shape: Shape, count: number, stride: number): Shape {
  return list(call, [shape], [stride], [0], [count]);
}

/**
 * Blocks of items at offsets; `shapes` and `strides` have one member for each, or one for all.
 */
export function list(
  call: string,
  shapes: readonly Shape[],
  strides: readonly number[],
  offsets: readonly number[],
  counts: readonly number[],
): Shape {
  let bytes = 0;
  let elements = 0;
  let depth = 0;
  let alignment = 1;
  let bounded = false;
  let code: number | undefined;
  const declared = new Bounds();
  const real = new Bounds();
  for (let i = 0; i < offsets.length; i++) {
    const shape = (shapes.length === 1 ? shapes[0] : shapes[i]) as Shape;
    const count = counts[i] as number;
    // What is empty is nowhere, unless it was told where to begin and end.
    if (count === 0 || (shape.node.bytes === 0 && !shape.bounded)) continue;
    const first = offsets[i] as number;
    const last = first + (count - 1) * ((strides.length === 1 ? strides[0] : strides[i]) as number);
    declared.take(Math.min(first, last) + shape.lb, Math.max(first, last) + shape.ub);
    alignment = Math.max(alignment, shape.alignment);
    bounded ||= shape.bounded;
    if (shape.node.bytes === 0) continue;
    real.take(Math.min(first, last) + shape.trueLb, Math.max(first, last) + shape.trueUb);
    bytes += count * shape.node.bytes;
    elements += count * shape.node.elements;
    depth = Math.max(depth, shape.node.depth + 1);
    code = code === undefined || code === shape.code ? shape.code : MIXED;
  }
  const numbers = [bytes, elements, declared.low, declared.high, real.low, real.high];
  if (!numbers.every((value) => Number.isSafeInteger(value))) {
    throw new MpiError('ERR_COUNT', `${call}: the datatype would span more than 2^53 bytes`);
  }
  if (depth > MOST_NESTED) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the datatype would be nested more than ${MOST_NESTED} deep. Make it of fewer, larger parts`,
    );
  }
  const children = shapes.map(({ node }) => node);
  const one = offsets.length === 1 && shapes.length === 1 && offsets[0] === 0;
  const node: LayoutNode = one
    ? {
        kind: 'loop',
        bytes,
        elements,
        depth,
        count: counts[0] as number,
        stride: strides[0] as number,
        child: children[0] as LayoutNode,
      }
    : { kind: 'list', bytes, elements, depth, offsets, counts, children, strides };
  return {
    node,
    lb: declared.low,
    ub: declared.high,
    trueLb: real.low,
    trueUb: real.high,
    code: code ?? BYTE,
    alignment,
    bounded,
  };
}

class Bounds {
  #any = false;
  low = 0;
  high = 0;

  take(low: number, high: number): void {
    this.low = this.#any ? Math.min(this.low, low) : low;
    this.high = this.#any ? Math.max(this.high, high) : high;
    this.#any = true;
  }
}

/** As a compiler lays out an array of structures: rounded up to the alignment (MPI-4.1 section 5.1.6). */
export function padded(shape: Shape): Shape {
  if (shape.bounded) return shape;
  const { lb, ub, alignment } = shape;
  return { ...shape, ub: lb + Math.ceil((ub - lb) / alignment) * alignment };
}

/** Basic elements in the first `bytes` bytes of the data; undefined if one of them is there in part only. */
export function elementsIn(node: LayoutNode, bytes: number): number | undefined {
  if (bytes === 0) return 0;
  if (bytes === node.bytes) return node.elements;
  if (node.kind === 'run' || bytes > node.bytes) return undefined;
  let elements = 0;
  let rest = bytes;
  const blocks = node.kind === 'loop' ? 1 : node.offsets.length;
  for (let i = 0; i < blocks && rest > 0; i++) {
    const child =
      node.kind === 'loop'
        ? node.child
        : (node.children[node.children.length === 1 ? 0 : i] as LayoutNode);
    const count = node.kind === 'loop' ? node.count : (node.counts[i] as number);
    if (child.bytes === 0) continue;
    const whole = Math.min(count, Math.floor(rest / child.bytes));
    elements += whole * child.elements;
    rest -= whole * child.bytes;
    if (whole === count) continue;
    const part = elementsIn(child, rest);
    return part === undefined ? undefined : elements + part;
  }
  return elements;
}
