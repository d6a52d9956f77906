/** What `onecopy bench p2p` and its ranks tell each other, a line each. */
import type { LoopPlan } from '../loops.ts';
import type { ExerciseName } from './ranks/exercises.ts';

export interface Command {
  readonly exercise: ExerciseName;
  readonly loops: LoopPlan;
}

/** Why not, where onecopy has no such call. */
export type Answer = { readonly meanUs: number } | { readonly unavailable: string };
