/**
 * Sorts the numbers in a text file:
 *
 *     onecopy run -n 4 examples/samplesort.ts numbers.txt --output sorted.txt
 *
 * The file is split by bytes: each rank reads and sorts the numbers that begin in its part. Samples of all ranks, put
 * together with `gatherv`, give splitters, which `bcast` hands out; `alltoallv` moves each number to the rank that the
 * splitters say, which merges what it gets. Last, `exscan` tells every rank where its lines go in the file.
 */
import { accessSync, closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { abort, LAND, MAX, MIN, SUM, world } from 'onecopy';
import { readNumbers, tokenAt } from './numbers.ts';
import { giveUp, readOptions, UsageError } from './options.ts';
import { splitAt } from './parts.ts';
import {
  chooseSplitters,
  cutAtSplitters,
  isSorted,
  type Keys,
  mergeRuns,
  newKeys,
  sampleKeys,
  samplingDistance,
  toLines,
} from './sorting.ts';

const USAGE = `Usage: onecopy run -n 4 examples/samplesort.ts [FILE] [--output FILE]

  FILE           numbers, separated by white space or commas (default: examples/data/iris.csv)
  --output FILE  writes the sorted numbers there, one a line, and not to stdout`;

const [ROOT, LINES] = [0, 1];

const { rank, size } = world;

interface Options {
  readonly input: string;
  readonly output: string | undefined;
}

const options = readOptions(USAGE, (): Options => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: 'string' } },
  });
  if (positionals.length > 1) throw new UsageError('There can be only one FILE to sort.');
  const input = positionals[0] ?? join(import.meta.dirname, 'data/iris.csv');
  return { input, output: values.output };
});
if (options !== undefined) main(options);

function main({ input, output }: Options): void {
  const numbers = readPart(input);
  if (numbers === undefined) return;
  const total = world.allreduce(numbers.length, SUM);
  const sorted = sort(numbers, total);
  check(sorted, total);
  if (output === undefined) print(sorted);
  else if (write(sorted, output) && rank === ROOT) {
    console.log(`sorted ${total} numbers into ${output}`);
  }
}

/** The numbers of this rank; undefined if the file is not what it should be, and then all ranks give up. */
function readPart(path: string): Float64Array | undefined {
  // Rank 0 looks, so that all ranks split the same file even while it grows.
  const bytes = world.bcastObject(rank === ROOT ? sizeOf(path) : '', ROOT);
  if (typeof bytes === 'string') {
    giveUp(bytes);
    return undefined;
  }
  const from = splitAt(rank, size, bytes);
  const { numbers, malformedAt } = readNumbers(path, from, splitAt(rank + 1, size, bytes));
  // All ranks learn of the first one in the file.
  const malformed = world.allreduce(malformedAt ?? Number.POSITIVE_INFINITY, MIN);
  if (malformed === Number.POSITIVE_INFINITY) return numbers;
  const { line, text } = tokenAt(path, malformed);
  giveUp(`${path}, line ${line}: '${text}' is not a number that can be sorted`);
  return undefined;
}

/** In bytes, or why it cannot be read. */
function sizeOf(path: string): number | string {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    accessSync(path, constants.R_OK);
    return stats.size;
  } catch (error) {
    return `cannot read ${path}: ${(error as Error).message}`;
  }
}

/** Afterwards no number in a rank precedes one in a rank before. */
function sort(numbers: Float64Array, total: number): Float64Array {
  numbers.sort();
  if (total === 0) return numbers;
  const samples = sampleKeys(numbers, rank, samplingDistance(total, size));
  const sendCounts = cutAtSplitters(numbers, rank, agreeOnSplitters(samples));
  const recvCounts = [...world.alltoall(Float64Array.from(sendCounts))];
  const data = new Float64Array(sum(recvCounts));
  world.alltoallv({ data: numbers, counts: sendCounts }, { data, counts: recvCounts });
  return mergeRuns(data, recvCounts);
}

/** Rank 0 chooses them from the samples of all ranks. */
function agreeOnSplitters(samples: Keys): Keys {
  const counts = world.gather(samples.length, ROOT);
  const all = counts && { data: new Float64Array(sum(counts)), counts };
  world.gatherv(samples, all, ROOT);
  const splitters = all === undefined ? newKeys(size - 1) : chooseSplitters(all.data, size);
  return world.bcast(splitters, ROOT);
}

function sum(counts: ArrayLike<number>): number {
  return Array.from(counts).reduce((total, count) => total + count, 0);
}

/** Ends the job if this program has a bug. */
function check(sorted: Float64Array, total: number): void {
  const largest = sorted.at(-1) ?? Number.NEGATIVE_INFINITY;
  const before = world.exscan(largest, MAX) ?? Number.NEGATIVE_INFINITY;
  const inOrder = world.allreduce(isSorted(sorted, before) ? 1 : 0, LAND) === 1;
  const complete = world.allreduce(sorted.length, SUM) === total;
  if (!inOrder || !complete) abort(70, 'the numbers were not sorted: this is a bug in samplesort');
}

/** Rank 0 writes for all: lines of different ranks would come in any order. */
function print(sorted: Float64Array): void {
  const pieces = [...toLines(sorted)];
  const counts = world.gather(pieces.length, ROOT);
  if (counts === undefined) {
    for (const piece of pieces) world.send(Buffer.from(piece), ROOT, LINES);
    return;
  }
  for (const piece of pieces) process.stdout.write(piece);
  for (let other = 1; other < size; other++) {
    for (let piece = 0; piece < counts[other]!; piece++) {
      process.stdout.write(world.recvNew(Uint8Array, other, LINES).data);
    }
  }
}

/** All ranks write their lines at the same time; or all give up, and the result is false. */
function write(sorted: Float64Array, path: string): boolean {
  const pieces = [...toLines(sorted)].map((piece) => Buffer.from(piece));
  let at = world.exscan(sum(pieces.map(({ length }) => length)), SUM) ?? 0;
  const problem = world.bcastObject(rank === ROOT ? create(path) : undefined, ROOT);
  if (problem !== undefined) {
    giveUp(problem);
    return false;
  }
  try {
    const fd = openSync(path, 'r+');
    for (const piece of pieces) at += writeAll(fd, piece, at);
    closeSync(fd);
  } catch (error) {
    abort(2, `cannot write ${path}: ${(error as Error).message}`);
  }
  // Only now the file is complete.
  world.barrier();
  return true;
}

/** Makes the file, or empties it. The result says why it could not. */
function create(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'w'));
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): number {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, at + written);
  }
  return written;
}
