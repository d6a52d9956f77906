/** Where the data of a message lie in memory, for what is more than a row of elements (MPI-4.1 section 5.1). */
import type { BufferLike } from './datatypes.ts';

interface NodeOfAnyKind {
  /** Of data, without gaps. */
  readonly bytes: number;
  /** Of basic types. */
  readonly elements: number;
  /** Nodes within nodes. */
  readonly depth: number;
}

/** One element of a basic type. */
export interface RunNode extends NodeOfAnyKind {
  readonly kind: 'run';
}

/** A node again and again, so many bytes apart. */
export interface LoopNode extends NodeOfAnyKind {
  readonly kind: 'loop';
  readonly count: number;
  readonly stride: number;
  readonly child: LayoutNode;
}

/**
 * Loops, each from an offset on. `children` and `strides` have one member for each of them, or one for all.
 */
export interface ListNode extends NodeOfAnyKind {
  readonly kind: 'list';
  readonly offsets: readonly number[];
  readonly counts: readonly number[];
  readonly children: readonly LayoutNode[];
  readonly strides: readonly number[];
}

/** A part of a layout. Offsets and strides are in bytes, and may be negative. */
export type LayoutNode = RunNode | LoopNode | ListNode;

/** The layout of one item of a datatype. */
export interface Layout {
  readonly node: LayoutNode;
  /** Bytes from one item to the next. */
  readonly extent: number;
  /** Of the datatype, for messages. */
  readonly name: string;
}

/** Items of a datatype in a buffer. Whoever makes one has seen that they lie within it. */
export class Items {
  readonly data: BufferLike;
  readonly layout: Layout;
  readonly count: number;
  /** Element type code of the message, see `DATATYPES`. */
  readonly type: number;

  constructor(data: BufferLike, layout: Layout, count: number, type: number) {
    this.data = data;
    this.layout = layout;
    this.count = count;
    this.type = type;
  }

  /** Of the message. */
  get bytes(): number {
    return this.count * this.layout.node.bytes;
  }
}

/** Whatever a message can be sent from or received into. */
export type MessageBuffer = BufferLike | Items;
