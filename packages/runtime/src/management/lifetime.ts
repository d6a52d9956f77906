import { MpiError } from '@onecopy/engine';
import { show } from '../arguments.ts';
import { CONGRUENT, type Comparison, IDENT } from '../comparison.ts';
import type { Group } from '../group.ts';
import { CONTEXTS } from '../membership.ts';
import { Attributes } from './attributes.ts';

/** What communicators are, and their end (MPI-4.1 sections 7.4.1, 7.4.3 and 7.8). */
export abstract class Lifetime extends Attributes {
  #isFreed = false;

  /** Its members, in order (MPI_Comm_group, MPI-4.1 section 7.3.2). */
  get group(): Group {
    return this.joined();
  }

  /**
   * The name that messages call it by, on this rank (MPI_Comm_set_name, MPI-4.1 section 7.8). At first it says how the
   * communicator was made.
   */
  get name(): string {
    return this.title;
  }

  set name(name: string) {
    if (typeof name !== 'string' || name === '') {
      throw new MpiError('ERR_ARG', `name: a name is a text that is not empty, not ${show(name)}`);
    }
    this.joined();
    this.title = name;
  }

  /**
   * How it differs from another one (MPI_Comm_compare, MPI-4.1 section 7.4.1).
   *
   * @returns `IDENT` for the same one, `CONGRUENT` for the same members in the same order, `SIMILAR` for the same
   *   members, else `UNEQUAL`
   * @throws MpiError `ERR_COMM` if `other` is no communicator, or was freed
   */
  compare(other: Lifetime): Comparison {
    if (!(other instanceof Lifetime)) {
      throw new MpiError('ERR_COMM', `compare: ${show(other)} is not a communicator`);
    }
    const mine = this.joined();
    const groups = mine.compare(other.joined());
    if (groups !== IDENT) return groups;
    return other === this ? IDENT : CONGRUENT;
  }

  /** Whether it was freed: all else is `ERR_COMM` then, but `name`. */
  get isFreed(): boolean {
    return this.#isFreed;
  }

  /**
   * Gives the communicator up (MPI_Comm_free, MPI-4.1 section 7.4.3). Every rank of it has to call this in the end, but
   * none waits for the others. Operations that are pending complete as ever; messages that arrive and were not asked
   * for before are dropped, so persistent requests should be done with. Callbacks of its attributes are called, the
   * last one set first.
   *
   * @throws MpiError `ERR_COMM` for `world` and `self`, and for one that was freed already; what a callback has
   *   thrown, the communicator then being freed all the same
   */
  free(): void {
    if (this.context < 2 * CONTEXTS.count) {
      throw new MpiError(
        'ERR_COMM',
        `free: ${this.title} is there as long as the process is. Only communicators that the program has made can be freed`,
      );
    }
    this.joined();
    const [first, ...more] = this.deleteAttributes();
    this.close();
    this.#isFreed = true;
    if (more.length > 0)
      throw new AggregateError([first, ...more], 'free: callbacks of attributes have failed');
    if (first !== undefined) throw first;
  }

  /** The same as `free()`, for `using`: it is local, so it is safe while an error unwinds. Nothing if it was freed. */
  [Symbol.dispose](): void {
    if (!this.#isFreed) this.free();
  }
}
