import { BENCHMARKS, type BenchmarkName, defaultLoops } from './benchmarks.ts';
import { coldMessagesOf } from './off-cache.ts';

/** How often to do what is measured. A budget is the time that a count may take; without one the count is exact. */
export interface LoopPlan {
  readonly warmup: number;
  readonly warmupBudgetMs?: number;
  readonly iterations: number;
  readonly iterationsBudgetMs?: number;
}

/**
 * However long each takes: the engine gives large buffers huge pages when they have come some times, and with 4 round
 * trips of 64 MiB before the clock started that doubled the mean, with 10 it was over.
 */
const LEAST_WARMUP = 10;
/** Fewer say nothing. */
const LEAST_ITERATIONS = 5;

/**
 * Yields how many operations to do next, takes the milliseconds they took, and returns how many to measure. A
 * generator, for ranks block while they do them and the rivals of onecopy do them in the event loop.
 */
export function* warmUp(plan: LoopPlan): Generator<number, number, number> {
  let left = plan.warmup;
  let eachMs = 0;
  if (left > 0) {
    // The first one connects, so it tells nothing about the others.
    yield 1;
    left -= 1;
  }
  if (left > 0) {
    eachMs = yield 1;
    left -= 1;
  }
  left = affordable(left, LEAST_WARMUP, eachMs, plan.warmupBudgetMs);
  if (left > 0) eachMs = (yield left) / left;
  return affordable(plan.iterations, LEAST_ITERATIONS, eachMs, plan.iterationsBudgetMs);
}

function affordable(
  wanted: number,
  least: number,
  eachMs: number,
  budgetMs: number | undefined,
): number {
  if (budgetMs === undefined || wanted * eachMs <= budgetMs) return wanted;
  return Math.min(wanted, Math.max(least, Math.floor(budgetMs / eachMs)));
}

/** What a pass may take when nobody said how many iterations. */
export const PASS_MS = 2000;
/** The same in a comparison, where many passes of slow rivals follow each other. */
export const TURN_MS = 250;
/** Of a pass, for its warm-up. */
const WARMUP_SHARE = 0.25;

export interface AskedLoops {
  readonly benchmark: BenchmarkName;
  readonly iterations?: number;
  readonly warmup?: number;
  /** What the buffers of a rank walk through; undefined: they stay where they are. */
  readonly offCacheBytes?: number;
}

/** What the user has said counts exactly; otherwise the usual number, as far as time allows. */
export function loopsOf(asked: AskedLoops, bytes: number, passMs: number): LoopPlan {
  const benchmark = BENCHMARKS[asked.benchmark];
  const usual = defaultLoops(benchmark, bytes);
  const coldMessages =
    asked.offCacheBytes === undefined
      ? Number.POSITIVE_INFINITY
      : coldMessagesOf(bytes, asked.offCacheBytes);
  const coldOperations = Math.floor(coldMessages / (benchmark.messagesPerOperation ?? 1));
  return {
    ...(asked.warmup === undefined
      ? { warmup: usual.warmup, warmupBudgetMs: passMs * WARMUP_SHARE }
      : { warmup: asked.warmup }),
    ...(asked.iterations === undefined
      ? {
          iterations: Math.min(usual.iterations, Math.max(LEAST_ITERATIONS, coldOperations)),
          iterationsBudgetMs: passMs,
        }
      : { iterations: asked.iterations }),
  };
}
