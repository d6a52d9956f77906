// node scripts/coverage/complete.mjs: makes rows of the ledger that are not yet offered into such that are, once their
// symbols are exported and a test uses them, and names a test where none is named. Look at what it has chosen.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, root, say } from '../steps.mjs';
import { builtPackage, kindOf, specimens, uses } from './symbols.mjs';
import { parseTable } from './table.mjs';

const file = join(root, 'scripts/coverage/table.txt');
const exported = await builtPackage();
const objects = specimens(exported);
const tests = listFiles(['test'], (path) => /\.(ts|mjs)$/.test(path)).sort(
  (left, right) => remoteness(left) - remoteness(right),
);

const text = readFileSync(file, 'utf8');
const lines = text.split('\n');
for (const row of parseTable(text).flatMap((chapter) => chapter.rows)) {
  if (row.kind !== 'not yet' && !(row.kind === 'offered' && row.test === '')) continue;
  const test = testOf(row.symbols);
  if (test === undefined) continue;
  const cells = [row.procedures.join(' '), row.symbols.join(' '), test, row.text];
  lines[row.line - 1] = cells.filter((cell) => cell !== '').join(' | ');
  say(lines[row.line - 1] ?? '');
}
writeFileSync(file, lines.join('\n'));

/** @param {readonly string[]} symbols */
function testOf(symbols) {
  const kinds = symbols.map((symbol) => kindOf(symbol, exported, objects));
  return tests.find((test) =>
    symbols.every((symbol, index) => {
      const kind = kinds[index];
      return kind !== undefined && uses(test, symbol, kind);
    }),
  );
}

/**
 * How little a test has to do with what a call is for: types are not run, and misuse is not use.
 *
 * @param {string} path
 */
function remoteness(path) {
  if (/test-d|support|bench|launcher|heap|large|chaos|doctor|import-order/.test(path)) return 3;
  if (/misuse|ends|exit|alive|flood|unseen/.test(path)) return 2;
  return /alone|matrix/.test(path) ? 1 : 0;
}
