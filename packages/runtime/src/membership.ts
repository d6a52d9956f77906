import { type Arrival, type Engine, MpiError } from '@onecopy/engine';
import type { Place } from './arguments.ts';
import type { Site } from './collectives/site.ts';
import type { Result } from './completion.ts';
import type { Group } from './group.ts';
import { Status } from './status.ts';

/** What a communicator needs to begin; asked for on its first use. */
export interface Joined {
  readonly engine: Engine;
  readonly group: Group;
}

/**
 * Contexts of one communicator, from its first on. Messages of different contexts never meet (MPI-4.1 section 7.1.1).
 */
export const CONTEXTS = {
  /** Messages of the user. */
  messages: 0,
  collectives: 1,
  /** What ranks tell each other to make communicators. */
  management: 2,
  /** So many ids a communicator takes. */
  count: 3,
} as const;

/**
 * The members of a communicator and the engine that they talk through: what all its calls stand on. Both are asked for
 * on the first use, so that importing starts nothing.
 */
export abstract class Membership {
  /** @internal Of the user's messages; see `CONTEXTS` for the others. */
  protected readonly context: number;
  // Undefined until the first use, and again after the end: so one test on the fast path does for both.
  /** @internal */
  protected members: Group | undefined;
  /** @internal */
  protected engine: Engine | undefined;
  #title: string;
  #join: () => Joined;
  #place: Place | undefined;
  #site: Site | undefined;
  /** Also of a communicator that was freed: what is pending in it still names its ranks. */
  #group: Group | undefined;
  /** @internal */
  protected readonly toStatus: Result<Status> = (operation) =>
    this.statusOf(operation.arrival as Arrival);

  /**
   * @internal
   * @param title its name, for messages
   * @param context the first of its contexts
   */
  constructor(title: string, context: number, join: () => Joined) {
    this.#title = title;
    this.context = context;
    this.members = undefined;
    this.engine = undefined;
    this.#join = join;
  }

  /** @internal Begins now what the first use would begin. */
  join(): this {
    this.joined();
    return this;
  }

  /** @internal */
  protected joined(): Group {
    if (this.members === undefined) {
      const { engine, group } = this.#join();
      if (!group.isEverybody) {
        engine.nameMembers(this.context, CONTEXTS.count, group.toWorldRanks());
      }
      this.engine = engine;
      this.members = group;
      this.#group = group;
    }
    return this.members;
  }

  /** @internal */
  protected started(): Engine {
    this.joined();
    return this.engine as Engine;
  }

  /** @internal */
  protected place(): Place {
    this.#place ??= { name: this.#title, size: this.joined().size };
    return this.#place;
  }

  /** @internal */
  protected site(): Site {
    this.#site ??= this.#openSite();
    return this.#site;
  }

  #openSite(): Site {
    const group = this.joined();
    const { rank, size } = group;
    const members = Array.from({ length: size }, (_, each) => group.toWorld(each));
    const engine = this.started().communicator(this.context + CONTEXTS.collectives, members);
    return { name: this.#title, rank, size, engine };
  }

  /** @internal */
  protected statusOf(arrival: Arrival): Status {
    return statusIn(this.#group ?? this.joined(), arrival);
  }

  /** @internal */
  protected get title(): string {
    return this.#title;
  }

  protected set title(title: string) {
    this.#title = title;
    this.#place = undefined;
    if (this.#site !== undefined) this.#site = { ...this.#site, name: title };
  }

  /** @internal From now on every use is `ERR_COMM`; what is pending goes on. */
  protected close(): void {
    const engine = this.started();
    this.#site?.engine.close();
    this.#site = undefined;
    this.#place = undefined;
    this.members = undefined;
    this.engine = undefined;
    this.#join = () => {
      throw new MpiError(
        'ERR_COMM',
        `the communicator ${this.#title} was freed, and nothing can be done in it any more. Free a ` +
          'communicator after its last use, or make another one',
      );
    };
    engine.closeContexts(this.context, CONTEXTS.count);
  }
}

/** What has arrived, as the members of this group see it. */
export function statusIn(group: Group, arrival: Arrival): Status {
  return new Status(group.fromWorld(arrival.source), arrival.tag, arrival.bytes, arrival.type);
}
