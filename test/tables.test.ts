// What stands in C++ and in TypeScript must say the same.
import { expect, test } from 'vitest';
import { loadBinding } from '../native/src/load.ts';
import {
  DATATYPES,
  type DatatypeName,
  OPERATORS,
  type OperatorName,
  operatorAllows,
} from '../packages/engine/src/index.ts';

test('element types: the same names, codes and sizes in the addon and in packages/engine', () => {
  const native = Object.fromEntries(
    loadBinding().datatypes.map(({ name, code, bytes }) => [name, { code, bytes }]),
  );
  expect(native).toEqual(DATATYPES);
});

test('operators: the same names, codes and element types in the addon and in packages/engine', () => {
  const { operators } = loadBinding();
  const codes = Object.fromEntries(operators.map(({ name, code }) => [name, { code }]));
  expect(codes).toEqual(OPERATORS);

  const datatypes = Object.keys(DATATYPES) as DatatypeName[];
  for (const { name, types } of operators) {
    const allowed = datatypes.filter((type) => operatorAllows(name as OperatorName, type));
    expect(types, name).toEqual(allowed.map((type) => DATATYPES[type].code));
  }
});

test('instruction sets: the one in use is one of those that this machine has', () => {
  const { chosen, supported, error } = loadBinding().isa;
  expect(error).toBeUndefined();
  expect(supported[0]).toBe('baseline');
  expect(supported).toContain(chosen);
});

test('error numbers: 0 is success, every other one has a name of its own', () => {
  const [success, ...names] = loadBinding().errorCodes;
  expect(success).toBe('');
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^ERR_[A-Z_]+$/);
});
