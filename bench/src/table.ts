export interface Column {
  readonly title: string;
  /** The widest value that is expected; wider ones push their row out of line. */
  readonly width: number;
}

/** Right-aligned columns whose widths are known before the rows are, so that a row can be shown when it is measured. */
export class Table {
  readonly #widths: readonly number[];
  readonly header: string;

  constructor(columns: readonly Column[]) {
    this.#widths = columns.map(({ title, width }) => Math.max(title.length, width));
    this.header = this.row(columns.map(({ title }) => title));
  }

  row(cells: readonly string[]): string {
    return cells.map((cell, index) => cell.padStart(this.#widths[index] ?? 0)).join('  ');
  }
}

/** Three digits say all that a measurement is good for; fewer decimals the larger it is. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return Math.round(value).toString();
  return value.toFixed(value >= 10 ? 1 : 2);
}
