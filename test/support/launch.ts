// Runs programs of test/programs to their end, as ranks or alone.
import { Command, type Outcome, program, runOnecopy } from './command.ts';

export type { Outcome } from './command.ts';

export interface LaunchOptions {
  readonly ranks: number;
  /** Of `onecopy run`. */
  readonly options?: readonly string[];
  /** Of the program. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly deadlineMs?: number;
}

/** `onecopy run -n ranks options test/programs/name args`. */
export function launch(name: string, launching: LaunchOptions): Promise<Outcome> {
  const { ranks, options = [], args = [], ...rest } = launching;
  return runOnecopy(['run', '-n', String(ranks), ...options, program(name), ...args], rest);
}

/** The same program without the launcher: a world of one. */
export function runAlone(
  name: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const stripsTypes = major > 22 || (major === 22 && minor >= 18);
  const loader = name.endsWith('.ts') && !stripsTypes ? ['--import', 'tsx'] : [];
  return new Command(process.execPath, [...loader, program(name), ...args], {
    env: { ...env, TSX_DISABLE_CACHE: '1' },
  }).ended;
}

/** The lines of JSON that ranks wrote, in any order. */
export function jsonLines<T>(outcome: Outcome): T[] {
  const lines = outcome.stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as T);
}
