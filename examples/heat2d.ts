/**
 * Heats a plate from above until its temperatures hardly change any more:
 *
 *     onecopy run -n 4 examples/heat2d.ts --rows 300 --columns 200 --output plate.csv
 *
 * The rows are split over the ranks. Shows a halo exchange: before each step neighbours give each other their outermost
 * rows with `sendrecv`, and `PROC_NULL` stands for the neighbour that the first and the last rank do not have. Whether
 * to go on, all decide together, by `allreduce` with `MAX`. The result does not depend on the number of ranks.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MAX, PROC_NULL, SUM, world, wtime } from 'onecopy';
import { PlateRows } from './jacobi.ts';
import { giveUp, notNegative, readOptions, wholeNumber } from './options.ts';
import { partSizes, splitAt } from './parts.ts';

const USAGE = `Usage: onecopy run -n 4 examples/heat2d.ts [options]

  --rows N, --columns N  cells of the plate (default: 120 x 120)
  --tolerance T          ends when no cell changes by more in a step (default: 0.001)
  --steps N              ends after so many steps at the latest (default: 20000)
  --check N              looks at the changes every N steps (default: 50)
  --output FILE          writes the temperatures as comma-separated values`;
const LONGEST_SIDE = 100_000;
const MOST_STEPS = 1e12;

const [DOWN, UP] = [1, 2];

const { rank, size } = world;

interface Options {
  readonly rows: number;
  readonly columns: number;
  readonly tolerance: number;
  readonly steps: number;
  readonly check: number;
  readonly output: string | undefined;
}

const options = readOptions(USAGE, (): Options => {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '120' },
      columns: { type: 'string', default: '120' },
      tolerance: { type: 'string', default: '0.001' },
      steps: { type: 'string', default: '20000' },
      check: { type: 'string', default: '50' },
      output: { type: 'string' },
    },
  });
  return {
    rows: wholeNumber('--rows', values.rows, 1, LONGEST_SIDE),
    columns: wholeNumber('--columns', values.columns, 1, LONGEST_SIDE),
    tolerance: notNegative('--tolerance', values.tolerance),
    steps: wholeNumber('--steps', values.steps, 1, MOST_STEPS),
    check: wholeNumber('--check', values.check, 1, MOST_STEPS),
    output: values.output,
  };
});
if (options !== undefined) main(options);

function main(options: Options): void {
  const { rows, columns } = options;
  const plate = new PlateRows(columns, splitAt(rank, size, rows), splitAt(rank + 1, size, rows));
  // Ranks start one after the other; only what they do together is timed.
  world.barrier();
  const start = wtime();
  const { steps, change } = heat(plate, options);
  const seconds = world.allreduce(wtime() - start, MAX);

  const mean = meanTemperature(plate, rows);
  const checksum = world.allreduce(Uint32Array.of(plate.checksum()), SUM)[0]!;
  if (rank === 0) {
    console.log(`plate     ${rows} x ${columns} cells on ${size} ranks`);
    console.log(`steps     ${steps}`);
    console.log(`residual  ${change}${change <= options.tolerance ? '' : ', not converged'}`);
    console.log(`mean      ${mean}`);
    console.log(`checksum  ${checksum.toString(16).padStart(8, '0')}`);
    console.log(`time      ${seconds.toFixed(3)} s`);
  }
  if (options.output !== undefined) write(plate, options, options.output);
}

/** Steps until no cell of any rank changes much. */
function heat(plate: PlateRows, options: Options): { steps: number; change: number } {
  const { rows, steps: most, check, tolerance } = options;
  // Where there are more ranks than rows, the last ranks have none, and are nobody's neighbour.
  const busy = Math.min(size, rows);
  const above = rank > 0 && rank < busy ? rank - 1 : PROC_NULL;
  const below = rank < busy - 1 ? rank + 1 : PROC_NULL;

  let steps = 0;
  let change = Number.POSITIVE_INFINITY;
  while (steps < most && change > tolerance) {
    const [first, last] = [plate.row(1), plate.row(plate.rows)];
    world.sendrecv(last, below, DOWN, plate.row(0), above, DOWN);
    world.sendrecv(first, above, UP, plate.row(plate.rows + 1), below, UP);
    plate.step();
    steps += 1;
    if (steps % check === 0 || steps === most) change = world.allreduce(plate.largestChange(), MAX);
  }
  return { steps, change };
}

/** In rank 0. It adds up the rows in their order, so that rounding is the same for any number of ranks. */
function meanTemperature(plate: PlateRows, rows: number): number {
  const sums = gatherRows(plate.sums(), rows, 1);
  return (sums?.reduce((sum, row) => sum + row, 0) ?? 0) / (rows * plate.columns);
}

/** `values` of every rank, `width` for each row of the plate; undefined in other ranks than 0. */
function gatherRows(values: Float64Array, rows: number, width: number): Float64Array | undefined {
  const counts = partSizes(size, rows).map((count) => count * width);
  const all = rank === 0 ? { data: new Float64Array(rows * width), counts } : undefined;
  return world.gatherv(values, all);
}

function write(plate: PlateRows, { rows, columns }: Options, path: string): void {
  const cells = gatherRows(plate.toArray(), rows, columns);
  const problem = world.bcastObject(cells && writeCells(cells, columns, path));
  if (problem !== undefined) giveUp(problem);
}

/** The result says why it could not be done. */
function writeCells(cells: Float64Array, columns: number, path: string): string | undefined {
  let lines = '';
  for (let at = 0; at < cells.length; at += columns) {
    lines += `${cells.subarray(at, at + columns).join(',')}\n`;
  }
  try {
    writeFileSync(path, lines);
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}
