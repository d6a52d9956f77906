// node scripts/coverage-docs.mjs [--print]: writes docs/coverage.md, or the same to stdout, from scripts/coverage/table.txt.
// Whether that is true is what test/coverage.test.ts checks.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coveragePage } from './coverage/page.mjs';
import { parseTable } from './coverage/table.mjs';
import { root, say } from './steps.mjs';

const table = readFileSync(join(root, 'scripts/coverage/table.txt'), 'utf8');
const text = coveragePage(parseTable(table));
if (process.argv.includes('--print')) {
  process.stdout.write(text);
} else {
  const page = join(root, 'docs/coverage.md');
  writeFileSync(page, text);
  say(`wrote ${page}`);
}
