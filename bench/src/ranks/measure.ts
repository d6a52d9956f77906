import { world } from '@onecopy/runtime';
import type { BenchmarkName } from '../benchmarks.ts';
import type { Answer, Command } from '../protocol.ts';
import { bandwidthMBs, toThreeDecimals } from '../record.ts';
import { summarise } from '../statistics.ts';
import { AllGather } from './allgather.ts';
import { AllReduce } from './allreduce.ts';
import { AllToAll } from './alltoall.ts';
import { Awaited } from './awaited.ts';
import { Barrier } from './barrier.ts';
import { Broadcast } from './bcast.ts';
import { bind } from './binding.ts';
import type { Exercise } from './exercise.ts';
import { Memory } from './memory.ts';
import { Persistent } from './persistent.ts';
import { MultiPair, PingPong } from './pingpong.ts';
import { Reduce } from './reduce.ts';
import { gatherAtRoot } from './steering.ts';
import { type Moved, moved, movedSince, pathOf } from './traffic.ts';
import { warmUpTogether } from './warm-up.ts';
import { BothWays, OneWay } from './windows.ts';

type Exercises = Readonly<Record<BenchmarkName, new (bytes: number, memory: Memory) => Exercise>>;

const exercises: Exercises = {
  pingpong: PingPong,
  awaited: Awaited,
  multipair: MultiPair,
  bandwidth: OneWay,
  bibandwidth: BothWays,
  rate: OneWay,
  persistent: Persistent,
  alltoall: AllToAll,
  bcast: Broadcast,
  reduce: Reduce,
  allreduce: AllReduce,
  allgather: AllGather,
  barrier: Barrier,
};

interface Prepared {
  readonly exercise: Exercise;
  readonly memory: Memory;
}

let latest: (Prepared & { readonly key: string }) | undefined;

interface Pass {
  readonly meanUs: number;
  readonly moved: Moved;
}

/**
 * The method of the OSU micro-benchmarks, on every rank: warm-up, one timer around the loop for the mean, a second
 * pass with a time stamp per iteration for the percentiles. Barriers lie outside the timers. The result is rank 0's.
 */
export async function measure(command: Command): Promise<Answer | undefined> {
  if (command.processors) bind(command.processors);
  const { exercise, memory } = prepare(command);
  const iterations = await warmUpTogether(exercise, command.loops);
  const checked = command.check ? await exercise.check(iterations, command.corruption) : 0;
  memory.cool();
  const pass = await timeMean(exercise, iterations);
  memory.cool();
  const samples = await sampleLatencies(exercise, iterations);
  return combine(command, exercise, iterations, checked, pass, samples);
}

/** In a comparison the same one comes again and again: its buffers stay. */
function prepare(command: Command): Prepared {
  const { benchmark, bytes } = command;
  const key = `${benchmark} ${bytes}`;
  if (latest?.key !== key) {
    // Two of them might not fit into memory.
    latest = undefined;
    const memory = new Memory(command);
    latest = { key, exercise: new exercises[benchmark](bytes, memory), memory };
  }
  return latest;
}

async function timeMean(exercise: Exercise, iterations: number): Promise<Pass> {
  world.barrier();
  const before = moved();
  const begin = performance.now();
  const running = exercise.run(iterations);
  // Only what is awaited by itself goes through the event loop before the clock stops.
  if (running !== undefined) await running;
  const elapsedMs = performance.now() - begin;
  return {
    meanUs: (elapsedMs * 1000) / iterations / exercise.latenciesPerOperation,
    moved: movedSince(before),
  };
}

/** Microseconds. */
async function sampleLatencies(exercise: Exercise, iterations: number): Promise<Float64Array> {
  const samples = new Float64Array(iterations);
  world.barrier();
  await exercise.stamp(samples);
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
  const allSamples = gatherAtRoot(samples, exercise.clocks);
  if (figures === undefined || allSamples === undefined) return undefined;

  const meanUs = sum(figures.slice(0, exercise.clocks), 0) / exercise.clocks;
  const together = exercise.samples === 'mean' ? meanOf(allSamples) : concatenate(allSamples);
  const { min, p50, p99, max } = summarise(together);
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
      ...(benchmark === 'rate' && { messagesPerSecond: Math.round(1e6 / meanUs) }),
      channel: command.channel,
      ...pathOf({ cma: sum(figures, 2), heap: sum(figures, 3), staged: sum(figures, 4) }),
      ...(command.buffers && { buffers: command.buffers }),
      ...(command.offCacheBytes !== undefined && { offCacheBytes: command.offCacheBytes }),
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

function concatenate(samples: readonly Float64Array[]): Float64Array {
  return Float64Array.from(samples.flatMap((each) => [...each]));
}
