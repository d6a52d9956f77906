type Alignment = 'left' | 'right';

/** A Markdown table, the title row first, its columns padded as the formatter wants them. */
export function tableOf(
  rows: readonly (readonly (string | number)[])[],
  alignment: Alignment,
): string[] {
  const cells = rows.map((row) => row.map(String));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(3, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const right = alignment === 'right';
  const rule = widths.map((width) => (right ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const padded = cells.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return right ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
  padded.splice(1, 0, rule);
  return padded.map((row) => `| ${row.join(' | ')} |`);
}
