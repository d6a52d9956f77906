import {
  datatypeName,
  MpiError,
  type OperatorFunction,
  type OperatorName,
  operatorAllows,
  type TypedArray,
} from '@onecopy/engine';
import { isOptions, show } from './arguments.ts';
import { type BasicDatatype, datatypeOfCode } from './datatypes.ts';

/**
 * What a user's operator does: leaves `left ∘ inout` in `inout`, element by element. The two views have the class of
 * the operands and equal lengths; they show any part of the operands, and are valid during the call only.
 */
export type CombineFunction<T extends TypedArray = TypedArray> = (
  left: T,
  inout: T,
  datatype: BasicDatatype,
) => void;

export interface OpOptions {
  /** Whether the order of operands does not matter; default: false, they are combined in the order of ranks. */
  readonly commute?: boolean;
}

/** An operator of reductions (MPI-4.1 section 6.9). */
export class Op {
  readonly name: string;
  readonly commute: boolean;
  /** @internal */
  readonly forEngine: OperatorName | OperatorFunction;

  private constructor(name: string, commute: boolean, forEngine: OperatorName | OperatorFunction) {
    this.name = name;
    this.commute = commute;
    this.forEngine = forEngine;
  }

  /** @internal */
  static predefined(name: OperatorName): Op {
    return new Op(name, true, name);
  }

  /**
   * Makes an operator of a function (MPI_Op_create, MPI-4.1 section 6.9.5). It must be associative. It must not call
   * onecopy (`ERR_REENTRANT`); when it throws, the operation fails on every rank.
   *
   * @param combine leaves `left ∘ inout` in `inout`
   */
  static create<T extends TypedArray = TypedArray>(
    combine: CombineFunction<T>,
    options: OpOptions = {},
  ): Op {
    if (typeof combine !== 'function') {
      throw new MpiError('ERR_OP', `Op.create: ${show(combine)} is not a function`);
    }
    if (!isOptions(options)) {
      throw new MpiError(
        'ERR_ARG',
        `Op.create: the options must be an object such as { commute: true }, not ${show(options)}`,
      );
    }
    const commutative = options.commute === true;
    const named = combine as CombineFunction;
    return new Op(combine.name || 'operator', commutative, {
      commutative,
      combine: (left, right, code) => named(left, right, datatypeOfCode(code) as BasicDatatype),
    });
  }

  toString(): string {
    return this.name;
  }
}

/** Sum (MPI_SUM). Integers wrap; Uint8ClampedArray saturates. */
export const SUM: Op = Op.predefined('SUM');
/** Product (MPI_PROD). Integers wrap; Uint8ClampedArray saturates. */
export const PROD: Op = Op.predefined('PROD');
/** Maximum (MPI_MAX), as Math.max: NaN if any operand is, and +0 above -0. */
export const MAX: Op = Op.predefined('MAX');
/** Minimum (MPI_MIN), as Math.min. */
export const MIN: Op = Op.predefined('MIN');
/** Logical and (MPI_LAND): 0 or 1. Integers only. */
export const LAND: Op = Op.predefined('LAND');
/** Logical or (MPI_LOR): 0 or 1. Integers only. */
export const LOR: Op = Op.predefined('LOR');
/** Logical exclusive or (MPI_LXOR): 0 or 1. Integers only. */
export const LXOR: Op = Op.predefined('LXOR');
/** Bitwise and (MPI_BAND). Integers only. */
export const BAND: Op = Op.predefined('BAND');
/** Bitwise or (MPI_BOR). Integers only. */
export const BOR: Op = Op.predefined('BOR');
/** Bitwise exclusive or (MPI_BXOR). Integers only. */
export const BXOR: Op = Op.predefined('BXOR');

const LOGICAL: ReadonlySet<Op> = new Set([LAND, LOR, LXOR]);

/** Whether the operator sees its operands as true or false only. */
export function isLogical(op: Op): boolean {
  return LOGICAL.has(op);
}

export function checkOp(call: string, op: unknown): Op {
  if (op instanceof Op) return op;
  const hint = typeof op === 'function' ? '. Make one of the function with Op.create' : '';
  throw new MpiError(
    'ERR_OP',
    `${call}: the operator must be one such as SUM or MAX, or made by Op.create, not ${show(op)}${hint}`,
  );
}

/** Throws where the standard does not define the operator for the element type (MPI-4.1 section 6.9.2). */
export function checkDefined(call: string, op: Op, type: BasicDatatype): void {
  if (typeof op.forEngine !== 'string' || operatorAllows(op.forEngine, type.name)) return;
  const what = `${call}: ${op.name} is not defined for ${datatypeName(type.code)} elements`;
  throw new MpiError(
    'ERR_OP',
    type.isPlain
      ? `${what}, only for integers. Use an integer array, or an operator made by Op.create`
      : `${what}; no operator is so far. Combine arrays of their parts, or received values yourself`,
  );
}
