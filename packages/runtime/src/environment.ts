/** What a program can ask about where it runs, and on what (MPI-4.1 chapter 9). None of it starts anything. */
import { hostname } from 'node:os';
import { startedEngine } from './start.ts';
import { VERSION } from './version.ts';

/**
 * The version of the standard whose names and rules onecopy follows (MPI_VERSION, MPI-4.1 section 9.1.1);
 * docs/coverage.md says how much of it there is.
 */
export const MPI_VERSION: number = 4;
/** What follows the point in it (MPI_SUBVERSION, MPI-4.1 section 9.1.1). */
export const MPI_SUBVERSION: number = 1;

/** Name and version of this library in one line (MPI_Get_library_version, MPI-4.1 section 9.1.1). */
export function libraryVersion(): string {
  return `onecopy ${VERSION}`;
}

/** The name of the machine, the same for all ranks (MPI_Get_processor_name, MPI-4.1 section 9.1.2). */
export function processorName(): string {
  return hostname();
}

/** Seconds between two ticks of the clock that `wtime` reads: a nanosecond (MPI_Wtick, MPI-4.1 section 9.6). */
export function wtick(): number {
  return 1e-9;
}

/**
 * Whether this process has joined its job, which the first use of a communicator does (MPI_Initialized, MPI-4.1 section
 * 11.4.1). Stays true after it has left.
 */
export function initialized(): boolean {
  return startedEngine() !== undefined;
}

/**
 * Whether this process has left its job, as it does when it exits (MPI_Finalized, MPI-4.1 section 11.4.1): only in exit
 * handlers that run after onecopy's own is it true.
 */
export function finalized(): boolean {
  return startedEngine()?.hasLeft ?? false;
}
