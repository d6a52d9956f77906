import { isatty } from 'node:tty';
import type { Binding, Cause, Job, JobEvent } from '@onecopy/native';
import { findGuardians } from './guardians.ts';
import { openLog } from './log.ts';
import type { RunOptions } from './options.ts';
import { Output } from './output.ts';
import type { Program } from './program.ts';
import { reportOf, storyOf } from './report.ts';
import { feed, stdinOfRankZero } from './stdin.ts';
import { TopLevelAwait } from './top-level-await.ts';

/** What a shell shows for a program that SIGPIPE ended. */
const BROKEN_PIPE_CODE = 128 + 13;
const SIGPIPE = 13;
const SIGTERM = 15;

/** A job that has not ended this long after Ctrl-C may be told how to end it at once. */
const HINT_MS = 300;

/** Runs a program as ranks, from the first process to the last byte of output. Result: the exit code. */
export async function runJob(
  binding: Binding,
  options: RunOptions,
  program: Program,
): Promise<number> {
  let job: Job | undefined;
  let ending = false;
  let brokenCode: number | undefined;
  const output = new Output(options.tagOutput, (name, error) => {
    const brokenPipe = error.code === 'EPIPE';
    // Node ignores SIGPIPE; so a rank learns of it as it would without us, by writing.
    output.close();
    if (!brokenPipe) output.say(`onecopy: cannot write to ${name}: ${error.message}`);
    // A job that is ending already has a better reason, and a second call would leave it no time.
    if (ending) return;
    ending = true;
    brokenCode = brokenPipe ? BROKEN_PIPE_CODE : 1;
    job?.end(brokenPipe ? SIGPIPE : SIGTERM);
  });
  const log = await openLog(process.env.ONECOPY_LOG, options.verbose, (line) => output.say(line));
  const awaits = program.tsx ? new TopLevelAwait() : undefined;

  const stdin = stdinOfRankZero();
  const guardians = findGuardians(process.env, process.ppid);
  let hint: NodeJS.Timeout | undefined;
  const cause = await new Promise<Cause | undefined>((resolve) => {
    const listener = (event: JobEvent): void => {
      const story = storyOf(event);
      if (story !== undefined) log.info(event, story);
      if (event.type === 'end') resolve(event.cause);
      if (event.type !== 'ending') return;
      ending = true;
      if (event.cause.kind === 'interrupted' && isatty(2)) {
        hint = setTimeout(
          () => output.say('onecopy: ending the job; Ctrl-C again kills it at once'),
          HINT_MS,
        );
      }
    };
    job = binding.launch(
      {
        ranks: options.ranks,
        file: program.file,
        args: program.args,
        env: environmentFor(program),
        graceMs: options.graceMs,
        ...(options.eagerLimit !== undefined && { eagerLimit: options.eagerLimit }),
        ...(options.denyPull && { denyPull: true }),
        ...(options.spinUs !== undefined && { spinUs: options.spinUs }),
        stdin,
        guardians,
      },
      listener,
    );
    log.info(
      { job: job.id, pids: job.pids, guardians, program },
      `job ${job.id}: ${options.ranks} ranks of ${[program.file, ...program.args].join(' ')}`,
    );
    output.read(job.stdout, job.stderr, awaits && ((chunk) => awaits.look(chunk)));
    if (stdin === 'pipe') feed(job.stdin);
  });
  clearTimeout(hint);
  ending = true;

  const drained = output.drain();
  const unwanted = cause?.kind === 'interrupted' || cause?.kind === 'guardian';
  await (unwanted ? Promise.race([drained, output.stuck()]) : drained);
  if (cause !== undefined && brokenCode === undefined) {
    const report = reportOf(cause, options.ranks);
    const sentences = [report, awaits?.advice].filter((each) => each !== undefined);
    if (sentences.length > 0) output.say(`onecopy: ${sentences.join('\nonecopy: ')}`);
  }
  const flushed = output.flushed();
  await (unwanted ? Promise.race([flushed, output.stuck()]) : flushed);
  return brokenCode ?? cause?.exitCode ?? 0;
}

function environmentFor(program: Program): string[] {
  return Object.entries({ ...process.env, ...program.env }).map(
    ([key, value]) => `${key}=${value}`,
  );
}
