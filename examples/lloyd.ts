/**
 * Lloyd's algorithm for k-means, for some of the points. Nothing here knows of ranks.
 *
 * Points and centroids are arrays of coordinates: all of the first one, then all of the second one, and so on.
 */

/** What points contribute to the next centroids. Those of parts of the points, added, are those of all points. */
export interface Totals {
  /** All that follows, in one array. */
  readonly all: Float64Array;
  /** Of the coordinates of the points in each cluster. */
  readonly sums: Float64Array;
  /** How many points each cluster has. */
  readonly sizes: Float64Array;
  /** How many points have gone to another cluster, and the sum of all squared distances to the centroids. */
  readonly summary: Float64Array;
}

export function newTotals(clusters: number, dimensions: number): Totals {
  const all = new Float64Array(clusters * dimensions + clusters + 2);
  const sums = all.subarray(0, clusters * dimensions);
  const sizes = all.subarray(sums.length, sums.length + clusters);
  return { all, sums, sizes, summary: all.subarray(sums.length + clusters) };
}

/**
 * The first centroids: the first point, then always the point that is farthest from all before it, the first of them
 * where several are. Fewer than asked for if there are not so many different points.
 */
export function farthestPoints(
  points: Float64Array,
  dimensions: number,
  clusters: number,
): Float64Array {
  const centroids = new Float64Array(clusters * dimensions);
  const distances = new Float64Array(points.length / dimensions).fill(Number.POSITIVE_INFINITY);
  for (let end = 0; end < centroids.length; end += dimensions) {
    let farthest = 0;
    for (let i = 1; i < distances.length; i++)
      if (distances[i]! > distances[farthest]!) farthest = i;
    if (!(distances[farthest]! > 0)) return centroids.slice(0, end);
    centroids.set(points.subarray(farthest * dimensions, (farthest + 1) * dimensions), end);
    for (let i = 0; i < distances.length; i++) {
      const distance = squaredDistance(points, i * dimensions, centroids, end, dimensions);
      distances[i] = Math.min(distances[i]!, distance);
    }
  }
  return centroids;
}

/** Puts each point into the cluster of the nearest centroid, the first of them where several are. */
export function assign(
  points: Float64Array,
  dimensions: number,
  centroids: Float64Array,
  assignments: Int32Array,
  totals: Totals,
): void {
  totals.all.fill(0);
  for (let point = 0; point < assignments.length; point++) {
    const start = point * dimensions;
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < totals.sizes.length; cluster++) {
      const distance = squaredDistance(points, start, centroids, cluster * dimensions, dimensions);
      if (distance < least) [nearest, least] = [cluster, distance];
    }
    if (assignments[point] !== nearest) totals.summary[0]! += 1;
    assignments[point] = nearest;
    totals.sizes[nearest]! += 1;
    totals.summary[1]! += least;
    for (let i = 0; i < dimensions; i++)
      totals.sums[nearest * dimensions + i]! += points[start + i]!;
  }
}

/** To the mean of the points in the cluster; the centroid of a cluster without points stays. */
export function moveCentroids(centroids: Float64Array, { sums, sizes }: Totals): void {
  const dimensions = centroids.length / sizes.length;
  for (const [cluster, size] of sizes.entries()) {
    if (size === 0) continue;
    for (let i = cluster * dimensions; i < (cluster + 1) * dimensions; i++)
      centroids[i] = sums[i]! / size;
  }
}

function squaredDistance(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  dimensions: number,
): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    sum += difference * difference;
  }
  return sum;
}
