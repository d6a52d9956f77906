import { UsageError } from '../usage.ts';
import { examine } from './examination.ts';
import { DOCTOR_HELP, parseDoctorOptions } from './options.ts';
import { textOf } from './text.ts';

/**
 * `onecopy doctor` with these arguments; the result is its exit code. `manifest` is the URL of the package.json of
 * `onecopy`.
 */
export async function doctor(args: readonly string[], manifest: URL): Promise<number> {
  try {
    const options = parseDoctorOptions(args);
    if (options === 'help') {
      process.stdout.write(DOCTOR_HELP);
      return 0;
    }
    const found = await examine(manifest);
    // JSON would leave out what is undefined, and fields must be stable.
    const orNull = (_key: string, value: unknown): unknown => value ?? null;
    process.stdout.write(options.json ? `${JSON.stringify(found, orNull)}\n` : textOf(found));
    return found.singleCopy.verdict === 'works' ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`onecopy: ${error.message}\n`);
    return UsageError.exitCode;
  }
}
