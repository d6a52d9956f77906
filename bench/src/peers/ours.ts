import { type JobPlan, LaunchedRanks } from '../launched-ranks.ts';
import { ProgramStalled } from './children.ts';
import type { Configuration, Outcome, Turn } from './competitor.ts';

/** How ours is started; by ranks, for there may be a core for each or not. */
export interface OursPlan extends Omit<JobPlan, 'ranks' | 'processors'> {
  /** One hardware thread of each core; none where ranks cannot be bound. */
  readonly processors: readonly number[];
}

export function settingsOfOurs(plan: OursPlan, { ranks }: Pick<Configuration, 'ranks'>): string {
  const binding =
    ranks <= plan.processors.length ? 'each rank bound to a core' : 'ranks not bound to cores';
  return [binding, ...plan.launcherArguments].join(', ');
}

/** A job of ours from start to end, as the peers have one: nothing is warm that would be cold for them. */
export async function measureOurs(
  { processors, ...plan }: OursPlan,
  { benchmark, ranks, bytes, buffers }: Configuration,
  loops: Turn['loops'],
  timeoutMs: number,
): Promise<Outcome> {
  const job = new LaunchedRanks({
    ...plan,
    ranks,
    ...(buffers && { buffers }),
    ...(ranks <= processors.length && { processors }),
  });
  const inTime = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      job.kill();
      reject(new ProgramStalled(`onecopy: no end after ${timeoutMs / 1000} s`));
    }, timeoutMs);
    inTime.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    const { record } = await Promise.race([
      job.ask({ benchmark, bytes, loops, check: false }),
      late,
    ]);
    await Promise.race([job.close(), late]);
    return { iterations: record.iterations, figures: record.latencyUs };
  } finally {
    inTime.abort();
  }
}
