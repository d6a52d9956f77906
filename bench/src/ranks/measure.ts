import { world } from '@onecopy/runtime';
import type { BenchmarkName } from '../benchmarks.ts';
import { warmUp } from '../loops.ts';
import type { Answer, Command } from '../protocol.ts';
import { bandwidthMBs, toThreeDecimals } from '../record.ts';
import { summarise } from '../statistics.ts';
import { AllGather } from './allgather.ts';
import { AllReduce } from './allreduce.ts';
import { AllToAll } from './alltoall.ts';
import { Barrier } from './barrier.ts';
import { Broadcast } from './bcast.ts';
import type { Exercise } from './exercise.ts';
import { PingPong } from './pingpong.ts';
import { Reduce } from './reduce.ts';
import { gatherAtRoot, shareFromRoot } from './steering.ts';
import { CHANNEL, type Moved, moved, movedSince, pathOf } from './traffic.ts';

const exercises: Readonly<Record<BenchmarkName, new (bytes: number) => Exercise>> = {
  pingpong: PingPong,
  alltoall: AllToAll,
  bcast: Broadcast,
  reduce: Reduce,
  allreduce: AllReduce,
  allgather: AllGather,
  barrier: Barrier,
};

let latest: { readonly key: string; readonly exercise: Exercise } | undefined;

interface Pass {
  readonly meanUs: number;
  readonly moved: Moved;
}

/**
 * The method of the OSU micro-benchmarks, on every rank: warm-up, one timer around the loop for the mean, a second
 * pass with a time stamp per iteration for the percentiles. Barriers lie outside the timers. The result is rank 0's.
 */
export function measure(command: Command): Answer | undefined {
  const exercise = exerciseOf(command);
  const iterations = warmUpTogether(exercise, command);
  const checked = command.check ? exercise.check(iterations, command.corruption) : 0;
  const pass = timeMean(exercise, iterations);
  const samples = sampleLatencies(exercise, iterations);
  return combine(command, exercise, iterations, checked, pass, samples);
}

/** In a comparison the same one comes again and again: its buffers stay. */
function exerciseOf({ benchmark, bytes }: Command): Exercise {
  const key = `${benchmark} ${bytes}`;
  if (latest?.key !== key) latest = { key, exercise: new exercises[benchmark](bytes) };
  return latest.exercise;
}

/** Rank 0 alone looks at its clock and decides how often; the others do as it says. */
function warmUpTogether(exercise: Exercise, command: Command): number {
  const plan = warmUp(command.loops);
  let step = plan.next();
  for (;;) {
    const [count, last] = shareFromRoot(Float64Array.of(step.value, step.done ? 1 : 0));
    if (last === 1) return count!;
    const begin = performance.now();
    exercise.run(count!);
    if (world.rank === 0) step = plan.next(performance.now() - begin);
  }
}

function timeMean(exercise: Exercise, iterations: number): Pass {
  world.barrier();
  const before = moved();
  const begin = performance.now();
  exercise.run(iterations);
  const elapsedMs = performance.now() - begin;
  return {
    meanUs: (elapsedMs * 1000) / iterations / exercise.latenciesPerOperation,
    moved: movedSince(before),
  };
}

/** Microseconds. */
function sampleLatencies(exercise: Exercise, iterations: number): Float64Array {
  const samples = new Float64Array(iterations);
  world.barrier();
  exercise.stamp(samples);
  const scale = 1000 / exercise.latenciesPerOperation;
  return samples.map((ms) => ms * scale);
}

function combine(
  command: Command,
  exercise: Exercise,
  iterations: number,
  checked: number,
  pass: Pass,
  samples: Float64Array,
): Answer | undefined {
  const { benchmark, bytes } = command;
  const figures = gatherAtRoot(
    Float64Array.of(pass.meanUs, checked, pass.moved.cma, pass.moved.heap, pass.moved.staged),
  );
  const allSamples = exercise.timedOnAllRanks ? gatherAtRoot(samples) : [samples];
  if (figures === undefined || allSamples === undefined) return undefined;

  const meanUs = exercise.timedOnAllRanks ? sum(figures, 0) / world.size : pass.meanUs;
  const { min, p50, p99, max } = summarise(meanOf(allSamples));
  return {
    record: {
      benchmark,
      ranks: world.size,
      bytes,
      iterations,
      latencyUs: {
        min: toThreeDecimals(min),
        mean: toThreeDecimals(meanUs),
        p50: toThreeDecimals(p50),
        p99: toThreeDecimals(p99),
        max: toThreeDecimals(max),
      },
      bandwidthMBs: toThreeDecimals(bandwidthMBs(benchmark, world.size, bytes, meanUs)),
      channel: CHANNEL,
      ...pathOf({ cma: sum(figures, 2), heap: sum(figures, 3), staged: sum(figures, 4) }),
      node: process.version,
    },
    checked: sum(figures, 1),
  };
}

function sum(figures: readonly Float64Array[], place: number): number {
  return figures.reduce((total, figure) => total + figure[place]!, 0);
}

/** Iteration by iteration: the time of a collective is the mean over ranks. */
function meanOf(samples: readonly Float64Array[]): Float64Array {
  if (samples.length === 1) return samples[0]!;
  return samples[0]!.map(
    (_, index) => samples.reduce((total, { [index]: value }) => total + value!, 0) / samples.length,
  );
}
