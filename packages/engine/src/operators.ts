/**
 * The predefined reduction operators, MPI-4.1 section 6.9.2. The native engine has the same table; a test compares the
 * two.
 */
import type { DatatypeName } from './datatypes.ts';

export type OperatorName =
  | 'SUM'
  | 'PROD'
  | 'MAX'
  | 'MIN'
  | 'LAND'
  | 'LOR'
  | 'LXOR'
  | 'BAND'
  | 'BOR'
  | 'BXOR';

export const OPERATORS: Readonly<Record<OperatorName, { readonly code: number }>> = {
  SUM: { code: 0 },
  PROD: { code: 1 },
  MAX: { code: 2 },
  MIN: { code: 3 },
  LAND: { code: 4 },
  LOR: { code: 5 },
  LXOR: { code: 6 },
  BAND: { code: 7 },
  BOR: { code: 8 },
  BXOR: { code: 9 },
};

/** Types of which none is defined so far. */
const WITHOUT: ReadonlySet<DatatypeName> = new Set([
  'FLOAT16',
  'BFLOAT16',
  'COMPLEX',
  'DOUBLE_COMPLEX',
  'FLOAT_INT',
  'DOUBLE_INT',
  'LONG_INT',
  'TWO_INT',
  'SHORT_INT',
  'MIXED',
]);

const ON_FLOATING_POINT: ReadonlySet<OperatorName> = new Set(['SUM', 'PROD', 'MAX', 'MIN']);

/**
 * Whether the operator is defined for the element type: every one for integers, logical and bitwise ones not for
 * floating point, none for what is neither.
 */
export function operatorAllows(operator: OperatorName, datatype: DatatypeName): boolean {
  if (WITHOUT.has(datatype)) return false;
  const floating = datatype === 'FLOAT' || datatype === 'DOUBLE';
  return !floating || ON_FLOATING_POINT.has(operator);
}
