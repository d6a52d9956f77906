import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { algorithmsPage } from '../src/documentation/page.ts';

test('docs/algorithms.md says what the sources say (else run scripts/algorithms-docs.mjs)', () => {
  const committed = readFileSync(join(import.meta.dirname, '../../../docs/algorithms.md'), 'utf8');
  expect(committed).toBe(algorithmsPage());
});
