#!/usr/bin/env node
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) {
  const { main } = await import(cli.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(
    'onecopy: this clone has not been built yet: run npm run build (or npm start) at its root.\n',
  );
  process.exitCode = 1;
}
