import type { Algorithm } from '../algorithm.ts';
import type { Schedule } from '../schedule.ts';
import { callsOf, checkResult, type Problem } from './operations.ts';
import { checkRaces } from './races.ts';
import { run, type Trace } from './run.ts';
import { Values } from './values.ts';
import { Wiring } from './wiring.ts';

export interface CheckOptions {
  readonly elementBytes?: number;
  /** Whether operands must be combined in the order of ranks. */
  readonly ordered?: boolean;
  /** Each is one order in which things happen. */
  readonly seeds?: readonly number[];
}

/** As long as half a number of a buffer of lengths, so that the two cannot be taken for each other. */
const ELEMENT_BYTES = 4;

/** The schedules of all ranks. */
export function schedulesOf(
  algorithm: Algorithm,
  { size, root }: Pick<Problem, 'size' | 'root'>,
): Schedule[] {
  return Array.from({ length: size }, (_, rank) => algorithm.schedule(size, rank, root));
}

/**
 * Executes schedules in several orders, with eager and with synchronous sends, and checks all there is to check. Throws a
 * `SimulationError`; otherwise returns what happened when all happened as soon as it could.
 */
export function check(
  schedules: readonly Schedule[],
  problem: Problem,
  { elementBytes = ELEMENT_BYTES, ordered = true, seeds = [1, 2] }: CheckOptions = {},
): Trace {
  const wiring = new Wiring(schedules);
  const once = (sends: 'eager' | 'synchronous', seed?: number): Trace => {
    const values = new Values();
    const calls = callsOf(problem, values);
    const bindings = calls.map((call) => call.bindings);
    const trace = run(wiring, bindings, values, { elementBytes, sends, seed });
    // A race explains a wrong result, not the other way round.
    if (sends === 'eager' && seed === undefined) checkRaces(trace);
    for (const call of calls) checkResult(call, values, ordered);
    return trace;
  };
  const first = once('eager');
  once('synchronous');
  for (const seed of seeds) {
    once('eager', seed);
    once('synchronous', seed);
  }
  return first;
}

/** One execution as soon as everything can happen, without looking for races: for counting and pricing. */
export function trace(
  algorithm: Algorithm,
  problem: Problem,
  { elementBytes = ELEMENT_BYTES }: Pick<CheckOptions, 'elementBytes'> = {},
): Trace {
  const values = new Values();
  const bindings = callsOf(problem, values).map((call) => call.bindings);
  const wiring = new Wiring(schedulesOf(algorithm, problem));
  return run(wiring, bindings, values, { elementBytes, sends: 'eager' });
}
