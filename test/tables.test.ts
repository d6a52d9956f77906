// What stands in C++ and in TypeScript must say the same.
import { expect, test } from 'vitest';
import { loadBinding } from '../native/src/load.ts';
import { DATATYPES } from '../packages/engine/src/index.ts';

test('element types: the same names, codes and sizes in the addon and in packages/engine', () => {
  const native = Object.fromEntries(
    loadBinding().datatypes.map(({ name, code, bytes }) => [name, { code, bytes }]),
  );
  expect(native).toEqual(DATATYPES);
});

test('error numbers: 0 is success, every other one has a name of its own', () => {
  const [success, ...names] = loadBinding().errorCodes;
  expect(success).toBe('');
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^ERR_[A-Z_]+$/);
});
