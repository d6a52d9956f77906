import type { Arrival, Engine } from '@onecopy/engine';
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
  /** What belongs to a message that was received already. */
  attachments: 2,
  /** What ranks tell each other to make communicators. */
  management: 3,
  /** So many ids a communicator takes. */
  count: 4,
} as const;

/**
 * The members of a communicator and the engine that they talk through: what all its calls stand on. Both are asked for
 * on the first use, so that importing starts nothing.
 */
export abstract class Membership {
  /** @internal */
  protected readonly title: string;
  /** @internal Of the user's messages; see `CONTEXTS` for the others. */
  protected readonly context: number;
  // Undefined until the first use, and again after the end: so one test on the fast path does for both.
  /** @internal */
  protected members: Group | undefined;
  /** @internal */
  protected engine: Engine | undefined;
  #join: () => Joined;
  #place: Place | undefined;
  #site: Site | undefined;
  /** @internal */
  protected readonly toStatus: Result<Status> = (operation) =>
    this.statusOf(operation.arrival as Arrival);

  /**
   * @internal
   * @param title its name, for messages
   * @param context the first of its contexts
   */
  constructor(title: string, context: number, join: () => Joined) {
    this.title = title;
    this.context = context;
    this.members = undefined;
    this.engine = undefined;
    this.#join = join;
  }

  /** @internal */
  protected joined(): Group {
    if (this.members === undefined) {
      const { engine, group } = this.#join();
      this.engine = engine;
      this.members = group;
      this.#place = { name: this.title, size: group.size };
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
    this.joined();
    return this.#place as Place;
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
    return { name: this.title, rank, size, engine };
  }

  /** @internal */
  protected statusOf(arrival: Arrival): Status {
    return statusIn(this.joined(), arrival);
  }
}

/** What has arrived, as the members of this group see it. */
export function statusIn(group: Group, arrival: Arrival): Status {
  return new Status(group.fromWorld(arrival.source), arrival.tag, arrival.bytes, arrival.type);
}
