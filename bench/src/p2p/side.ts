import type { LoopPlan } from '../loops.ts';
import type { Answer } from './protocol.ts';

/** One way to do what a figure measures. It is asleep while it is not measuring. */
export interface Side {
  readonly name: string;
  measure(loops: LoopPlan): Promise<Answer>;
  close(): void | Promise<void>;
}
