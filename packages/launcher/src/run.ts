import { loadBinding } from '@onecopy/native/load';
import { startJob } from './job.ts';
import { parseLogWish, parseRunOptions, RUN_HELP } from './options.ts';
import { chooseProgram } from './program.ts';
import { stdinOfRankZero } from './stdin.ts';
import { UsageError } from './usage.ts';

/** Where a system without PATH would look. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * `onecopy run` with these arguments; the result is its exit code. All output has been written then, though sockets
 * and signal listeners may still keep the process alive.
 *
 * `library` is the URL of the module that programs get for `import 'onecopy'` where it is not installed.
 */
export async function run(args: readonly string[], library: string): Promise<number> {
  try {
    const options = parseRunOptions(args, process.env);
    if (options === 'help') {
      process.stdout.write(RUN_HELP);
      return 0;
    }
    const log = parseLogWish(process.env.ONECOPY_LOG, options.verbose);
    const program = chooseProgram(options.program, options.args, {
      cwd: process.cwd(),
      path: process.env.PATH ?? DEFAULT_PATH,
      node: process.execPath,
      stripsTypes: Boolean(Reflect.get(process.features, 'typescript')),
      library,
    });
    const job = startJob(loadBinding(), options, program, stdinOfRankZero());
    // Now, while the ranks start, and not before.
    const { careFor } = await import('./care.ts');
    return await careFor(job, options, program, log);
  } catch (error) {
    if (!isExpected(error)) throw error;
    process.stderr.write(`onecopy: ${error.message}\n`);
    return error instanceof UsageError ? UsageError.exitCode : 1;
  }
}

/** Its message alone says what is wrong: a mistake of the user, or something that the system refused. */
function isExpected(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    (error instanceof Error && 'code' in error && typeof error.code === 'string')
  );
}
