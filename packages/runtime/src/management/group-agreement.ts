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
const MEMBER_FAILED = -3;
const MEMBER_LEFT = -4;

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
  const worldRanks = group.toWorldRanks();
  const mark = Float64Array.of(worldRanks.length, digest(worldRanks));
  // Not the first of the group: of two ranks that disagree about the order, each would wait for the other.
  const leader = Math.min(...worldRanks);
  const answer = within(CALL, () =>
    group.toWorld(group.rank) === leader
      ? lead(parent, worldRanks, tag, mark)
      : follow(parent, leader, tag, mark),
  );
  return explain(parent, answer);
}

/** The first context, or why there is none; and who is to blame, a rank of the world. */
interface Answer {
  readonly first: number;
  readonly culprit: number;
}

function lead(
  { engine, context }: GroupParent,
  worldRanks: Int32Array,
  tag: number,
  mark: Float64Array,
): Answer {
  const others = worldRanks.filter((each) => each !== engine.rank);
  let answer: Answer | undefined;
  let lost: unknown;
  for (const other of others) {
    const theirs = new Float64Array(mark.length);
    try {
      engine.recv(theirs, other, tag, context);
      if (theirs[0] === mark[0] && theirs[1] === mark[1]) continue;
      answer ??= { first: DIFFERENT_GROUPS, culprit: other };
    } catch (error) {
      // The others wait for the answer all the same.
      lost ??= error;
      const left = error instanceof MpiError && error.code === 'ERR_PROC_LEFT';
      answer ??= { first: left ? MEMBER_LEFT : MEMBER_FAILED, culprit: other };
    }
  }
  answer ??= { first: contexts(engine), culprit: engine.rank };
  for (const other of others) {
    try {
      engine.send(Float64Array.of(answer.first, answer.culprit), other, tag, context);
    } catch {
      // One that went after it had agreed: whoever talks to it in the new communicator is told.
    }
  }
  if (lost !== undefined) throw lost;
  return answer;
}

function contexts(engine: Engine): number {
  try {
    return engine.newContexts(CONTEXTS.count);
  } catch (error) {
    if (error instanceof MpiError && error.code === 'ERR_NO_MEM') return NO_CONTEXTS;
    throw error;
  }
}

function follow(
  { engine, context }: GroupParent,
  leader: number,
  tag: number,
  mark: Float64Array,
): Answer {
  const told = new Float64Array(2);
  engine.send(mark, leader, tag, context);
  engine.recv(told, leader, tag, context);
  const [first = NO_CONTEXTS, culprit = leader] = told;
  return { first, culprit };
}

function explain({ members }: GroupParent, { first, culprit }: Answer): number {
  if (first >= 0) return first;
  if (first === NO_CONTEXTS) throw noContexts(CALL);
  const peer = members.fromWorld(culprit);
  if (first === DIFFERENT_GROUPS) {
    throw new MpiError(
      'ERR_GROUP',
      `${CALL}: rank ${peer} has passed another group. All members must pass the same one, or different tags for ` +
        'calls that are different ones',
      { peer },
    );
  }
  throw new MpiError(
    first === MEMBER_LEFT ? 'ERR_PROC_LEFT' : 'ERR_PROC_FAILED',
    `${CALL}: rank ${peer}, a member of the group, is gone`,
    { peer },
  );
}
