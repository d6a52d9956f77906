/** Checks of the numbers that a datatype is made of. */
import { MpiError } from '@onecopy/engine';
import { show } from '../arguments.ts';

export function checkCount(call: string, name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new MpiError(
    'ERR_COUNT',
    `${call}: ${name} must be a whole number, 0 or more, not ${show(value)}`,
  );
}

/** A distance, which may be negative. */
export function checkDistance(call: string, name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new MpiError('ERR_ARG', `${call}: ${name} must be a whole number, not ${show(value)}`);
}

type Check = (call: string, name: string, value: unknown) => number;

/** A copy of a list, each member checked. */
export function checkList(call: string, name: string, list: unknown, check: Check): number[] {
  const length = (list as ArrayLike<unknown> | null | undefined)?.length;
  if (typeof list !== 'object' || typeof length !== 'number') {
    throw new MpiError('ERR_ARG', `${call}: ${name} must be a list of numbers, not ${show(list)}`);
  }
  return Array.from(list as ArrayLike<unknown>, (value, i) => check(call, `${name}[${i}]`, value));
}

/** Lists that belong together. */
export function checkLengths(
  call: string,
  lists: Readonly<Record<string, { readonly length: number }>>,
): void {
  const lengths = Object.values(lists).map(({ length }) => length);
  if (lengths.every((length) => length === lengths[0])) return;
  const names = Object.keys(lists);
  throw new MpiError(
    'ERR_ARG',
    `${call}: ${names.map((name, i) => `${name} has ${lengths[i]} members`).join(', ')}. ` +
      'They must have as many as each other',
  );
}
