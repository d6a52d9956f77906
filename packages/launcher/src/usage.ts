/** What the user asked for cannot be done as asked: one sentence for them, and exit code 2. */
export class UsageError extends Error {
  static readonly exitCode = 2;

  override get name(): string {
    return 'UsageError';
  }
}

/** The candidate that `word` was probably meant to be; undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const bare = word.replace(/^-+/, '');
  let best: string | undefined;
  // A third of the letters may be wrong, and always two, so that short names are found.
  let bestDistance = Math.max(2, Math.floor(bare.length / 3)) + 1;
  for (const candidate of candidates) {
    const name = candidate.replace(/^-+/, '');
    const abbreviated = bare.length >= 2 && name.startsWith(bare);
    const distance = abbreviated ? 0 : editDistance(bare, name);
    // Nothing of a name as short as the mistakes in it would be left.
    if (distance < bestDistance && distance < name.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to insert, remove or replace to get from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
