import { execFileSync } from 'node:child_process';
import { world } from '@onecopy/runtime';

let bound = false;

/**
 * Keeps the main thread on its processor, as `--bind-to core` does in an MPI. Only that thread: those in which V8
 * compiles and collects garbage have no business there. The engine has counted its cores before.
 */
export function bind(processors: readonly number[]): void {
  const processor = processors[world.rank];
  if (bound || processor === undefined) return;
  execFileSync('taskset', ['--cpu-list', '--pid', String(processor), String(process.pid)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  bound = true;
}
