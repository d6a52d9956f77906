/** Operations with an operator: reduce, allreduce, scan, exscan, reduceScatterBlock. */
import { type CollectiveName, MpiError, type TypedArray } from '@onecopy/engine';
import { show } from '../arguments.ts';
import { basicDatatypeOf } from '../datatypes.ts';
import { checkDefined, checkOp, isLogical, type Op } from '../operators.ts';
import {
  blockOf,
  buffer,
  checkApart,
  checkSameLength,
  fresh,
  IN_PLACE,
  type Operand,
  operandOf,
  operandOver,
} from './operand.ts';
import { type Plan, plan } from './plan.ts';
import type { Site } from './site.ts';

type Reduction = Extract<
  CollectiveName,
  'reduce' | 'allreduce' | 'scan' | 'exscan' | 'reduceScatterBlock'
>;

/** A call of a reduction, its arguments in their places. */
export interface ReductionCall {
  readonly operation: Reduction;
  readonly input: unknown;
  /** Undefined: a fresh result. */
  readonly into: unknown;
  readonly op: unknown;
  readonly root?: number;
}

export function reduction(site: Site, call: ReductionCall): Plan<unknown> {
  if (typeof call.input === 'number' || typeof call.input === 'bigint') {
    return ofNumber(site, call, call.input);
  }
  return ofArrays(site, call);
}

function ofArrays(site: Site, { operation, input, into, op, root }: ReductionCall): Plan<unknown> {
  const operator = checkOp(operation, op);
  const hasResult = root === undefined || root === site.rank;
  if (input === IN_PLACE) {
    const inout = operandFor(operation, 'buffer', into, operator);
    return hasResult
      ? inPlace(site, operation, inout, operator, root, into)
      : begun(operation, inout, undefined, inout.elements, operator, root, () => undefined);
  }
  const from = operandFor(
    operation,
    into === undefined ? 'buffer' : 'send buffer',
    input,
    operator,
  );
  const count =
    operation === 'reduceScatterBlock' ? blockOf(operation, from, site.size) : from.elements;
  if (!hasResult) return begun(operation, from, undefined, count, operator, root, () => undefined);
  if (into === undefined) {
    const result = fresh(operation, from, count);
    const output = operandOver(operation, 'result', result);
    // exscan gives rank 0 nothing (MPI-4.1 section 6.11.2).
    const nothing = operation === 'exscan' && site.rank === 0;
    return begun(operation, from, output, count, operator, root, () =>
      nothing ? undefined : result,
    );
  }
  const output = operandOf(operation, 'receive buffer', into);
  checkClasses(operation, from, output);
  checkSameLength(operation, from, count, output, output.elements, 'for the result');
  checkApart(operation, from, output);
  return begun(operation, from, output, count, operator, root, () => into);
}

/** An operand that the operator is defined for. */
function operandFor(call: string, role: string, argument: unknown, op: Op): Operand {
  const described =
    typeof argument === 'object' && argument !== null && 'datatype' in argument
      ? basicDatatypeOf(argument.datatype)
      : undefined;
  if (described !== undefined && !described.isPlain) checkDefined(call, op, described);
  const operand = operandOf(call, role, argument);
  checkDefined(call, op, operand.type);
  return operand;
}

function inPlace(
  site: Site,
  operation: Reduction,
  inout: Operand,
  op: Op,
  root: number | undefined,
  into: unknown,
): Plan<unknown> {
  if (operation !== 'reduceScatterBlock') {
    return begun(operation, inout, inout, inout.elements, op, root, () => into);
  }
  // The result goes to the beginning of what is still being read: from a copy.
  const count = blockOf(operation, inout, site.size);
  const copy = copyOf(inout);
  return begun(operation, copy, inout, count, op, root, () => into);
}

function begun<R>(
  operation: Reduction,
  input: Operand,
  output: Operand | undefined,
  count: number,
  op: Op,
  root: number | undefined,
  result: () => R,
): Plan<R> {
  return plan(
    {
      operation,
      input: buffer(input, count),
      output: output && buffer(output, count),
      operator: op.forEngine,
      bytes: count * input.type.bytes,
      ...(root !== undefined && { root }),
    },
    result,
  );
}

export function copyOf(operand: Operand): Operand {
  const {
    buffer: memory,
    byteOffset,
    byteLength,
  } = ArrayBuffer.isView(operand.view)
    ? operand.view
    : { buffer: operand.view, byteOffset: 0, byteLength: operand.view.byteLength };
  const bytes = new Uint8Array(byteLength);
  bytes.set(new Uint8Array(memory, byteOffset, byteLength));
  return {
    ...operand,
    view: new operand.type.arrayClass(bytes.buffer, 0, operand.elements),
  };
}

/** Operands of an operator cannot be bytes on one side and numbers on the other. */
function checkClasses(call: string, one: Operand, other: Operand): void {
  if (one.type === other.type) return;
  throw new MpiError(
    'ERR_TYPE',
    `${call}: the send buffer holds ${one.type} elements and the receive buffer ${other.type}. ` +
      'They must be the same',
  );
}

/** A number is one float64, a bigint one int64. */
function ofNumber(
  site: Site,
  { operation, into, op, root }: ReductionCall,
  value: number | bigint,
): Plan<unknown> {
  if (operation === 'reduceScatterBlock') {
    throw new MpiError(
      'ERR_BUFFER',
      `reduceScatterBlock: a number is no block for each rank; pass an array of ${site.size}`,
    );
  }
  if (into !== undefined) {
    throw new MpiError(
      'ERR_ARG',
      `${operation}: a number is given back, it cannot be received into ${show(into)}`,
    );
  }
  const operator = checkOp(operation, op);
  const input = arrayOf(operation, operator, value);
  const inner = ofArrays(site, { operation, input, into, op, ...(root !== undefined && { root }) });
  return plan(inner.call, () => {
    const result = inner.result() as TypedArray | undefined;
    if (result === undefined) return undefined;
    const [first] = result as ArrayLike<number | bigint>[number][] | TypedArray;
    return typeof value === 'bigint' ? first : Number(first);
  });
}

function arrayOf(call: string, op: Op, value: number | bigint): TypedArray {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) {
      throw new MpiError(
        'ERR_ARG',
        `${call}: ${value}n does not fit into 64 bits; use an array of parts`,
      );
    }
    return BigInt64Array.of(value);
  }
  if (isLogical(op)) return Int32Array.of(value && !Number.isNaN(value) ? 1 : 0);
  checkBitwise(call, op);
  return Float64Array.of(value);
}

function checkBitwise(call: string, op: Op): void {
  if (!/^B(AND|OR|XOR)$/.test(op.name) || typeof op.forEngine !== 'string') return;
  throw new MpiError(
    'ERR_OP',
    `${call}: ${op.name} is not defined for a number, which is a float64. Use a bigint or an integer array`,
  );
}
