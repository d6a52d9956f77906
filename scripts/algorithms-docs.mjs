// node scripts/algorithms-docs.mjs: writes docs/algorithms.md from packages/algorithms, which must be compiled.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, runScript } from './bootstrap.mjs';
import { root, say } from './steps.mjs';

await runScript(async () => {
  await bootstrap();
  const compiled = join(root, 'packages/algorithms/dist/documentation/page.js');
  /** @type {{ algorithmsPage(): string }} */
  const { algorithmsPage } = await import(pathToFileURL(compiled).href);
  const page = join(root, 'docs/algorithms.md');
  writeFileSync(page, algorithmsPage());
  say(`wrote ${page}`);
});
