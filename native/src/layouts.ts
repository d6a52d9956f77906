/** Layouts as the addon has them. */
import {
  type BufferLike,
  DATATYPES,
  FLOAT16_CLASS,
  Items,
  type Layout,
  type LayoutNode,
  type MessageBuffer,
  MpiError,
} from '@onecopy/engine';

import type { Binding } from './binding.ts';

/** Codes of the nodes of a program; native/core/datatypes/layout.h says what follows each. */
const RUN = 0;
const LOOP = 1;
const LIST = 2;

/** What the addon compiles: nodes before those that name them, the whole last. */
export function programOf({ node, extent }: Layout): Float64Array {
  const program: number[] = [extent];
  const places = new Map<LayoutNode, number>();
  const write = (each: LayoutNode): number => {
    const known = places.get(each);
    if (known !== undefined) return known;
    switch (each.kind) {
      case 'run':
        program.push(RUN, each.bytes);
        break;
      case 'loop': {
        const child = write(each.child);
        program.push(LOOP, each.count, each.stride, child);
        break;
      }
      case 'list': {
        const children = each.children.map(write);
        program.push(LIST, each.offsets.length);
        each.offsets.forEach((offset, i) => {
          const one = children.length === 1 ? 0 : i;
          program.push(
            offset,
            each.counts[i] as number,
            each.strides[one] as number,
            children[one] as number,
          );
        });
      }
    }
    places.set(each, places.size);
    return places.size - 1;
  };
  write(node);
  return Float64Array.from(program);
}

/** A layout that the addon has compiled, as long as somebody has the layout. */
interface Compiled {
  readonly handle: number;
  /** So many items are known to name no byte twice. */
  disjoint: number;
}

/** The layouts of one engine. */
export class Layouts {
  readonly #binding: Binding;
  readonly #compiled: WeakMap<Layout, Compiled> = new WeakMap();
  readonly #dropped: FinalizationRegistry<number>;

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#dropped = new FinalizationRegistry((handle) => binding.dropLayout(handle));
  }

  handleOf(layout: Layout): number {
    return this.#of(layout).handle;
  }

  /** For items into which a message is to go (MPI-4.1 section 5.1.11). */
  checkDisjoint(operation: string, { layout, count }: Items): void {
    const compiled = this.#of(layout);
    if (count <= compiled.disjoint) return;
    if (this.#binding.layoutOverlaps(compiled.handle, count) === 1) {
      throw new MpiError(
        'ERR_TYPE',
        `${operation}: ${count === 1 ? 'an item' : `${count} items`} of ${layout.name} ` +
          'would be received with a byte at two places of the message: blocks overlap. ' +
          'Such a datatype can only be sent',
      );
    }
    compiled.disjoint = count;
  }

  #of(layout: Layout): Compiled {
    let compiled = this.#compiled.get(layout);
    if (compiled === undefined) {
      compiled = { handle: this.#binding.compileLayout(programOf(layout)), disjoint: 0 };
      this.#compiled.set(layout, compiled);
      this.#dropped.register(layout, compiled.handle);
    }
    return compiled;
  }
}

const HALF: Layout = {
  node: { kind: 'run', bytes: 2, elements: 1, depth: 0 },
  extent: 2,
  name: 'FLOAT16',
};

/** What a buffer stands for, if that is items of a datatype. */
export function itemsIn(buffer: MessageBuffer): Items | undefined {
  return buffer instanceof Items ? buffer : itemsOfHalves(buffer);
}

/** A class that Node-API does not know: its elements as items of a type. */
function itemsOfHalves(buffer: BufferLike): Items | undefined {
  if (FLOAT16_CLASS === undefined || !(buffer instanceof FLOAT16_CLASS)) return undefined;
  const { buffer: memory, byteOffset, length } = buffer as unknown as Uint16Array;
  const words = new Uint16Array(memory, byteOffset, length);
  return new Items(words, HALF, length, DATATYPES.FLOAT16.code);
}
