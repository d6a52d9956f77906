import { inspect } from 'node:util';
import { type Engine, MpiError, type Owed } from '@onecopy/engine';
import { surfaceFailures, unseenFailures } from './forgotten.ts';

/** Longer stacks are cut: the launcher gets the reason in one packet, and the rank prints all of it anyway. */
const LONGEST_REASON = 4000;

/** After so long a rank that is exiting says what it waits for. */
const PATIENCE_MS = 1000;

/**
 * Makes the end of the process an end that the other ranks understand (MPI-4.1 section 11.2.2):
 * leaving by exit completes outstanding sends, an error that nobody caught ends the job.
 *
 * @param hasLeft is told when that is done
 */
export function leaveAtExit(engine: Engine, hasLeft: () => void): void {
  let dying = false;

  // Unhandled rejections come here too. A monitor only looks on: Node still prints the error and sets the exit code.
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    if (userWillHandle()) return;
    dying = true;
    engine.reportUncaught(describe(error));
  });

  process.on('beforeExit', surfaceFailures);

  process.on('exit', (code) => {
    // After an uncaught error peers must not be kept waiting for sends that may never complete.
    if (!dying) leave(engine, code);
    hasLeft();
  });
}

function userWillHandle(): boolean {
  return (
    process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
  );
}

function leave(engine: Engine, code: number): void {
  const failures: unknown[] = [];
  try {
    engine.leave(code, PATIENCE_MS, (owed) => {
      process.stderr.write(`onecopy: rank ${engine.rank} ${sayOwed(owed)}\n`);
    });
  } catch (error) {
    failures.push(error);
  }
  // Among them the sends that could not be completed. It is too late for rejections and exceptions: what is left is to
  // say it, and not to look successful. When the job is ending anyway, somebody else has said why.
  for (const error of [...failures, ...unseenFailures()]) {
    if (error instanceof MpiError && error.code === 'ERR_ABORTED') continue;
    process.exitCode ||= 1;
    const text = error instanceof MpiError ? `${error.code}: ${error.message}` : inspect(error);
    process.stderr.write(`onecopy: left with a failure that nobody has seen: ${text}\n`);
  }
}

/** A process that does not end should not look as if it hung for no reason. */
function sayOwed(owed: readonly Owed[]): string {
  const to = owed.map(({ rank, messages }) => `rank ${rank} (${messages})`).join(', ');
  return to === ''
    ? 'is exiting, and still takes what it has begun to receive'
    : `is exiting, and stays until its messages are received by ${to}`;
}

function describe(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? String(error)) : inspect(error);
  return text.slice(0, LONGEST_REASON);
}
