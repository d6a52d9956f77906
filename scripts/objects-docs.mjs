// node scripts/objects-docs.mjs: writes docs/objects.md from what test/objects-page.test.ts finds out.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, runScript } from './bootstrap.mjs';
import { root } from './steps.mjs';

await runScript(async () => {
  await bootstrap();
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/objects-page.test.ts'], {
    cwd: root,
    env: { ...process.env, ONECOPY_WRITE_PAGES: '1' },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
});
