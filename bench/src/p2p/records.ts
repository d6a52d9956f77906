/** As a program would read it from a file or a table. */
export interface Row {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly tags: readonly string[];
  readonly sold: boolean;
}

const ROWS = 10_000;

/** Ten thousand small records, about a mebibyte as JSON. */
export function makeRecords(): Row[] {
  return Array.from({ length: ROWS }, (_, id) => ({
    id,
    name: `article number ${id * 7919}`,
    price: (id % 1000) / 8,
    tags: ['new', `shelf ${id % 97}`],
    sold: id % 3 === 0,
  }));
}

/** What they are called by in a table. */
export const RECORDS_BYTES: number = Buffer.byteLength(JSON.stringify(makeRecords()));
