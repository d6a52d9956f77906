/**
 * Values without their large arrays: a copy of the value's containers in which holes are left, and a list of what
 * belongs where. msgpackr keeps identity, so the list refers to the containers themselves.
 */
import { types } from 'node:util';
import type { Memory } from './survey.ts';
import {
  bytesOf,
  type Description,
  describeBuffer,
  describeView,
  fitsInValue,
  type Region,
  regionOf,
  viewFrom,
} from './views.ts';

/** What is encoded instead of the value. */
export interface Perforated {
  readonly value: unknown;
  /** Container, key and number of a view; again and again. */
  readonly holes: readonly unknown[];
  readonly views: readonly Description[];
  /** A Map or Set with holes and its items in an array (keys and values in turn); again and again. */
  readonly fills: readonly unknown[];
}

/** Memory that is not copied into the value. */
export function regionsOf(memories: ReadonlyMap<ArrayBuffer, Memory>): Region[] {
  const regions: Region[] = [];
  for (const [buffer, memory] of memories) {
    if (!fitsInValue(buffer, memory)) regions.push(regionOf(buffer, memory));
  }
  return regions;
}

export function perforate(value: unknown, regions: readonly Region[]): Perforated {
  return new Puncher(regions).run(value);
}

export function attachmentsOf(regions: readonly Region[]): Uint8Array[] {
  return regions.map(bytesOf);
}

type Container = Record<string | number, unknown>;

class Puncher {
  readonly #regions: Map<ArrayBufferLike, { readonly part: number; readonly region: Region }>;
  readonly #copies: Map<object, object> = new Map();
  readonly #numbers: Map<object, number> = new Map();
  readonly #holes: unknown[] = [];
  readonly #views: Description[] = [];
  readonly #fills: unknown[] = [];

  constructor(regions: readonly Region[]) {
    this.#regions = new Map(regions.map((region, part) => [region.buffer, { part, region }]));
  }

  run(value: unknown): Perforated {
    const root: Container = {};
    root.value = this.#copy(value, root, 'value');
    return { value: root, holes: this.#holes, views: this.#views, fills: this.#fills };
  }

  /** The copy, or null where a hole is left. */
  #copy(value: unknown, container: object, key: string | number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    if (types.isArrayBufferView(value) || types.isAnyArrayBuffer(value)) {
      return this.#copyMemory(value, container, key);
    }
    if (Array.isArray(value)) return this.#copyArray(value);
    if (types.isMap(value)) return this.#copyCollection(new Map(), value, [...value].flat(1));
    if (types.isSet(value)) return this.#copyCollection(new Set(), value, [...value]);
    if (types.isDate(value) || types.isRegExp(value) || types.isNativeError(value)) return value;
    return this.#copyProperties(value);
  }

  #copyMemory(
    memory: NodeJS.ArrayBufferView | ArrayBufferLike,
    container: object,
    key: string | number,
  ): unknown {
    const isView = ArrayBuffer.isView(memory);
    const place = this.#regions.get(isView ? memory.buffer : memory);
    if (place === undefined) return memory;
    let number = this.#numbers.get(memory);
    if (number === undefined) {
      const { part, region } = place;
      number =
        this.#views.push(isView ? describeView(memory, part, region) : describeBuffer(part)) - 1;
      this.#numbers.set(memory, number);
    }
    this.#holes.push(container, key, number);
    return null;
  }

  #copyArray(array: readonly unknown[]): unknown[] {
    const copy: unknown[] = new Array(array.length);
    this.#copies.set(array, copy);
    for (let index = 0; index < array.length; index++) {
      copy[index] = this.#copy(array[index], copy, index);
    }
    return copy;
  }

  #copyCollection<C extends Map<unknown, unknown> | Set<unknown>>(
    copy: C,
    collection: object,
    items: readonly unknown[],
  ): C {
    this.#copies.set(collection, copy);
    const list: unknown[] = new Array(items.length);
    const before = this.#holes.length;
    for (let index = 0; index < items.length; index++) {
      list[index] = this.#copy(items[index], list, index);
    }
    let isPunched = false;
    for (let at = before; at < this.#holes.length; at += 3) isPunched ||= this.#holes[at] === list;
    if (isPunched) this.#fills.push(copy, list);
    else fill(copy, list);
    return copy;
  }

  #copyProperties(object: object): Container {
    const copy: Container = {};
    this.#copies.set(object, copy);
    for (const key of Object.keys(object)) {
      // What msgpackr does for safety's sake.
      const name = key === '__proto__' ? '__proto_' : key;
      copy[name] = this.#copy((object as Container)[key], copy, name);
    }
    return copy;
  }
}

/**
 * Puts everything where it belongs.
 *
 * @throws Error if it is not what `perforate` makes
 */
export function restore(perforated: unknown, parts: readonly ArrayBuffer[]): unknown {
  const { value: root, holes, views, fills } = Object(perforated) as Partial<Perforated>;
  if (
    !Array.isArray(holes) ||
    !Array.isArray(views) ||
    !Array.isArray(fills) ||
    !isContainer(root)
  ) {
    throw new Error('what should be a value and its views is none');
  }
  const made = views.map((description: unknown) => viewFrom(description, parts));
  for (let at = 0; at < holes.length; at += 3) {
    const [container, key, number] = holes.slice(at, at + 3);
    const view: unknown = made[number];
    // Only what is there is replaced, so nothing inherited can be reached.
    if (view === undefined || !isContainer(container) || !Object.hasOwn(container, key)) {
      throw new Error('a view has no place in the value');
    }
    container[key] = view;
  }
  for (let at = 0; at < fills.length; at += 2) {
    const [collection, items] = fills.slice(at, at + 2);
    if (!(collection instanceof Map || collection instanceof Set) || !Array.isArray(items)) {
      throw new Error('a Map or Set is none');
    }
    fill(collection, items);
  }
  return root.value;
}

function isContainer(value: unknown): value is Container {
  return (
    Array.isArray(value) ||
    (typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype)
  );
}

function fill(collection: Map<unknown, unknown> | Set<unknown>, items: readonly unknown[]): void {
  if (collection instanceof Map) {
    for (let index = 0; index < items.length; index += 2) {
      collection.set(items[index], items[index + 1]);
    }
  } else {
    for (const item of items) collection.add(item);
  }
}
