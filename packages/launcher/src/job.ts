import type { Binding, Job, JobEvent } from '@onecopy/native';
import { findGuardians } from './guardians.ts';
import type { RunOptions } from './options.ts';
import type { Program } from './program.ts';

/** A job whose ranks have been started. */
export interface StartedJob extends Job {
  /** Calls back with every event, those before this call included. To be called once. */
  listen(listener: (event: JobEvent) => void): void;
}

/**
 * Starts the ranks, and nothing else: while they start there is time to load what takes care of them. Throws what
 * `launch` throws.
 */
export function startJob(
  binding: Binding,
  options: RunOptions,
  program: Program,
  stdin: number | 'pipe',
): StartedJob {
  const early: JobEvent[] = [];
  let hear = (event: JobEvent): void => {
    early.push(event);
  };
  const job = binding.launch(
    {
      ranks: options.ranks,
      file: program.file,
      args: program.args,
      env: Object.entries({ ...process.env, ...program.env }).map(
        ([key, value]) => `${key}=${value}`,
      ),
      graceMs: options.graceMs,
      ...(options.eagerLimit !== undefined && { eagerLimit: options.eagerLimit }),
      ...(options.channel !== undefined && { channel: options.channel }),
      ...(options.denyPull && { denyPull: true }),
      ...(options.spinUs !== undefined && { spinUs: options.spinUs }),
      stdin,
      guardians: findGuardians(process.env, process.ppid),
    },
    (event) => hear(event),
  );
  return {
    ...job,
    listen(listener) {
      for (const event of early) listener(event);
      hear = listener;
    },
  };
}
