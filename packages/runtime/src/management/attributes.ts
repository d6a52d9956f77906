import { MpiError } from '@onecopy/engine';
import { isOptions, show } from '../arguments.ts';
import { ObjectMessages } from '../point-to-point/objects.ts';

/** What happens to attributes under a key; see `Communicator.createKey`. */
export interface KeyOptions<T> {
  /**
   * What a duplicate of the communicator gets: `'dup'` the same value, a function what it returns, and undefined
   * nothing (MPI_COMM_DUP_FN; without: MPI_COMM_NULL_COPY_FN). Called by `dup` before ranks talk to each other.
   */
  readonly copy?: 'dup' | ((value: T, from: unknown) => T | undefined) | undefined;
  /** Called with a value that is deleted, replaced, or whose communicator is freed. */
  readonly delete?: ((value: T, from: unknown) => void) | undefined;
}

/** What an attribute of a communicator is found by. Holds the type of the values, and what happens to them. */
export class AttributeKey<T> {
  /** @internal */
  readonly options: KeyOptions<T>;

  /** @internal */
  constructor(options: KeyOptions<T> = {}) {
    checkOptions(options);
    this.options = options;
  }
}

function checkOptions(options: unknown): void {
  if (!isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `createKey: the options are an object such as { copy: 'dup' }, not ${show(options)}`,
    );
  }
  const { copy, delete: remove } = options as { copy?: unknown; delete?: unknown };
  if (copy !== undefined && copy !== 'dup' && typeof copy !== 'function') {
    throw new MpiError('ERR_ARG', `createKey: copy is 'dup' or a function, not ${show(copy)}`);
  }
  if (remove !== undefined && typeof remove !== 'function') {
    throw new MpiError('ERR_ARG', `createKey: delete is a function, not ${show(remove)}`);
  }
}

function checkKey(call: string, key: unknown): AttributeKey<unknown> {
  if (key instanceof AttributeKey) return key;
  throw new MpiError(
    'ERR_KEYVAL',
    `${call}: ${show(key)} is not a key; make one with Communicator.createKey()`,
  );
}

/** The values of a communicator, by key. */
export type AttributeValues = Map<AttributeKey<unknown>, unknown>;

/** What libraries keep with a communicator of their user (MPI-4.1 section 7.7). Attributes are local to the process. */
export abstract class Attributes extends ObjectMessages {
  readonly #values: AttributeValues = new Map();

  /**
   * Keeps a value with the communicator (MPI_Comm_set_attr, MPI-4.1 section 7.7.2). One that was there under the key
   * is deleted, and the key's `delete` is called with it.
   *
   * @throws MpiError `ERR_KEYVAL` if `key` is no key; what the callback throws, the old value then stays
   */
  setAttr<T>(key: AttributeKey<T>, value: T): void {
    checkKey('setAttr', key);
    this.joined();
    this.deleteAttr(key);
    this.#values.set(key as AttributeKey<unknown>, value);
  }

  /**
   * The value under a key; undefined if there is none (MPI_Comm_get_attr, MPI-4.1 section 7.7.2).
   *
   * @throws MpiError `ERR_KEYVAL` if `key` is no key
   */
  getAttr<T>(key: AttributeKey<T>): T | undefined {
    checkKey('getAttr', key);
    this.joined();
    return this.#values.get(key as AttributeKey<unknown>) as T | undefined;
  }

  /**
   * Takes a value away, and calls the key's `delete` with it (MPI_Comm_delete_attr, MPI-4.1 section 7.7.2).
   *
   * @returns whether there was one
   * @throws MpiError `ERR_KEYVAL` if `key` is no key; what the callback throws, the value then stays
   */
  deleteAttr<T>(key: AttributeKey<T>): boolean {
    const known = checkKey('deleteAttr', key);
    this.joined();
    if (!this.#values.has(known)) return false;
    known.options.delete?.(this.#values.get(known), this);
    return this.#values.delete(known);
  }

  /** @internal What a duplicate gets. Throws what a callback throws. */
  protected copyAttributes(): AttributeValues {
    const copies: AttributeValues = new Map();
    for (const [key, value] of this.#values) {
      const { copy } = key.options;
      if (copy === undefined) continue;
      const copied = copy === 'dup' ? value : copy(value, this);
      if (copied !== undefined) copies.set(key, copied);
    }
    return copies;
  }

  /** @internal */
  protected adoptAttributes(values: AttributeValues): void {
    for (const [key, value] of values) this.#values.set(key, value);
  }

  /** @internal Takes all away, the last set first; returns what callbacks have thrown. */
  protected deleteAttributes(): unknown[] {
    const thrown: unknown[] = [];
    for (const [key, value] of [...this.#values].reverse()) {
      try {
        key.options.delete?.(value, this);
      } catch (error) {
        thrown.push(error);
      }
    }
    this.#values.clear();
    return thrown;
  }
}
