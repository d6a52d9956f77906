import { datatypeName, type ErrorCode, MpiError } from '@onecopy/engine';

import { type Binding, Report, SYSCALLS } from './binding.ts';
import type { Members } from './members.ts';
import { COLLECTIVES as COLLECTIVE_NAMES } from './operations.ts';

/** What was attempted, for the sentence: `send(to rank 1, tag 7)`. */
export interface Attempt {
  readonly operation: string;
  /** Rank, ANY_SOURCE, or undefined when the operation names none. */
  readonly peer?: number;
  readonly tag?: number;
  /** Of the communicator; absent: all ranks of the world. */
  readonly members?: Members | undefined;
  /** A collective operation: it may have failed on another rank. */
  readonly collective?: boolean;
}

/** The name that a rank of the world has in the communicator; negative numbers stand for none. */
function rankIn(members: Members | undefined, worldRank: number): number {
  return members === undefined || worldRank < 0 ? worldRank : members.rankOf(worldRank);
}

/** `rank 1`, and which one that is of the world, where it has another number there. */
function nameIn(members: Members | undefined, worldRank: number): string {
  const rank = rankIn(members, worldRank);
  if (rank === worldRank) return `rank ${rank}`;
  return rank < 0 ? `rank ${worldRank} of world` : `rank ${rank} (${worldRank} in world)`;
}

function describe({ operation, peer, tag, members }: Attempt): string {
  const parts: string[] = [];
  if (peer !== undefined) parts.push(peer === -1 ? 'any source' : nameIn(members, peer));
  if (tag !== undefined) parts.push(tag === -1 ? 'any tag' : `tag ${tag}`);
  return parts.length === 0 ? operation : `${operation}(${parts.join(', ')})`;
}

/** Stands with ERR_TYPE where no element type does; kObjectInErrors in native/core/engine/error.h. */
const OBJECT = 0xff;

const SYSTEM_HINTS: Readonly<Record<number, string>> = {
  1: 'the system forbids it',
  3: 'the process is gone',
  12: 'memory is exhausted',
  14: 'the address is not mapped: was the buffer freed?',
  24: 'too many open files: raise `ulimit -n`',
};

/** Makes the error for a number that the addon returned; `report` still holds what belongs to it. */
export function failure(binding: Binding, number: number, attempt: Attempt): MpiError {
  const code = (binding.errorCodes[number] ?? 'ERR_PROTOCOL') as ErrorCode;
  const report = binding.report;
  const at = (place: number): number => report[place] ?? 0;
  const what = describe(attempt);
  const reported = at(Report.peer);
  const peer = reported >= 0 ? reported : attempt.peer;
  const { members } = attempt;
  const who = peer === undefined || peer < 0 ? 'the peer' : nameIn(members, peer);
  const rank = peer === undefined ? -1 : rankIn(members, peer);
  const from = rank < 0 ? {} : { peer: rank };

  if (attempt.collective) {
    const told = collectiveFailure(binding, members, code, what, who, from);
    if (told !== undefined) return told;
  }

  switch (code) {
    case 'ERR_TRUNCATE':
      return new MpiError(
        code,
        `${what}: the message from ${who} has ${at(Report.expected)} bytes, the buffer has room for ${at(Report.actual)}; ` +
          'the message is lost to this receive. Pass a larger buffer, or use recvNew or probe to learn the size first',
        from,
      );
    case 'ERR_TYPE':
      if (at(Report.expected) === OBJECT) {
        return new MpiError(
          code,
          `${what}: ${who} sent an object, which no buffer can take; the message is lost. Receive objects with recvObject`,
          from,
        );
      }
      if (at(Report.actual) === OBJECT) {
        return new MpiError(
          code,
          `${what}: ${who} sent ${datatypeName(at(Report.expected))} elements and no object; the message is lost. ` +
            'Receive buffers with recv',
          from,
        );
      }
      return new MpiError(
        code,
        `${what}: ${who} sent ${datatypeName(at(Report.expected))}, the buffer is ${datatypeName(at(Report.actual))}. ` +
          'Receive into an array of the same class, or into a Uint8Array to take the bytes as they are',
        from,
      );
    case 'ERR_DEADLOCK':
      return new MpiError(
        code,
        `${what} can never complete: only this process itself could be its other side, and it is blocked in this call. ` +
          'Start the other side first with irecv or isend',
        from,
      );
    case 'ERR_PROC_FAILED':
      return new MpiError(code, `${what}: ${who} failed; the launcher says how`, from);
    case 'ERR_PROC_LEFT':
      return new MpiError(
        code,
        peer === undefined || peer < 0
          ? `${what}: every other rank of the communicator has left the job, nobody can send any more`
          : `${what}: ${who} has left the job without the other side of this call`,
        from,
      );
    case 'ERR_ABORTED':
      return new MpiError(code, `${what}: the job is ending; the launcher says why`, from);
    case 'ERR_TIMEOUT':
      return new MpiError(code, `${what}: not complete within the time given; it goes on`, from);
    case 'ERR_CANCELLED':
      return new MpiError(code, `${what} was cancelled`, from);
    case 'ERR_BUFFER':
      return new MpiError(
        code,
        `${what}: not a buffer. Pass a typed array, DataView, Buffer, ArrayBuffer or SharedArrayBuffer`,
      );
    case 'ERR_DETACHED':
      return new MpiError(
        code,
        `${what}: the buffer was detached or resized (transferred to another thread?); keep it until the operation is complete`,
        from,
      );
    case 'ERR_FREED':
      return new MpiError(
        code,
        `${what}: the array was freed, by its [Symbol.dispose](). Dispose of an array after its last use, or alloc another`,
        from,
      );
    case 'ERR_TRANSFER':
      return new MpiError(
        code,
        `${what}: ${who} could not take the bytes after it had matched the message; its own error says why`,
        from,
      );
    case 'ERR_RANK':
      return new MpiError(code, `${what}: there is no such rank`, from);
    case 'ERR_REQUEST':
      return new MpiError(code, `${what}: not an active request`);
    case 'ERR_FINALIZED':
      return new MpiError(code, `${what}: this process has left the job`);
    case 'ERR_NO_MEM':
      return new MpiError(code, `${what}: ${shortage(at, members)}`, from);
    case 'ERR_PROTOCOL':
      return new MpiError(
        code,
        `${what}: the message from ${who} is not in the form that objects are sent in; it is lost. ` +
          'Do both ranks run the same version of onecopy?',
        from,
      );
    case 'ERR_SYSTEM': {
      const errno = at(Report.errno);
      const syscall = SYSCALLS[at(Report.syscall)] ?? '';
      const hint = SYSTEM_HINTS[errno] ?? `errno ${errno}`;
      return new MpiError(
        code,
        `${what}: ${syscall} failed${peer === undefined ? '' : ` with ${who}`}: ${hint}`,
        {
          ...from,
          errno,
          syscall,
        },
      );
    }
    case 'ERR_REENTRANT':
      return new MpiError(
        code,
        `${what}: called inside an operator. An operator only computes; communicate before or after`,
      );
    default:
      return new MpiError(code, `${what} failed`, from);
  }
}

/** Why there is no memory, and for what. */
function shortage(at: (place: number) => number, members: Members | undefined): string {
  const messages = at(Report.expected);
  if (at(Report.peer) < 0 || messages === 0) return 'memory is exhausted';
  return (
    `there is no memory for more messages. R${nameIn(members, at(Report.rank)).slice(1)} keeps ${messages} of them ` +
    `(${at(Report.actual)} bytes) that no receive has asked for, ${at(Report.bytes)} of these from ` +
    `${nameIn(members, at(Report.peer))} with tag ${at(Report.tag)}; more have arrived. Receive them before you wait for others, or let ` +
    'their senders wait for an answer now and then, with ssend or barrier'
  );
}

/** After these no collective operation can succeed on the communicator. */
const LASTING: ReadonlySet<string> = new Set([
  'ERR_PROC_FAILED',
  'ERR_PROC_LEFT',
  'ERR_ABORTED',
  'ERR_FINALIZED',
]);

const USABLE = 'The communicator stays usable';

function collectiveFailure(
  binding: Binding,
  members: Members | undefined,
  code: ErrorCode,
  what: string,
  who: string,
  from: { peer?: number },
): MpiError | undefined {
  const at = (place: number): number => binding.report[place] ?? 0;
  const culprit = at(Report.culprit);
  if (culprit >= 0 && !LASTING.has(code)) {
    const text = binding.failureText();
    const where = nameIn(members, culprit);
    const rank = rankIn(members, culprit);
    return new MpiError(
      code,
      code === 'ERR_OP'
        ? `${what}: the operator has thrown on ${where}${text === '' ? '' : `: ${text}`}. ${USABLE}`
        : `${what}: it failed on ${where} with ${code}; the error there says why. ${USABLE}`,
      rank < 0 ? {} : { peer: rank },
    );
  }
  switch (code) {
    case 'ERR_TRUNCATE':
    case 'ERR_COUNT':
      return new MpiError(
        code,
        `${what}: ${who} sent ${at(Report.expected)} bytes where this rank's arguments mean ${at(Report.actual)}. ` +
          `All ranks must pass counts that agree. ${USABLE}`,
        from,
      );
    case 'ERR_TYPE':
      return new MpiError(
        code,
        `${what}: ${who} passed ${datatypeName(at(Report.expected))} elements and this rank ` +
          `${datatypeName(at(Report.actual))}. All ranks must pass the same class, or bytes. ${USABLE}`,
        from,
      );
    case 'ERR_COLLECTIVE':
      return new MpiError(
        code,
        `${what}: ${who} has called ${nameOf(at(Report.expected))}, and this rank ${nameOf(at(Report.actual))}. ` +
          'All ranks of a communicator must call the same collective operations with the same counts in the same order. ' +
          USABLE,
        from,
      );
    case 'ERR_OP':
      return new MpiError(code, `${what}: the operator is not defined for this element type`);
    case 'ERR_PROC_FAILED':
      return new MpiError(
        code,
        `${what}: ${culprit >= 0 && from.peer === undefined ? nameIn(members, culprit) : who} failed; the launcher says how. ` +
          'No collective operation can succeed on this communicator any more',
        from,
      );
    case 'ERR_PROC_LEFT':
      return new MpiError(
        code,
        `${what}: ${who} has left the job without this operation. ` +
          'No collective operation can succeed on this communicator any more',
        from,
      );
    case 'ERR_REENTRANT':
      return new MpiError(
        code,
        `${what}: called inside an operator, while another operation is in progress. ` +
          'An operator only computes; communicate before or after',
      );
    default:
      return undefined;
  }
}

/** The operation behind a message kind; see native/core/matching/envelope.h. */
function nameOf(kind: number): string {
  return COLLECTIVE_NAMES[kind - 0x40] ?? 'something else';
}
