/** The program of `onecopy bench p2p`, run by both ranks. */
import { world } from '@onecopy/runtime';
import { Unavailable } from '../../ranks/memory.ts';
import { serve } from '../../ranks/serving.ts';
import { warmUpTogether } from '../../ranks/warm-up.ts';
import type { Answer, Command } from '../protocol.ts';
import type { P2pExercise } from './exercise.ts';
import { EXERCISES } from './exercises.ts';

await serve(measure);

/** As in `onecopy bench`: warm-up, a barrier, one timer around the loop. The result is rank 0's. */
async function measure({ exercise: name, loops }: Command): Promise<Answer> {
  const exercise = prepare(name);
  if (exercise instanceof Unavailable) return { unavailable: exercise.message };
  const iterations = await warmUpTogether(exercise, loops);
  world.barrier();
  const begin = performance.now();
  const running = exercise.run(iterations);
  // Only what is awaited by itself goes through the event loop before the clock stops.
  if (running !== undefined) await running;
  const elapsedMs = performance.now() - begin;
  // The other rank must not take back what the first still needs.
  world.barrier();
  exercise.end?.();
  return { meanUs: (elapsedMs * 1000) / iterations / exercise.latenciesPerOperation };
}

function prepare(name: Command['exercise']): P2pExercise | Unavailable {
  try {
    return EXERCISES[name]();
  } catch (error) {
    if (error instanceof Unavailable) return error;
    throw error;
  }
}
