import { compare, comparisonTable } from './comparison.ts';
import { JobEnded } from './launched-ranks.ts';
import { loopsOf, PASS_MS, TURN_MS } from './loops.ts';
import { describeMachine } from './machine.ts';
import { HELP, OptionError, type Options, parseOptions } from './options.ts';
import { ProgressLine } from './progress.ts';
import { measureSizes, singleTable } from './single.ts';

/**
 * `onecopy bench`, given the arguments after it; the result is the exit code. The ranks are started with the command
 * file this process was started with.
 */
export async function main(argv: string[]): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(argv, process.env);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`onecopy bench: ${error.message}\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  process.stdout.once('error', stopWithoutReader);
  const progress = new ProgressLine(process.stderr);
  try {
    for await (const line of linesOf(options, (text) => progress.show(text))) {
      progress.clear();
      process.stdout.write(`${line}\n`);
    }
    return 0;
  } catch (error) {
    progress.clear();
    // The launcher has said why.
    if (error instanceof JobEnded) return error.exitCode;
    process.stderr.write(`onecopy bench: ${(error as Error).message}\n`);
    return 1;
  } finally {
    progress.clear();
  }
}

async function* linesOf(
  options: Options,
  progress: (text: string) => void,
): AsyncGenerator<string> {
  const plan = {
    ...options,
    cli: process.argv[1]!,
    loops: (bytes: number) => loopsOf(options, bytes, options.rivals ? TURN_MS : PASS_MS),
  };
  if (options.json && options.rivals) {
    for await (const record of compare(plan, progress)) yield JSON.stringify(record);
  } else if (options.json) {
    for await (const { record } of measureSizes(plan, progress)) yield JSON.stringify(record);
  } else {
    yield `${describeMachine()}\n`;
    yield* options.rivals ? comparisonTable(plan, progress) : singleTable(plan, progress);
  }
}

/** Whoever read our output (head, less) has seen enough. The ranks end when they find their stdin closed. */
function stopWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
