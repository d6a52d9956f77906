import { OptionError } from '../arguments.ts';
import { describeMachine } from '../machine.ts';
import { ProgressLine } from '../progress.ts';
import { formatSize } from '../sizes.ts';
import { buildProgram } from './build.ts';
import { measureMovers } from './measure.ts';
import { HELP, type MoversOptions, parseMoversOptions } from './options.ts';
import type { MoverRecord } from './record.ts';
import { reportLines } from './report.ts';

/** `onecopy bench movers`, given the arguments after it; the result is the exit code. */
export async function runMovers(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let options: MoversOptions | 'help';
  try {
    options = parseMoversOptions(argv);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`onecopy bench movers: ${error.message}\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  process.stdout.once('error', stopWithoutReader);
  const progress = new ProgressLine(process.stderr);
  try {
    const program = await buildProgram(env, (text) => process.stderr.write(`onecopy: ${text}\n`));
    progress.show('movers');
    const records = measureMovers(program, options, env);
    for await (const line of linesOf(records, options, (text) => progress.show(text))) {
      progress.clear();
      process.stdout.write(`${line}\n`);
    }
    return 0;
  } catch (error) {
    progress.clear();
    process.stderr.write(`onecopy bench movers: ${(error as Error).message}\n`);
    return 1;
  } finally {
    progress.clear();
  }
}

async function* linesOf(
  records: AsyncIterable<MoverRecord>,
  options: MoversOptions,
  progress: (text: string) => void,
): AsyncGenerator<string> {
  if (options.json) {
    for await (const record of records) yield JSON.stringify(record);
    return;
  }
  yield describeMachine();
  // A table needs all its columns: it is shown when the next one begins.
  let current: MoverRecord[] = [];
  for await (const record of records) {
    const first = current[0] ?? record;
    if (record.pattern !== first.pattern || record.pages !== first.pages) {
      yield* ['', ...reportLines(current)];
      current = [];
    }
    current.push(record);
    const size = 'bytes' in record ? ` ${formatSize(record.bytes)}` : '';
    progress(`${record.pattern}, ${record.pages} pages:${size} done`);
  }
  yield* ['', ...reportLines(current)];
}

/** Whoever read our output (head, less) has seen enough. The program ends with this process. */
function stopWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
