/**
 * The binomial tree over positions 0 to size - 1: the parent of a position is found by clearing its lowest bit, so the
 * subtree of a position is a range that begins with it.
 */

/** A child and the range of positions `child` to `child + positions - 1` below it. */
export interface Branch {
  readonly child: number;
  readonly positions: number;
}

export function parentOf(position: number): number {
  return position & (position - 1);
}

/** Children of a position, nearest first: their subtrees are 1, 2, 4 … positions large, except at the end. */
export function branchesOf(position: number, size: number): Branch[] {
  const limit = position === 0 ? size : position & -position;
  const branches: Branch[] = [];
  for (let distance = 1; distance < limit && position + distance < size; distance *= 2) {
    const child = position + distance;
    branches.push({ child, positions: Math.min(distance, size - child) });
  }
  return branches;
}

/** The same, largest subtree first: whoever has most to pass on gets it first. */
export function branchesFromFar(position: number, size: number): Branch[] {
  return branchesOf(position, size).reverse();
}

/** Number of positions in the subtree of a position, itself included. */
export function subtreeOf(position: number, size: number): number {
  return position === 0 ? size : Math.min(position & -position, size - position);
}

/** Where a rank stands in a tree that is turned so that `root` is position 0. */
export function turned(rank: number, root: number, size: number): number {
  return (rank - root + size) % size;
}

/** The rank at a position of a turned tree. */
export function rankAt(position: number, root: number, size: number): number {
  return (position + root) % size;
}
