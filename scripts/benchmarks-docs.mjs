// node scripts/benchmarks-docs.mjs < results.jsonl: writes docs/benchmarks.md and its chart from what
// `onecopy bench peers --json` has printed.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, runScript } from './bootstrap.mjs';
import { root, say } from './steps.mjs';

await runScript(async () => {
  await bootstrap();
  const compiled = join(root, 'bench/dist/peers/documentation.js');
  /**
   * @type {{
   *   CHART_FILE: string,
   *   benchmarksPage(records: unknown[]): string,
   *   benchmarksChart(records: unknown[]): string,
   * }}
   */
  const { CHART_FILE, benchmarksPage, benchmarksChart } = await import(
    pathToFileURL(compiled).href
  );
  const records = readFileSync(0, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  write('benchmarks.md', benchmarksPage(records));
  write(CHART_FILE, benchmarksChart(records));
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  execFileSync(process.execPath, [biome, 'format', '--write', join(root, 'docs/benchmarks.md')]);
});

/**
 * @param {string} name
 * @param {string} content
 */
function write(name, content) {
  const file = join(root, 'docs', name);
  writeFileSync(file, content);
  say(`wrote ${file}`);
}
