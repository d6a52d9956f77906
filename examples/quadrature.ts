/** The midpoint rule for pi. Nothing here knows of ranks. */

/**
 * The area below 4 / (1 + x²) between 0 and 1, which is pi, as far as the strips from `first` to `last` (exclusive) of
 * `strips` equally wide ones cover it. The height of a strip is that of the curve at its middle.
 */
export function areaOfStrips(strips: number, first: number, last: number): number {
  const width = 1 / strips;
  let heights = 0;
  for (let strip = first; strip < last; strip++) {
    const x = (strip + 0.5) * width;
    heights += 4 / (1 + x * x);
  }
  return heights * width;
}
