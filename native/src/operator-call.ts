import {
  DATATYPES,
  MpiError,
  OPERATORS,
  type OperatorFunction,
  type OperatorName,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import type { Binding } from './binding.ts';

/** Operands go through memory of this size, so that they stay in the cache between the copy and the function. */
const OPERATOR_BYTES = 64 * 1024;

/** An operator for one call of the addon. */
export interface OperatorCall {
  readonly code: number;
  readonly commutative: boolean;
  readonly combine: ((type: number, count: number) => string | undefined) | undefined;
  /** What the user's function has thrown. */
  readonly thrown: Error | undefined;
}

const NONE: OperatorCall = { code: -1, commutative: true, combine: undefined, thrown: undefined };
const PREDEFINED: ReadonlyMap<OperatorName, OperatorCall> = new Map(
  (Object.keys(OPERATORS) as OperatorName[]).map((name) => [
    name,
    { ...NONE, code: OPERATORS[name].code },
  ]),
);

export function operatorCall(
  binding: Binding,
  operator: OperatorName | OperatorFunction | undefined,
): OperatorCall {
  if (operator === undefined) return NONE;
  if (typeof operator === 'string') return PREDEFINED.get(operator) as OperatorCall;
  return new ScriptCall(binding, operator);
}

/** The two operands of a user's function, seen as each class. */
class OperatorMemory {
  readonly #left = new Uint8Array(OPERATOR_BYTES);
  readonly #right = new Uint8Array(OPERATOR_BYTES);
  readonly #views: Map<number, readonly [TypedArray, TypedArray]> = new Map();

  constructor(binding: Binding) {
    binding.setOperatorMemory(this.#left, this.#right);
  }

  /** False once a script that kept a view has transferred the memory away. */
  get intact(): boolean {
    return this.#left.byteLength > 0 && this.#right.byteLength > 0;
  }

  views(type: number, count: number): readonly [TypedArray, TypedArray] {
    let whole = this.#views.get(type);
    if (whole === undefined) {
      const arrayClass = CLASSES.get(type) as TypedArrayClass;
      whole = [new arrayClass(this.#left.buffer), new arrayClass(this.#right.buffer)];
      this.#views.set(type, whole);
    }
    const [left, right] = whole;
    return count === left.length ? whole : [left.subarray(0, count), right.subarray(0, count)];
  }
}

const CLASSES: ReadonlyMap<number, TypedArrayClass> = new Map<number, TypedArrayClass>([
  [DATATYPES.BYTE.code, Uint8Array],
  [DATATYPES.INT8_T.code, Int8Array],
  [DATATYPES.UINT8_CLAMPED.code, Uint8ClampedArray],
  [DATATYPES.INT16_T.code, Int16Array],
  [DATATYPES.UINT16_T.code, Uint16Array],
  [DATATYPES.INT32_T.code, Int32Array],
  [DATATYPES.UINT32_T.code, Uint32Array],
  [DATATYPES.INT64_T.code, BigInt64Array],
  [DATATYPES.UINT64_T.code, BigUint64Array],
  [DATATYPES.FLOAT.code, Float32Array],
  [DATATYPES.DOUBLE.code, Float64Array],
]);

let memory: OperatorMemory | undefined;

class ScriptCall implements OperatorCall {
  readonly code = -1;
  readonly commutative: boolean;
  readonly combine: (type: number, count: number) => string | undefined;
  #thrown: Error | undefined;

  constructor(binding: Binding, operator: OperatorFunction) {
    this.commutative = operator.commutative;
    if (memory?.intact !== true) memory = new OperatorMemory(binding);
    const operands = memory;
    this.combine = (type, count) => {
      try {
        const [left, right] = operands.views(type, count);
        operator.combine(left, right, type);
        if (operands.intact) return undefined;
        throw new MpiError(
          'ERR_DETACHED',
          'the operator has transferred its operands away; it must leave its result in the second one',
        );
      } catch (error) {
        this.#thrown =
          error instanceof Error
            ? error
            : new MpiError('ERR_OP', `the operator has thrown ${String(error)}`, { cause: error });
        return this.#thrown.message;
      }
    };
  }

  get thrown(): Error | undefined {
    return this.#thrown;
  }
}
