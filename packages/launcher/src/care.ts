import { isatty } from 'node:tty';
import type { Cause, JobEvent } from '@onecopy/native';
import type { StartedJob } from './job.ts';
import { type LogWish, openLog } from './log.ts';
import type { RunOptions } from './options.ts';
import { Output } from './output.ts';
import type { Program } from './program.ts';
import { reportOf, storyOf } from './report.ts';
import { feed } from './stdin.ts';
import { TopLevelAwait } from './top-level-await.ts';

/** What a shell shows for a program that SIGPIPE ended. */
const BROKEN_PIPE_CODE = 128 + 13;
const SIGPIPE = 13;
const SIGTERM = 15;

/** A job that has not ended this long after Ctrl-C may be told how to end it at once. */
const HINT_MS = 300;

/** Sees a job through to its last byte of output. Result: the exit code. */
export async function careFor(
  job: StartedJob,
  options: RunOptions,
  program: Program,
  logWish: LogWish | undefined,
): Promise<number> {
  let cause: Cause | undefined;
  let over = false;
  let brokenCode: number | undefined;
  const output = new Output(options.tagOutput, (name, error) => {
    const brokenPipe = error.code === 'EPIPE';
    // Node ignores SIGPIPE; so a rank learns of it as it would without us, by writing.
    output.close();
    if (!brokenPipe) output.say(`onecopy: cannot write to ${name}: ${error.message}`);
    // A job that is ending already has a better reason.
    if (cause !== undefined || brokenCode !== undefined) return;
    brokenCode = brokenPipe ? BROKEN_PIPE_CODE : 1;
    if (!over) job.end(brokenPipe ? SIGPIPE : SIGTERM);
  });
  const awaits = program.tsx ? new TopLevelAwait() : undefined;
  output.read(job.stdout, job.stderr, awaits && ((chunk) => awaits.look(chunk)));
  if (job.stdin >= 0) feed(job.stdin, () => output.echoed(true));

  const log = logWish && (await openLog(logWish, (line) => output.say(line)));
  log?.info(
    { job: job.id, pids: job.pids, program },
    `job ${job.id}: ${options.ranks} ranks of ${[program.file, ...program.args].join(' ')}`,
  );

  const running = new Set(job.pids.keys());
  let cutShort = false;
  let hint: NodeJS.Timeout | undefined;
  const onEnding = (first: Cause): void => {
    cause = first;
    running.delete(first.rank);
    cutShort = running.size > 0;
    if (first.signal === 'SIGINT') output.echoed(false);
    if (first.kind !== 'interrupted' || !isatty(2)) return;
    hint = setTimeout(
      () => output.say('onecopy: ending the job; Ctrl-C again kills it at once'),
      HINT_MS,
    );
  };
  cause = await new Promise<Cause | undefined>((resolve) => {
    job.listen((event: JobEvent) => {
      const story = storyOf(event);
      if (story !== undefined) log?.info(event, story);
      if (event.type === 'exit') running.delete(event.rank);
      if (event.type === 'ending') onEnding(event.cause);
      if (event.type === 'end') resolve(event.cause);
    });
  });
  over = true;
  clearTimeout(hint);

  // Who wants the job gone does not want to wait for a reader that does not read.
  const unwanted = cause?.kind === 'interrupted' || cause?.kind === 'guardian';
  const patiently = (written: Promise<void>): Promise<void> =>
    unwanted ? Promise.race([written, output.stuck()]) : written;
  await patiently(output.drain());
  if (cause !== undefined && brokenCode === undefined) {
    for (const sentence of [reportOf(cause, cutShort), awaits?.advice]) {
      if (sentence !== undefined) output.say(`onecopy: ${sentence}`);
    }
  }
  await patiently(output.flushed());
  return brokenCode ?? cause?.exitCode ?? 0;
}
