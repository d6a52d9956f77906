import { delimiter } from 'node:path';
import { loadBinding } from '@onecopy/native';
import { runJob } from './job.ts';
import { parseRunOptions, RUN_HELP } from './options.ts';
import { chooseProgram } from './program.ts';
import { UsageError } from './usage.ts';

/**
 * `onecopy run` with these arguments; the result is its exit code. All output has been written then, though sockets
 * and signal listeners may still keep the process alive.
 *
 * `library` is the URL of the module that programs get for `import 'onecopy'` where it is not installed.
 */
export async function run(args: readonly string[], library: string): Promise<number> {
  try {
    const options = parseRunOptions(args);
    if (options === 'help') {
      process.stdout.write(RUN_HELP);
      return 0;
    }
    const program = chooseProgram(options.program, options.args, {
      cwd: process.cwd(),
      path: process.env.PATH ?? ['/usr/bin', '/bin'].join(delimiter),
      node: process.execPath,
      stripsTypes: Boolean(Reflect.get(process.features, 'typescript')),
      library,
    });
    return await runJob(loadBinding(), options, program);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`onecopy: ${error.message}\n`);
      return UsageError.exitCode;
    }
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
      process.stderr.write(`onecopy: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}
