/**
 * Where part number `part` of `parts` begins when `total` things are split as evenly as can be: the first
 * `total % parts` parts have one more than the others. The part after the last begins at `total`.
 */
export function splitAt(part: number, parts: number, total: number): number {
  return part * Math.floor(total / parts) + Math.min(part, total % parts);
}

/** How many things each part has. */
export function partSizes(parts: number, total: number): number[] {
  return Array.from(
    { length: parts },
    (_, part) => splitAt(part + 1, parts, total) - splitAt(part, parts, total),
  );
}
