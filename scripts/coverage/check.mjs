// node scripts/coverage/check.mjs [TABLE]: whether the ledger is true, by the built package and the tests. Says what is
// not, one line each, and then exits with 1.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../steps.mjs';
import { builtPackage, kindOf, specimens, uses } from './symbols.mjs';
import { LATER, NOT_OFFERED, parseTable } from './table.mjs';

/** @typedef {import('./table.mjs').Row} Row */

const folder = join(root, 'scripts/coverage');
const tableFile = process.argv[2] ?? join(folder, 'table.txt');
const rows = parseTable(readFileSync(tableFile, 'utf8')).flatMap((chapter) => chapter.rows);
const procedures = readFileSync(join(folder, 'procedures.txt'), 'utf8').trim().split('\n');
const exported = await builtPackage();
const objects = specimens(exported);

const problems = [...rows.flatMap(problemsOf), ...listProblems()];
for (const problem of problems) console.log(problem);
for (const { kind, symbols, line } of rows) {
  if (kind === 'not yet' && symbols.every((symbol) => kindOf(symbol, exported, objects))) {
    console.log(`note: line ${line}: ${symbols.join(', ')} is there now; name a test`);
  }
}
process.exitCode = problems.length === 0 ? 0 : 1;

/**
 * @param {Row} row
 * @returns {string[]}
 */
function problemsOf(row) {
  const where = `line ${row.line}, ${row.procedures[0]}:`;
  switch (row.kind) {
    case 'later':
      return LATER.includes(row.text) ? [] : [`${where} '${row.text}' is no topic that is to come`];
    case 'not offered':
      return NOT_OFFERED.includes(row.text) ? [] : [`${where} '${row.text}' has to be offered`];
    case 'in JavaScript':
      return row.text === '' ? [`${where} a reason is missing`] : [];
    case 'not yet':
      return row.symbols.join('') === '' ? [`${where} no symbol is planned`] : [];
    default:
      return symbolProblems(row).map((problem) => `${where} ${problem}`);
  }
}

/**
 * @param {Row} row
 * @returns {string[]}
 */
function symbolProblems({ symbols, test }) {
  const isTest = /^(packages\/[a-z]+\/|native\/)?test\/.*\.(ts|mjs)$/.test(test);
  if (!isTest || !existsSync(join(root, test))) return [`there is no test '${test}'`];
  return symbols.flatMap((symbol) => {
    const kind = kindOf(symbol, exported, objects);
    if (kind === undefined) return [`the package has no ${symbol}`];
    return uses(test, symbol, kind) ? [] : [`${test} does not use ${symbol}`];
  });
}

/** Each procedure of the standard is in one row, and nothing else is. */
function listProblems() {
  const named = rows.flatMap((row) => row.procedures);
  const twice = named.filter((name, index) => named.indexOf(name) !== index);
  return [
    ...procedures.filter((name) => !named.includes(name)).map((name) => `${name} is missing`),
    ...named.filter((name) => !procedures.includes(name)).map((name) => `${name} is not in MPI`),
    ...twice.map((name) => `${name} is there twice`),
  ];
}
