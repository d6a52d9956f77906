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
import { complain, readOptions, UsageError } from './options.ts';
import { splitAt } from './parts.ts';
import {
  chooseSplitters,
  cutAtSplitters,
  isSorted,
  type Keys,
  mergeRuns,
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
  else {
    write(sorted, output);
    if (rank === ROOT) console.log(`sorted ${total} numbers into ${output}`);
  }
}

/** The numbers of this rank; undefined if the file is not what it should be, which rank 0 says. */
function readPart(path: string): Float64Array | undefined {
  const bytes = sizeOf(path);
  if (bytes === undefined) return undefined;
  const from = splitAt(rank, size, bytes);
  const { numbers, malformedAt } = readNumbers(path, from, splitAt(rank + 1, size, bytes));
  // All ranks learn of the first one in the file.
  const malformed = world.allreduce(malformedAt ?? Number.POSITIVE_INFINITY, MIN);
  if (malformed === Number.POSITIVE_INFINITY) return numbers;
  if (rank === ROOT) {
    const { line, text } = tokenAt(path, malformed);
    complain(`${path}, line ${line}: '${text}' is not a number that can be sorted`);
  }
  return undefined;
}

/** Rank 0 looks, so that all ranks split the same file even while it grows. */
function sizeOf(path: string): number | undefined {
  const bytes = Float64Array.of(-1);
  if (rank === ROOT) {
    try {
      const stats = statSync(path);
      if (!stats.isFile()) throw new Error('it is not a regular file');
      accessSync(path, constants.R_OK);
      bytes[0] = stats.size;
    } catch (error) {
      complain(`cannot read ${path}: ${(error as Error).message}`);
    }
  }
  world.bcast(bytes, ROOT);
  return bytes[0]! < 0 ? undefined : bytes[0];
}

/** Afterwards no number in a rank precedes one in a rank before. */
function sort(numbers: Float64Array, total: number): Float64Array {
  numbers.sort();
  if (total === 0) return numbers;
  const samples = sampleKeys(numbers, rank, samplingDistance(total, size));
  const sendCounts = cutAtSplitters(numbers, rank, agreeOnSplitters(samples));
  const recvCounts = [...world.alltoall(Float64Array.from(sendCounts))];
  const data = new Float64Array(recvCounts.reduce((sum, count) => sum + count, 0));
  world.alltoallv({ data: numbers, counts: sendCounts }, { data, counts: recvCounts });
  return mergeRuns(data, recvCounts);
}

function agreeOnSplitters(samples: Keys): Keys {
  const counts = world.gather(samples.length, ROOT);
  if (counts === undefined) {
    world.gatherv(samples, undefined, ROOT);
    return world.bcast(new Float64Array(chooseSplitters(samples, size).length), ROOT);
  }
  const data = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  world.gatherv(samples, { data, counts }, ROOT);
  return world.bcast(chooseSplitters(data, size), ROOT);
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

/** All ranks write their lines at the same time. */
function write(sorted: Float64Array, path: string): void {
  const pieces = [...toLines(sorted)].map((piece) => Buffer.from(piece));
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let at = world.exscan(bytes, SUM) ?? 0;
  // Rank 0 makes the file, or empties it, before the others open it.
  if (rank === ROOT) orAbort(path, () => closeSync(openSync(path, 'w')));
  world.barrier();
  orAbort(path, () => {
    const fd = openSync(path, 'r+');
    for (const piece of pieces) at += writeAll(fd, piece, at);
    closeSync(fd);
  });
  // Rank 0 says that the file is complete.
  world.barrier();
}

function orAbort(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    abort(2, `cannot write ${path}: ${(error as Error).message}`);
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): number {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, at + written);
  }
  return written;
}
