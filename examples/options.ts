/** What the user gives an example: how the command line is read, and how mistakes are told. */
import { world } from 'onecopy';

/** Something the user gave is not what it should be. The message says what is wrong. */
export class UsageError extends Error {}

/**
 * What `read` makes of the command line, in every rank. Where there is nothing to do, because it is wrong or asks for
 * help, rank 0 says so and every rank gets undefined.
 */
export function readOptions<T>(usage: string, read: () => T): T | undefined {
  if (process.argv.slice(2).includes('--help')) {
    if (world.rank === 0) console.log(usage);
    return undefined;
  }
  try {
    return read();
  } catch (error) {
    if (!isUsageError(error)) throw error;
    if (world.rank === 0) {
      console.error(`${error.message}\n\n${usage}`);
      process.exitCode = 2;
    }
    return undefined;
  }
}

/** For all ranks to call, and then to leave: rank 0 says what is wrong. */
export function giveUp(problem: string): void {
  if (world.rank === 0) {
    console.error(problem);
    process.exitCode = 2;
  }
  // Rank 0 leaves last: its failure would end the job while others are still being told.
  world.gather(0);
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS_');
}

export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not '${text}'`);
}

export function notNegative(option: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new UsageError(`${option} takes a number that is not negative, not '${text}'`);
}
