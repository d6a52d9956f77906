import { Communicator } from './communicator.ts';
import { Group } from './group.ts';
import { CONTEXTS } from './membership.ts';
import { processEngine } from './start.ts';

/** The first of `CONTEXTS.count` ids of each; those of later communicators come from the launcher. */
const WORLD_CONTEXT = 0;
const SELF_CONTEXT: number = CONTEXTS.count;

/**
 * All ranks of the job (MPI_COMM_WORLD, MPI-4.1 section 7.2.4). The first use of any of its members joins the job; a
 * program that was started without the launcher is a world of one.
 */
export const world: Communicator = new Communicator('world', WORLD_CONTEXT, () => {
  const engine = processEngine();
  return { engine, group: Group.everybody(engine) };
});

/** This process alone (MPI_COMM_SELF, MPI-4.1 section 7.2.4). */
export const self: Communicator = new Communicator('self', SELF_CONTEXT, () => {
  const engine = processEngine();
  return { engine, group: Group.of(engine, Int32Array.of(engine.rank)) };
});

/**
 * Seconds since some moment in the past, the same clock for all ranks of the machine (MPI_Wtime, MPI-4.1 section 9.6).
 */
export function wtime(): number {
  return processEngine().wtime();
}

/** Whether `wtime` is the same clock for all ranks (MPI_WTIME_IS_GLOBAL, MPI-4.1 section 9.1.2). */
export const WTIME_IS_GLOBAL = true;

/** `world.abort`: ends the whole job now with an exit code from 0 to 255 (MPI_Abort, MPI-4.1 section 11.4.2). */
export function abort(code = 1, reason?: string): never {
  return world.abort(code, reason);
}

/**
 * Counts of what this rank has sent, received and moved since it started, by name: `sent` and `received` messages,
 * bytes by mover (`eagerBytes`, `cmaBytes`, `heapBytes`, `stagedBytes`, `localBytes`, each counted by the receiver), `cmaCalls`,
 * `sleeps`, `rings`, and more. For measuring and for tests; later versions add names.
 */
export function counters(): Readonly<Record<string, number>> {
  return processEngine().counters();
}
