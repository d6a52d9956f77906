import { datatypeName, type ErrorCode, MpiError } from '@onecopy/engine';

import { type Binding, Report, SYSCALLS } from './binding.ts';

/** What was attempted, for the sentence: `send(to rank 1, tag 7)`. */
export interface Attempt {
  readonly operation: string;
  /** Rank, ANY_SOURCE, or undefined when the operation names none. */
  readonly peer?: number;
  readonly tag?: number;
}

function describe({ operation, peer, tag }: Attempt): string {
  const parts: string[] = [];
  if (peer !== undefined) parts.push(peer === -1 ? 'any source' : `rank ${peer}`);
  if (tag !== undefined) parts.push(tag === -1 ? 'any tag' : `tag ${tag}`);
  return parts.length === 0 ? operation : `${operation}(${parts.join(', ')})`;
}

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
  const who = peer === undefined || peer < 0 ? 'the peer' : `rank ${peer}`;
  const from = peer === undefined || peer < 0 ? {} : { peer };

  switch (code) {
    case 'ERR_TRUNCATE':
      return new MpiError(
        code,
        `${what}: the message from ${who} has ${at(Report.expected)} bytes, the buffer has room for ${at(Report.actual)}; ` +
          'the message is lost to this receive. Pass a larger buffer, or use recvNew or probe to learn the size first',
        from,
      );
    case 'ERR_TYPE':
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
          ? `${what}: every other rank has left the job, nobody can send any more`
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
      return new MpiError(code, `${what}: memory is exhausted`);
    case 'ERR_SYSTEM': {
      const errno = at(Report.errno);
      const syscall = SYSCALLS[at(Report.syscall)] ?? '';
      const hint = SYSTEM_HINTS[errno] ?? `errno ${errno}`;
      return new MpiError(code, `${what}: ${syscall} failed with ${who}: ${hint}`, {
        ...from,
        errno,
        syscall,
      });
    }
    default:
      return new MpiError(code, `${what} failed`, from);
  }
}
