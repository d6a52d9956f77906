import type { CollectiveName } from '../algorithm.ts';
import type { Binding } from './buffers.ts';
import { SimulationError } from './error.ts';
import type { Memory } from './memory.ts';
import { FOREIGN, type Values } from './values.ts';

/** One call of an operation by all ranks. */
export interface Problem {
  readonly operation: CollectiveName;
  readonly size: number;
  readonly root: number;
  /** Elements of the message, or of one block. Where each block has its own length, the most that one has. */
  readonly count: number;
  /** Whether MPI_IN_PLACE is used, wherever the operation has it. */
  readonly inPlace: boolean;
  /** Where each block has its own length: whether all have `count` elements nevertheless. */
  readonly equal?: boolean;
}

/** What a rank calls with, and what its memory must hold afterwards. */
export interface Call {
  /** IN and OUT. */
  readonly bindings: readonly (Binding | undefined)[];
  readonly expected: readonly { readonly memory: Memory; readonly cells: Float64Array }[];
}

/** Cells before, between and behind blocks that nobody may touch. */
const MARGIN = 2;

/** Where the blocks of a buffer lie. */
interface Blocks {
  readonly lengths: readonly number[];
  readonly displs: readonly number[];
  readonly cells: number;
  /** Elements per block, where all have the same; undefined if they are listed. */
  readonly count: number | undefined;
}

type NewMemory = (name: string, cells: number, readOnly: boolean) => Memory;

/** The calls of all ranks. */
export function callsOf(problem: Problem, values: Values): Call[] {
  let memories = 0;
  const newMemory: NewMemory = (name, cells, readOnly) => {
    memories += 1;
    const content = new Float64Array(cells + 2 * MARGIN).fill(FOREIGN);
    return { id: memories, name, cells: content, readOnly };
  };
  return ranksOf(problem).map((rank) => callOf(problem, rank, values, newMemory));
}

function callOf(problem: Problem, rank: number, values: Values, newMemory: NewMemory): Call {
  const input = inputOf(problem, rank);
  const output = outputOf(problem, rank);
  const [boundIn, boundOut] = bind(problem, rank, input, output, newMemory);
  if (boundIn && input) bringIn(rank, boundIn, input, values);
  const sends = problem.operation === 'bcast' && rank === problem.root;
  if (sends && boundOut && output) bringIn(rank, boundOut, output, values);

  const expected = [...new Set([boundIn?.memory, boundOut?.memory])]
    .filter((memory) => memory !== undefined)
    .map((memory) => ({ memory, cells: memory.cells.slice() }));
  const result = expected.find(({ memory }) => memory === boundOut?.memory);
  if (boundOut && output && result) {
    for (const [block, displ] of output.displs.entries()) {
      const origin = originOf(problem, rank, block);
      if (origin === undefined) continue;
      for (let i = 0; i < (output.lengths[block] as number); i += 1) {
        result.cells[boundOut.base + displ + i] = elementOf(origin, i, values);
      }
    }
  }
  return { bindings: [boundIn, boundOut], expected };
}

/** Gives IN and OUT their memory. */
function bind(
  problem: Problem,
  rank: number,
  input: Blocks | undefined,
  output: Blocks | undefined,
  newMemory: NewMemory,
): [Binding | undefined, Binding | undefined] {
  const shared = problem.inPlace ? sharedBlock(problem, rank) : undefined;
  if (input && output && shared) {
    const whole = shared.within === 'out' ? output : input;
    const memory = newMemory(`IN and OUT of rank ${rank}`, whole.cells, false);
    const place = MARGIN + (whole.displs[shared.block] as number);
    return shared.within === 'out'
      ? [bindingOf(input, memory, place), bindingOf(output, memory, MARGIN)]
      : [bindingOf(input, memory, MARGIN), bindingOf(output, memory, place)];
  }
  return [
    input && bindingOf(input, newMemory(`IN of rank ${rank}`, input.cells, true), MARGIN),
    output && bindingOf(output, newMemory(`OUT of rank ${rank}`, output.cells, false), MARGIN),
  ];
}

function bindingOf(blocks: Blocks, memory: Memory, base: number): Binding {
  const { cells: length, count, lengths: counts, displs } = blocks;
  const list = count === undefined ? { counts, displs } : {};
  return { memory, base, length, count: count ?? 0, ...list };
}

/** Fills a send buffer. */
function bringIn(rank: number, { memory, base }: Binding, blocks: Blocks, values: Values): void {
  for (const [block, displ] of blocks.displs.entries()) {
    for (let i = displ; i < displ + (blocks.lengths[block] as number); i += 1) {
      memory.cells[base + i] = values.operand(rank, i);
    }
  }
}

function evenly(blocks: number, count: number): Blocks {
  const lengths = Array.from({ length: blocks }, () => count);
  const displs = lengths.map((_, block) => block * count);
  return { lengths, displs, cells: blocks * count, count };
}

/** With gaps, and from the end to the beginning, so that neighbours in rank are none in memory. */
function scattered(lengths: readonly number[]): Blocks {
  let cells = 0;
  const displs = [...lengths]
    .reverse()
    .map((length) => {
      cells += length + MARGIN;
      return cells - length - MARGIN;
    })
    .reverse();
  return { lengths, displs, cells, count: undefined };
}

/** Elements from a rank to another where each block has a length of its own. */
function lengthOf(problem: Problem, from: number, to: number): number {
  if (problem.equal) return problem.count;
  return (5 * from + 3 * to + from * to + problem.count) % (problem.count + 1);
}

function ranksOf({ size }: Problem): number[] {
  return Array.from({ length: size }, (_, rank) => rank);
}

function inputOf(problem: Problem, rank: number): Blocks | undefined {
  const { operation, size, root, count } = problem;
  switch (operation) {
    case 'barrier':
      return evenly(0, 0);
    case 'bcast':
      return undefined;
    case 'scatter':
      return rank === root ? evenly(size, count) : undefined;
    case 'scatterv':
      return rank === root
        ? scattered(ranksOf(problem).map((to) => lengthOf(problem, root, to)))
        : undefined;
    case 'alltoall':
    case 'reduceScatterBlock':
      return evenly(size, count);
    case 'alltoallv':
      return scattered(ranksOf(problem).map((to) => lengthOf(problem, rank, to)));
    case 'gatherv':
    case 'allgatherv':
      return evenly(1, lengthOf(problem, rank, 0));
    default:
      return evenly(1, count);
  }
}

function outputOf(problem: Problem, rank: number): Blocks | undefined {
  const { operation, size, root, count } = problem;
  switch (operation) {
    case 'barrier':
      return evenly(0, 0);
    case 'reduce':
      return rank === root ? evenly(1, count) : undefined;
    case 'gather':
      return rank === root ? evenly(size, count) : undefined;
    case 'gatherv':
      return rank === root
        ? scattered(ranksOf(problem).map((from) => lengthOf(problem, from, 0)))
        : undefined;
    case 'allgather':
    case 'alltoall':
      return evenly(size, count);
    case 'allgatherv':
      return scattered(ranksOf(problem).map((from) => lengthOf(problem, from, 0)));
    case 'alltoallv':
      return scattered(ranksOf(problem).map((from) => lengthOf(problem, from, rank)));
    case 'scatterv':
      return evenly(1, lengthOf(problem, root, rank));
    default:
      return evenly(1, count);
  }
}

/** With MPI_IN_PLACE: which block of the one buffer is the other. */
function sharedBlock(
  { operation }: Problem,
  rank: number,
): { readonly within: 'in' | 'out'; readonly block: number } | undefined {
  switch (operation) {
    case 'reduce':
    case 'allreduce':
    case 'scan':
    case 'exscan':
      return { within: 'out', block: 0 };
    case 'gather':
    case 'gatherv':
    case 'allgather':
    case 'allgatherv':
      return { within: 'out', block: rank };
    case 'scatter':
    case 'scatterv':
      return { within: 'in', block: rank };
    default:
      return undefined;
  }
}

/** Where the elements of a block of the result come from: one rank, or all below a number, combined. */
interface Origin {
  readonly rank?: number;
  readonly below?: number;
  /** Index of the block's first element in the send buffers. */
  readonly index: number;
}

/** Undefined where the result must stay as it was. */
function originOf(problem: Problem, rank: number, block: number): Origin | undefined {
  const { operation, size, root, count } = problem;
  switch (operation) {
    case 'bcast':
      return { rank: root, index: 0 };
    case 'reduce':
    case 'allreduce':
      return { below: size, index: 0 };
    case 'scan':
      return { below: rank + 1, index: 0 };
    case 'exscan':
      return rank === 0 ? undefined : { below: rank, index: 0 };
    case 'reduceScatterBlock':
      return { below: size, index: rank * count };
    case 'gather':
    case 'gatherv':
    case 'allgather':
    case 'allgatherv':
      return { rank: block, index: 0 };
    case 'scatter':
      return { rank: root, index: rank * count };
    case 'scatterv':
      return { rank: root, index: displOf(inputOf(problem, root), rank) };
    case 'alltoall':
      return { rank: block, index: rank * count };
    case 'alltoallv':
      return { rank: block, index: displOf(inputOf(problem, block), rank) };
    default:
      return undefined;
  }
}

function elementOf({ rank, below, index }: Origin, i: number, values: Values): number {
  if (rank !== undefined) return values.operand(rank, index + i);
  return values.ofRanks(below as number, index + i);
}

function displOf(blocks: Blocks | undefined, block: number): number {
  return blocks?.displs[block] as number;
}

/** Compares all of a call's memory with what it must hold. */
export function checkResult(call: Call, values: Values, ordered: boolean): void {
  for (const { memory, cells } of call.expected) {
    for (const [cell, wanted] of cells.entries()) {
      const found = memory.cells[cell] as number;
      if (found === wanted || (!ordered && values.agreeInAnyOrder(found, wanted))) continue;
      throw new SimulationError(
        'result',
        `element ${cell - MARGIN} of ${memory.name} is ${values.describe(found)}, not ${values.describe(wanted)}`,
      );
    }
  }
}
