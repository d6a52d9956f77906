/** A look at everything that a value refers to, before it is encoded. */
import { types } from 'node:util';

/** What of one ArrayBuffer a value refers to. */
export interface Memory {
  readonly views: Set<NodeJS.ArrayBufferView>;
  /** The ArrayBuffer itself is a part of the value. */
  whole: boolean;
}

export interface Survey {
  readonly memories: ReadonlyMap<ArrayBuffer, Memory>;
  /** Some collection is of a class of the user's, which msgpackr would take for an empty object. */
  readonly odd: boolean;
  /** Some object is referred to more than once. */
  readonly shared: boolean;
}

/**
 * @param strict whether what structuredClone refuses is refused here; V8's serializer does that itself
 * @throws DOMException DataCloneError
 */
export function survey(value: unknown, strict: boolean): Survey {
  const surveyor = new Surveyor(strict);
  surveyor.visit(value);
  return surveyor;
}

/** What structuredClone throws for what it cannot clone. */
export function dataCloneError(what: string): DOMException {
  return new DOMException(`${what} could not be cloned.`, 'DataCloneError');
}

/** Of what `types` says that structuredClone has no copy. */
const REFUSED: ReadonlyArray<(value: unknown) => boolean> = [
  types.isProxy,
  types.isPromise,
  types.isWeakMap,
  types.isWeakSet,
  types.isGeneratorObject,
  types.isMapIterator,
  types.isSetIterator,
  types.isExternal,
  types.isSharedArrayBuffer,
  (value) => value instanceof WeakRef,
];

class Surveyor implements Survey {
  readonly memories: Map<ArrayBuffer, Memory>;
  odd: boolean;
  shared: boolean;
  readonly #strict: boolean;
  readonly #seen: Set<object>;

  constructor(strict: boolean) {
    this.memories = new Map();
    this.odd = false;
    this.shared = false;
    this.#strict = strict;
    this.#seen = new Set();
  }

  visit(value: unknown): void {
    if (typeof value === 'object') {
      if (value !== null) this.#visitObject(value);
    } else if (typeof value === 'function' || typeof value === 'symbol') {
      if (this.#strict) throw dataCloneError(String(value));
    }
  }

  #visitObject(object: object): void {
    if (this.#seen.has(object)) {
      this.shared = true;
      return;
    }
    this.#seen.add(object);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype === Object.prototype) this.#visitProperties(object as Record<string, unknown>);
    else if (Array.isArray(object)) this.#visitItems(object);
    else this.#visitOther(object, prototype);
  }

  // for ... in makes no array of the keys: half of the time for small records.
  #visitProperties(object: Record<string, unknown>): void {
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue;
      const value = object[key];
      if (!isSimple(value)) this.visit(value);
    }
  }

  #visitItems(array: readonly unknown[]): void {
    for (let index = 0; index < array.length; index++) {
      const value = array[index];
      if (!isSimple(value)) this.visit(value);
    }
  }

  #visitOther(object: object, prototype: unknown): void {
    if (types.isArrayBufferView(object)) {
      this.#memoryOf(object.buffer)?.views.add(object);
    } else if (types.isArrayBuffer(object)) {
      const memory = this.#memoryOf(object);
      if (memory !== undefined) memory.whole = true;
    } else if (types.isMap(object)) {
      this.odd ||= prototype !== Map.prototype;
      for (const [key, item] of object) {
        this.visit(key);
        this.visit(item);
      }
    } else if (types.isSet(object)) {
      for (const item of object) this.visit(item);
    } else if (types.isNativeError(object)) {
      this.visit(object.cause);
    } else if (!types.isDate(object) && !types.isRegExp(object)) {
      if (this.#strict && REFUSED.some((refuses) => refuses(object))) {
        throw dataCloneError(`#<${object.constructor?.name ?? 'Object'}>`);
      }
      this.#visitProperties(object as Record<string, unknown>);
    }
  }

  #memoryOf(buffer: ArrayBufferLike): Memory | undefined {
    if (!types.isArrayBuffer(buffer)) {
      if (this.#strict) throw dataCloneError('#<SharedArrayBuffer>');
      return undefined;
    }
    const known = this.memories.get(buffer);
    if (known !== undefined) return known;
    if (isDetached(buffer)) {
      if (this.#strict) throw dataCloneError('A detached ArrayBuffer');
      return undefined;
    }
    const memory: Memory = { views: new Set(), whole: false };
    this.memories.set(buffer, memory);
    return memory;
  }
}

/** Neither an object nor something that cannot be cloned. */
function isSimple(value: unknown): boolean {
  const type = typeof value;
  return (
    type === 'string' ||
    type === 'number' ||
    type === 'boolean' ||
    type === 'undefined' ||
    type === 'bigint' ||
    value === null
  );
}

/** `detached` is of ES2024, which Node 20 has not. */
function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
