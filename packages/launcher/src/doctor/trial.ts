import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Binding, JobEvent } from '@onecopy/native';
import { startJob } from '../job.ts';
import { parseRunOptions } from '../options.ts';
import { reportOf } from '../report.ts';

/** What one rank of the trial saw. */
export interface RankFacts {
  readonly rank: number;
  /** Every byte arrived as it was sent. */
  readonly correct: boolean;
  readonly cmaBytes: number;
  readonly stagedBytes: number;
  readonly hugePages: number;
  /** The error that process_vm_readv gives for memory of this rank itself, and of the other; null: none. */
  readonly refusedOwn: string | null;
  readonly refusedPeer: string | null;
  readonly dumpable: boolean;
  /** /proc/self/status. */
  readonly status: string | null;
  readonly userNamespace: string | null;
  readonly pidNamespace: string | null;
  /** How many are open before the first message, and after it. */
  readonly descriptorsAlone: number | null;
  readonly descriptorsWithPeer: number | null;
}

/** Either what both ranks saw, or why there was no job. */
export type Trial =
  | { readonly ranks: readonly [RankFacts, RankFacts]; readonly failure?: undefined }
  | { readonly failure: string; readonly ranks?: undefined };

/** A job of two ranks takes a tenth of a second; a machine may be busy. */
const DEADLINE_MS = 30_000;
const SIGKILL = 9;

/** Runs a real job of two ranks, started as `onecopy run` starts one: nothing else is the truth for ranks. */
export async function runTrial(binding: Binding): Promise<Trial> {
  // The same folder and kind of file, whether this runs compiled or from sources.
  const url = new URL(`./trial-rank${extname(import.meta.url)}`, import.meta.url);
  const script = fileURLToPath(url);
  const options = parseRunOptions(['-n', '2', script]);
  if (options === 'help') return { failure: 'the trial has no options' };
  const stdin = openSync('/dev/null', 'r');
  try {
    const program = { file: process.execPath, args: [script], env: {}, tsx: false };
    const job = startJob(binding, options, program, stdin);
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      job.end(SIGKILL);
    }, DEADLINE_MS);
    const [cause, outputs, errors] = await Promise.all([
      endOf(job),
      Promise.all(job.stdout.map(textOf)),
      Promise.all(job.stderr.map(textOf)),
    ]);
    clearTimeout(deadline);
    if (late) return { failure: `it had not ended after ${DEADLINE_MS / 1000} seconds` };
    if (cause !== undefined) return { failure: failureOf(cause, errors) };
    return { ranks: [factsIn(outputs[0]), factsIn(outputs[1])] };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    closeSync(stdin);
  }
}

type Ending = Extract<JobEvent, { type: 'end' }>['cause'];

function endOf(job: { listen(listener: (event: JobEvent) => void): void }): Promise<Ending> {
  return new Promise((resolve) => {
    job.listen((event) => {
      if (event.type === 'end') resolve(event.cause);
    });
  });
}

function textOf(fd: number): Promise<string> {
  const pipe = new Socket({ fd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  pipe.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    pipe.on('error', () => undefined);
    pipe.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

function failureOf(cause: NonNullable<Ending>, errors: readonly string[]): string {
  const said = /^\w*Error\b.*/m.exec(errors.join('\n'))?.[0];
  const report = reportOf(cause, false) ?? 'the job was ended';
  return said === undefined || report.includes(said) ? report : `${report}: ${said}`;
}

function factsIn(output: string | undefined): RankFacts {
  // A program that is loaded into every Node may have written lines of its own.
  const line = output?.split('\n').find((each) => each.startsWith('{"rank":'));
  if (line === undefined) throw new Error('a rank of the trial said nothing');
  return JSON.parse(line) as RankFacts;
}
