/**
 * How some ranks of a communicator agree on a new one without the others: all tell the first of them, and it tells
 * all. Messages go in the parent's context for management, so wildcards of the user never see them.
 */
import { type Engine, MpiError } from '@onecopy/engine';
import type { Group } from '../group.ts';
import { CONTEXTS } from '../membership.ts';
import { digest, noContexts, within } from './agreement.ts';

const CALL = 'createGroup';

/** What the leader tells: the first context, or why there is none. */
const NO_CONTEXTS = -1;
const DIFFERENT_GROUPS = -2;
const MEMBER_GONE = -3;

/** Where it is done. */
export interface GroupParent {
  readonly engine: Engine;
  /** Its context for management. */
  readonly context: number;
  /** Its members, for messages. */
  readonly members: Group;
}

/** @returns the first context of the new communicator */
export function agreeInGroup(parent: GroupParent, group: Group, tag: number): number {
  const mark = Float64Array.of(group.size, digest(group.toWorldRanks()));
  const answer = within(CALL, () =>
    group.rank === 0 ? lead(parent, group, tag, mark) : follow(parent, group, tag, mark),
  );
  return explain(parent, group, answer);
}

/** The first context, or why there is none; and the rank of the group that is to blame. */
interface Answer {
  readonly first: number;
  readonly culprit: number;
}

function lead(parent: GroupParent, group: Group, tag: number, mark: Float64Array): Answer {
  const { engine, context } = parent;
  let answer = 0;
  let culprit = 0;
  let lost: unknown;
  for (let rank = 1; rank < group.size; rank += 1) {
    const theirs = new Float64Array(mark.length);
    try {
      engine.recv(theirs, group.toWorld(rank), tag, context);
    } catch (error) {
      // The others wait for the answer.
      lost ??= error;
      answer = MEMBER_GONE;
      culprit = rank;
      continue;
    }
    if (answer !== 0 || (theirs[0] === mark[0] && theirs[1] === mark[1])) continue;
    answer = DIFFERENT_GROUPS;
    culprit = rank;
  }
  if (answer === 0) answer = contexts(engine);
  const told = Float64Array.of(answer, culprit);
  for (let rank = 1; rank < group.size; rank += 1) {
    try {
      engine.send(told, group.toWorld(rank), tag, context);
    } catch (error) {
      lost ??= error;
    }
  }
  if (lost !== undefined) throw lost;
  return { first: answer, culprit };
}

function contexts(engine: Engine): number {
  try {
    return engine.newContexts(CONTEXTS.count);
  } catch (error) {
    if (error instanceof MpiError && error.code === 'ERR_NO_MEM') return NO_CONTEXTS;
    throw error;
  }
}

function follow(parent: GroupParent, group: Group, tag: number, mark: Float64Array): Answer {
  const { engine, context } = parent;
  const leader = group.toWorld(0);
  const told = new Float64Array(2);
  engine.send(mark, leader, tag, context);
  engine.recv(told, leader, tag, context);
  const [first = NO_CONTEXTS, culprit = 0] = told;
  return { first, culprit };
}

function explain({ members }: GroupParent, group: Group, { first, culprit }: Answer): number {
  if (first >= 0) return first;
  if (first === NO_CONTEXTS) throw noContexts(CALL);
  const peer = members.fromWorld(group.toWorld(culprit));
  throw first === DIFFERENT_GROUPS
    ? new MpiError(
        'ERR_GROUP',
        `${CALL}: rank ${peer} has passed another group. All members must pass the same one, or different tags for ` +
          'calls that are different ones',
        { peer },
      )
    : new MpiError('ERR_PROC_FAILED', `${CALL}: rank ${peer} is gone, and a member of the group`, {
        peer,
      });
}
