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
/** As many as C counts in an int. */
const MOST_WARMUP = 0x7fffffff;
/** Fewer say nothing. */
const LEAST_ITERATIONS = 5;

/**
 * Yields how many operations to do next, takes the milliseconds they took, and returns how many to measure. A
 * generator, for ranks block while they do them and the rivals of onecopy do them in the event loop.
 *
 * Twice as many each time, until there have been enough or the budget is used up: what the first ones take says nothing
 * about the later ones, which are connected, compiled and in the caches.
 */
export function* warmUp(plan: LoopPlan): Generator<number, number, number> {
  const { warmup, warmupBudgetMs = Number.POSITIVE_INFINITY } = plan;
  let done = 0;
  let elapsedMs = 0;
  let eachMs = 0;
  for (let wanted = 1; done < warmup; wanted *= 2) {
    const least = Math.max(1, LEAST_WARMUP - done);
    const count = affordable(
      Math.min(wanted, warmup - done),
      least,
      eachMs,
      warmupBudgetMs - elapsedMs,
    );
    const took = yield count;
    done += count;
    elapsedMs += took;
    eachMs = took / count;
    if (done >= LEAST_WARMUP && elapsedMs >= warmupBudgetMs) break;
  }
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
  /** What the warm-up takes, whatever the usual count is, unless `warmup` says how many. */
  readonly warmupMs?: number;
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
    ...warmupOf(asked, usual.warmup, passMs),
    ...(asked.iterations === undefined
      ? {
          iterations: Math.min(usual.iterations, Math.max(LEAST_ITERATIONS, coldOperations)),
          iterationsBudgetMs: passMs,
        }
      : { iterations: asked.iterations }),
  };
}

function warmupOf(
  { warmup, warmupMs }: AskedLoops,
  usual: number,
  passMs: number,
): Pick<LoopPlan, 'warmup' | 'warmupBudgetMs'> {
  if (warmup !== undefined) return { warmup };
  return warmupMs === undefined
    ? { warmup: usual, warmupBudgetMs: passMs * WARMUP_SHARE }
    : { warmup: MOST_WARMUP, warmupBudgetMs: warmupMs };
}
