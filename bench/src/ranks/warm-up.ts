import { world } from '@onecopy/runtime';
import { type LoopPlan, warmUp } from '../loops.ts';
import type { Exercise } from './exercise.ts';
import { shareFromRoot } from './steering.ts';

/** Rank 0 alone looks at its clock and decides how often; the others do as it says. */
export async function warmUpTogether(
  exercise: Pick<Exercise, 'run'>,
  loops: LoopPlan,
): Promise<number> {
  const plan = warmUp(loops);
  let step = plan.next();
  for (;;) {
    const [count, last] = shareFromRoot(Float64Array.of(step.value, step.done ? 1 : 0));
    if (last === 1) return count!;
    const begin = performance.now();
    await exercise.run(count!);
    if (world.rank === 0) step = plan.next(performance.now() - begin);
  }
}
