import { type Engine, MpiError, UNDEFINED } from '@onecopy/engine';
import { checkTag, show } from '../arguments.ts';
import type { Communicator } from '../communicator.ts';
import { checkGroup, Group } from '../group.ts';
import { CONTEXTS } from '../membership.ts';
import type { Request } from '../request.ts';
import {
  agree,
  bringContexts,
  digest,
  type MakingCall,
  type Parent,
  read,
  type Statement,
  stated,
} from './agreement.ts';
import type { AttributeValues } from './attributes.ts';
import { agreeInGroup } from './group-agreement.ts';
import { Lifetime } from './lifetime.ts';

/** Longer names of parents are cut, or those of duplicates of duplicates would grow for ever. */
const MOST_OF_A_NAME = 48;

/** What a new communicator is made of. */
export interface Made {
  readonly title: string;
  readonly context: number;
  readonly engine: Engine;
  readonly group: Group;
}

/** What a rank has been put into. */
interface Part {
  readonly group: Group;
  /** The first context of its communicator. */
  readonly context: number;
}

/**
 * Communicators that are made of others (MPI-4.1 section 7.4.2).
 *
 * But for `createGroup`, these are collective operations of the parent: all its ranks call them, in the same order as
 * its other ones. A call that throws because of its own arguments has done nothing, and the others wait until this rank
 * makes the call rightly, or ends. What the ranks say is compared: where that does not fit together, all throw, and the
 * parent stays usable.
 *
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_COLLECTIVE` | ranks have called different operations |
 * | `ERR_GROUP` | no group, a group with members that the parent has not, or different ones on its members |
 * | `ERR_NO_MEM` | all ids of communicators have been used up, some 10^9 in a job |
 * | `ERR_COMM` | the parent was freed |
 */
export abstract class Creation extends Lifetime {
  /** @internal */
  protected abstract derive(made: Made): Communicator;

  /** @internal */
  protected deriveDuplicate(made: Made): Communicator {
    return this.derive(made);
  }

  /** @internal */
  protected parent(): Parent {
    const { rank, size } = this.joined();
    return { comm: this, engine: this.started(), rank, size };
  }

  /** @internal */
  protected made(
    call: string,
    context: number,
    group: Group,
    engine: Engine = this.started(),
  ): Made {
    const { title } = this;
    const from = title.length > MOST_OF_A_NAME ? `${title.slice(0, MOST_OF_A_NAME)}…` : title;
    return { title: `${from}.${call}`, context, engine, group };
  }

  /** @internal The group of the ranks of this one with these numbers. */
  protected groupOf(ranks: readonly number[]): Group {
    const group = this.joined();
    return Group.of(
      this.started(),
      Int32Array.from(ranks, (rank) => group.toWorld(rank)),
    );
  }

  /**
   * A communicator with the same ranks, whose messages never meet those of this one (MPI_Comm_dup, MPI-4.1 section
   * 7.4.2): for a library that communicates in the name of its user. Attributes go along if their keys say so.
   *
   * @throws MpiError see `Creation`; what a callback of an attribute throws, and then `ERR_KEYVAL` on the other ranks
   */
  dup(): Communicator {
    const { copies, failure } = this.#copies();
    const parent = this.parent();
    const { first } = agree(parent, 'dup', NOTHING, true, failure);
    return this.#duplicate(first, this.joined(), parent.engine, copies);
  }

  /**
   * The same without blocking (MPI_Comm_idup, MPI-4.1 section 7.4.2). Attributes are copied in this call.
   */
  idup(): Request<Communicator> {
    const { copies, failure } = this.#copies();
    const parent = this.parent();
    // Kept, since this one may have been freed when its duplicate is there.
    const group = this.joined();
    const own = stated(parent, 'dup', NOTHING, true, failure);
    return this.startAllgather(own, (all) => {
      if (failure !== undefined) throw failure.thrown;
      return this.#duplicate(read(parent, 'dup', all).first, group, parent.engine, copies);
    });
  }

  #duplicate(first: number, group: Group, engine: Engine, copies: AttributeValues): Communicator {
    const copy = this.deriveDuplicate(this.made('dup()', first, group, engine));
    copy.adoptAttributes(copies);
    return copy;
  }

  #copies(): { copies: AttributeValues; failure?: { readonly thrown: unknown } } {
    this.joined();
    try {
      return { copies: this.copyAttributes() };
    } catch (thrown) {
      // The others must not wait for this rank.
      return { copies: new Map(), failure: { thrown } };
    }
  }

  /**
   * Parts the ranks: those that pass the same color come into one communicator (MPI_Comm_split, MPI-4.1 section 7.4.2).
   *
   * @param color from 0; `UNDEFINED`: this rank comes into none
   * @param key ranks are numbered in its order, equal ones as they are here
   * @returns undefined for the color `UNDEFINED`
   * @throws MpiError `ERR_ARG` for what is no color or no key; see also `Creation`
   */
  split(color: number, key: number = this.group.rank): Communicator | undefined {
    return this.#split('split', checkColor(color), checkKey('split', key));
  }

  /**
   * Parts the ranks by what they share (MPI_Comm_split_type, MPI-4.1 section 7.4.2). `'shared'` are all that could
   * share memory: every rank, since a job is on one machine.
   *
   * @param type `'shared'`, or `UNDEFINED`: this rank comes into none
   * @throws MpiError `ERR_ARG` for another type; see also `Creation`
   */
  splitType(
    type: 'shared' | typeof UNDEFINED,
    key: number = this.group.rank,
  ): Communicator | undefined {
    if (type !== 'shared' && type !== UNDEFINED) {
      throw new MpiError(
        'ERR_ARG',
        `splitType: ${show(type)} is nothing that ranks share; there is 'shared', or UNDEFINED`,
      );
    }
    return this.#split('splitType', type === 'shared' ? 0 : UNDEFINED, checkKey('splitType', key));
  }

  #split(call: MakingCall, color: number, key: number): Communicator | undefined {
    const parent = this.parent();
    const { statements } = agree(parent, call, { ...NOTHING, color, key }, false);
    const part = this.#part(parent, call, statements, color);
    if (part === undefined) return undefined;
    const { group, context } = part;
    const what = call === 'split' ? `split(${color})` : `splitType('shared')`;
    return this.derive(this.made(what, context, group));
  }

  /** @internal The part that a grid leaves this rank in. */
  protected part(color: number, keeps: readonly boolean[]): Part {
    const parent = this.parent();
    const own = { ...NOTHING, color, digest: digest(keeps.map(Number)) };
    const { statements } = agree(parent, 'sub', own, false);
    const other = statements.findIndex((each) => each.digest !== own.digest);
    if (other >= 0) {
      throw new MpiError(
        'ERR_TOPOLOGY',
        `sub: rank ${other} keeps other dimensions than this rank. All ranks must keep the same`,
        { peer: other },
      );
    }
    return this.#part(parent, 'sub', statements, color) as Part;
  }

  /** Undefined for the color UNDEFINED. */
  #part(
    parent: Parent,
    call: MakingCall,
    statements: readonly Statement[],
    color: number,
  ): Part | undefined {
    const colors = colorsOf(statements);
    // All know of each other that there is nothing to be made.
    if (colors.length === 0) return undefined;
    const first = bringContexts(parent, call, colors.length);
    if (color === UNDEFINED) return undefined;
    const group = this.groupOf(membersOf(statements, color));
    return { group, context: first + colors.indexOf(color) * CONTEXTS.count };
  }

  /**
   * A communicator of the members of a group (MPI_Comm_create, MPI-4.1 section 7.4.2). All ranks of this one call it;
   * ranks may pass different groups if no rank is in two of them.
   *
   * @returns undefined where this process is not in the group that it passes
   */
  create(group: Group): Communicator | undefined {
    const members = this.#membersFrom('create', group);
    const isMember = group.rank !== UNDEFINED;
    const parent = this.parent();
    const own: Statement = {
      // A rank is in no two groups, so the first member tells them apart.
      color: isMember ? (members[0] as number) : UNDEFINED,
      key: group.rank,
      digest: digest(members),
      count: group.size,
    };
    const { statements } = agree(parent, 'create', own, false);
    checkSameGroups(statements);
    const part = this.#part(parent, 'create', statements, own.color);
    return part && this.derive(this.made('create()', part.context, part.group));
  }

  /**
   * The same, called by the members of the group alone (MPI_Comm_create_group, MPI-4.1 section 7.4.2). Where some ranks
   * make several of these at the same time, tags tell the calls apart.
   *
   * @throws MpiError `ERR_GROUP` also if this process is not in the group; `ERR_TAG`; `ERR_PROC_FAILED`
   *   `ERR_PROC_LEFT` if a member is gone; see also `Creation`
   */
  createGroup(group: Group, tag = 0): Communicator {
    this.#membersFrom('createGroup', group);
    checkTag('createGroup', tag);
    if (group.rank === UNDEFINED) {
      throw new MpiError(
        'ERR_GROUP',
        'createGroup: this process is not in the group, and only members call createGroup. With create all ranks do',
      );
    }
    const parent = {
      engine: this.started(),
      context: this.context + CONTEXTS.management,
      members: this.joined(),
    };
    const context = agreeInGroup(parent, group, tag);
    return this.derive(this.made('createGroup()', context, group));
  }

  /** The ranks here of the members of a group. */
  #membersFrom(call: string, group: unknown): number[] {
    const given = checkGroup(call, group);
    const mine = this.joined();
    const members = Array.from(given.toWorldRanks(), (world) => mine.fromWorld(world));
    const stranger = members.indexOf(UNDEFINED);
    if (stranger < 0) return members;
    throw new MpiError(
      'ERR_GROUP',
      `${call}: rank ${stranger} of the group is not in ${this.title}. Choose the group among its members, ` +
        'from its .group',
    );
  }
}

const NOTHING: Statement = { color: 0, key: 0, digest: 0, count: 0 };

function colorsOf(statements: readonly Statement[]): number[] {
  const colors = new Set(statements.map(({ color }) => color).filter((each) => each !== UNDEFINED));
  return [...colors].sort((a, b) => a - b);
}

/** Ranks of the parent with this color, by key. */
function membersOf(statements: readonly Statement[], color: number): number[] {
  const keyOf = (rank: number): number => (statements[rank] as Statement).key;
  return [...statements.keys()]
    .filter((rank) => statements[rank]?.color === color)
    .sort((a, b) => keyOf(a) - keyOf(b) || a - b);
}

function checkSameGroups(statements: readonly Statement[]): void {
  for (const [rank, { color, digest: theirs, count }] of statements.entries()) {
    if (color === UNDEFINED) continue;
    const members = statements.filter((each) => each.color === color);
    if (members.length === count && statements[color]?.digest === theirs) continue;
    throw new MpiError(
      'ERR_GROUP',
      `create: not all members of the group that rank ${rank} has passed have passed the same one. ` +
        'Every member passes the same group; others may pass another',
      { peer: rank },
    );
  }
}

function checkColor(color: unknown): number {
  if (color === UNDEFINED || isColor(color)) return color;
  throw new MpiError(
    'ERR_ARG',
    `split: a color is a whole number from 0 to 2^31 - 1, or UNDEFINED to come into no communicator, not ${show(color)}`,
  );
}

function isColor(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value && value >= 0;
}

function checkKey(call: string, key: unknown): number {
  if (typeof key === 'number' && (key | 0) === key) return key;
  throw new MpiError('ERR_ARG', `${call}: a key is a whole number of 32 bits, not ${show(key)}`);
}
