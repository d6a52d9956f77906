/**
 * Finds k clusters of points by Lloyd's algorithm:
 *
 *     onecopy run -n 4 examples/kmeans.ts --clusters 3 examples/data/iris.csv
 *
 * Rank 0 reads the points and chooses the first centroids; `scatterv` gives each rank its share of the points. In each
 * round a rank puts its points into clusters, and one `allreduce` in place adds up what all ranks need for the next
 * centroids: sums, sizes, and how many points have changed their cluster. When none has, `gatherv` collects the result.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IN_PLACE, SUM, world } from 'onecopy';
import { assign, farthestPoints, moveCentroids, newTotals } from './lloyd.ts';
import { giveUp, readOptions, UsageError, wholeNumber } from './options.ts';
import { partSizes } from './parts.ts';
import { PointsError, parsePoints } from './points.ts';

const USAGE = `Usage: onecopy run -n 4 examples/kmeans.ts [options] [FILE]

  FILE            comma-separated values, a point in each line (default: examples/data/iris.csv)
  --clusters K    how many clusters to find (default: 3)
  --columns LIST  which values of a line are the coordinates, such as 1,2,4 (default: all)
  --rounds N      ends after so many rounds at the latest (default: 300)
  --json          prints everything, the cluster of each point too, as JSON`;
const MOST = 1e6;

const ROOT = 0;

const { rank, size } = world;

interface Options {
  readonly path: string;
  readonly clusters: number;
  readonly columns: readonly number[] | undefined;
  readonly rounds: number;
  readonly json: boolean;
}

/** What all ranks have to know. */
interface Task {
  readonly count: number;
  readonly dimensions: number;
}

/** What only rank 0 has. */
interface Beginning {
  /** Or why there is none. */
  readonly task: Task | string;
  readonly coordinates?: Float64Array;
  readonly centroids?: Float64Array;
}

interface Result {
  readonly points: number;
  readonly dimensions: number;
  readonly rounds: number;
  readonly converged: boolean;
  /** Of the squared distances of all points to their centroids. */
  readonly squares: number;
  readonly sizes: readonly number[];
  readonly centroids: ReadonlyArray<readonly number[]>;
  readonly assignments: readonly number[];
}

const options = readOptions(USAGE, (): Options => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      clusters: { type: 'string', default: '3' },
      columns: { type: 'string' },
      rounds: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new UsageError('There can be only one FILE of points.');
  return {
    path: positionals[0] ?? join(import.meta.dirname, 'data/iris.csv'),
    clusters: wholeNumber('--clusters', values.clusters, 1, MOST),
    columns: values.columns?.split(',').map((column) => wholeNumber('--columns', column, 1, MOST)),
    rounds: wholeNumber('--rounds', values.rounds, 1, MOST),
    json: values.json,
  };
});
if (options !== undefined) main(options);

function main(options: Options): void {
  const beginning = rank === ROOT ? begin(options) : undefined;
  const task = world.bcastObject(beginning?.task, ROOT)!;
  if (typeof task === 'string') {
    giveUp(task);
    return;
  }
  const { count, dimensions } = task;
  const centroids = beginning?.centroids ?? new Float64Array(options.clusters * dimensions);
  world.bcast(centroids, ROOT);

  const shares = partSizes(size, count);
  const ours = scatter(beginning?.coordinates, shares, dimensions);
  const assignments = new Int32Array(shares[rank]!).fill(-1);
  const totals = newTotals(options.clusters, dimensions);
  let rounds = 0;
  let converged = false;
  while (!converged && rounds < options.rounds) {
    if (rounds > 0) moveCentroids(centroids, totals);
    assign(ours, dimensions, centroids, assignments, totals);
    world.allreduce(IN_PLACE, totals.all, SUM);
    rounds += 1;
    converged = totals.summary[0] === 0;
  }

  const all = gather(assignments, shares);
  if (all === undefined) return;
  const result: Result = {
    points: count,
    dimensions,
    rounds,
    converged,
    squares: totals.summary[1]!,
    sizes: [...totals.sizes],
    centroids: [...totals.sizes.keys()].map((cluster) => [
      ...centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions),
    ]),
    assignments: [...all],
  };
  if (options.json) console.log(JSON.stringify(result));
  else print(result);
}

function begin({ path, columns, clusters }: Options): Beginning {
  try {
    const { coordinates, count, dimensions } = parsePoints(readFileSync(path, 'utf8'), columns);
    const centroids = farthestPoints(coordinates, dimensions, clusters);
    const found = centroids.length / dimensions;
    if (found === clusters) return { task: { count, dimensions }, coordinates, centroids };
    return { task: `${path} has only ${found} different points, too few for ${clusters} clusters` };
  } catch (error) {
    const { message } = error as Error;
    const isRead = error instanceof PointsError;
    return { task: isRead ? `${path}, ${message}` : `cannot read ${path}: ${message}` };
  }
}

/** What rank 0 has of all points, every rank gets of its share. */
function scatter(
  coordinates: Float64Array | undefined,
  shares: readonly number[],
  dimensions: number,
): Float64Array {
  const ours = new Float64Array(shares[rank]! * dimensions);
  const counts = shares.map((share) => share * dimensions);
  return world.scatterv(coordinates && { data: coordinates, counts }, ours, ROOT);
}

/** Of all points, in rank 0. */
function gather(assignments: Int32Array, shares: readonly number[]): Int32Array | undefined {
  const count = shares.reduce((sum, share) => sum + share, 0);
  const all = rank === ROOT ? { data: new Int32Array(count), counts: shares } : undefined;
  return world.gatherv(assignments, all, ROOT);
}

function print(result: Result): void {
  const { points, dimensions, rounds, converged, squares, sizes, centroids } = result;
  console.log(`points   ${points}, of ${dimensions} coordinates`);
  console.log(`rounds   ${rounds}${converged ? '' : ', not converged'}`);
  console.log(`squares  ${squares.toFixed(4)}`);
  console.log('');
  const rows = centroids.map((centroid) => centroid.map((coordinate) => coordinate.toFixed(4)));
  const width = Math.max(...rows.flat().map(({ length }) => length));
  const sizeWidth = Math.max('size'.length, String(points).length);
  console.log(`${'size'.padStart(sizeWidth)}  centroid`);
  for (const [cluster, row] of rows.entries()) {
    const cells = row.map((cell) => cell.padStart(width)).join('  ');
    console.log(`${String(sizes[cluster]).padStart(sizeWidth)}  ${cells}`);
  }
}
