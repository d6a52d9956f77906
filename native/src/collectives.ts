import {
  type Algorithm,
  algorithmsOf,
  type CollectiveName,
  choose,
  findAlgorithm,
} from '@onecopy/algorithms';
import {
  type CollectiveCall,
  type EngineCommunicator,
  MpiError,
  type PendingOperation,
} from '@onecopy/engine';
import type { Binding } from './binding.ts';
import { compile } from './compile.ts';
import { failure } from './failure.ts';
import { lasting } from './lasting.ts';
import { Members } from './members.ts';
import { COLLECTIVES } from './operations.ts';
import { operatorCall } from './operator-call.ts';

const CODES: ReadonlyMap<CollectiveName, number> = new Map(
  COLLECTIVES.map((name, code) => [name, code]),
);

/** Schedules kept per communicator; each has a few hundred bytes per step. */
const MOST_SCHEDULES = 512;

/** The only context with a collective area; kWorldCollectives in native/core/engine/engine.h. */
const WORLD_COLLECTIVES = 1;

/** Makes the operation for a handle; `translate` says what its error number means. */
export type Begin = (
  handle: number,
  call: CollectiveCall,
  translate: (result: number) => Error,
) => PendingOperation;

/** A communicator of the native engine: picks algorithms, keeps their schedules, and has them executed. */
export class NativeCommunicator implements EngineCommunicator {
  readonly #binding: Binding;
  readonly #members: Members;
  readonly #handle: number;
  readonly #size: number;
  readonly #rank: number;
  readonly #begin: Begin;
  readonly #hasArea: boolean;
  readonly #schedules: Map<Algorithm, Map<number, number>> = new Map();
  #kept = 0;

  constructor(
    binding: Binding,
    context: number,
    members: readonly number[],
    rank: number,
    begin: Begin,
  ) {
    this.#binding = binding;
    this.#members = new Members(members);
    this.#size = members.length;
    this.#rank = rank;
    this.#begin = begin;
    this.#hasArea = context === WORLD_COLLECTIVES && members.length > 1;
    const handle = binding.openCommunicator(context, Int32Array.from(members));
    if (handle < 0) throw failure(binding, -handle, { operation: 'communicator' });
    this.#handle = handle;
  }

  run(call: CollectiveCall): void {
    const operator = operatorCall(this.#binding, call.operator);
    // An operator in JavaScript could shrink a buffer in the middle of the call.
    if (operator.combine !== undefined) checkLasting(call, call.operation);
    const result = this.#binding.collective(...this.#arguments(call, operator));
    if (result !== 0) throw operator.thrown ?? this.#failure(call.operation, result);
  }

  start(call: CollectiveCall): PendingOperation {
    checkLasting(call, `i${call.operation}`);
    const operator = operatorCall(this.#binding, call.operator);
    const handle = this.#binding.icollective(...this.#arguments(call, operator));
    const name = `i${call.operation}`;
    if (handle < 0) throw this.#failure(name, -handle);
    return this.#begin(handle, call, (result) => operator.thrown ?? this.#failure(name, result));
  }

  #arguments(
    { operation, root = 0, input, output, bytes }: CollectiveCall,
    operator: ReturnType<typeof operatorCall>,
  ): Parameters<Binding['collective']> {
    return [
      this.#handle,
      this.#schedule(this.#algorithm(operation, bytes, operator.commutative), root),
      CODES.get(operation) as number,
      input?.view,
      output?.view,
      input?.count ?? 0,
      output?.count ?? 0,
      input?.blocks,
      output?.blocks,
      operator.code,
      operator.combine,
    ];
  }

  #algorithm(operation: CollectiveName, bytes: number, commutative: boolean): Algorithm {
    const forced = FORCED.get(operation);
    if (forced !== undefined && (commutative || forced.ordered) && this.#has(forced)) return forced;
    return choose(operation, { size: this.#size, bytes, commutative, area: this.#hasArea });
  }

  /** Whether the communicator has what the algorithm needs. */
  #has(algorithm: Algorithm): boolean {
    return this.#hasArea || this.#size === 1 || algorithm.area !== true;
  }

  #schedule(algorithm: Algorithm, root: number): number {
    const known = this.#schedules.get(algorithm)?.get(root);
    if (known !== undefined) return known;
    if (this.#kept >= MOST_SCHEDULES) this.#forgetAll();
    const program = compile(algorithm.schedule(this.#size, this.#rank, root));
    const schedule = this.#binding.compileSchedule(program);
    let byRoot = this.#schedules.get(algorithm);
    if (byRoot === undefined) {
      byRoot = new Map();
      this.#schedules.set(algorithm, byRoot);
    }
    byRoot.set(root, schedule);
    this.#kept += 1;
    return schedule;
  }

  #forgetAll(): void {
    for (const byRoot of this.#schedules.values()) {
      for (const schedule of byRoot.values()) this.#binding.dropSchedule(schedule);
    }
    this.#schedules.clear();
    this.#kept = 0;
  }

  close(): void {
    this.#forgetAll();
    this.#binding.closeCommunicator(this.#handle);
  }

  #failure(operation: string, result: number): MpiError {
    return failure(this.#binding, result, { operation, collective: true, members: this.#members });
  }
}

function checkLasting({ input, output }: CollectiveCall, operation: string): void {
  if (input !== undefined) lasting(input.view, operation);
  if (output !== undefined) lasting(output.view, operation);
}

/** `ONECOPY_COLL=allreduce=rabenseifner,bcast=binomial`, the same on all ranks: for tests. */
const FORCED: ReadonlyMap<CollectiveName, Algorithm> = readForced(process.env.ONECOPY_COLL);

function readForced(text: string | undefined): Map<CollectiveName, Algorithm> {
  const forced = new Map<CollectiveName, Algorithm>();
  for (const part of (text ?? '').split(',').filter((each) => each !== '')) {
    const [operation = '', name = ''] = part.split('=');
    const known = COLLECTIVES.find((each) => each === operation);
    if (known === undefined) {
      throw new MpiError(
        'ERR_ARG',
        `ONECOPY_COLL: there is no collective operation ${operation}; there are ${COLLECTIVES.join(', ')}`,
      );
    }
    const algorithm = findAlgorithm(known, name);
    if (algorithm === undefined) {
      const names = algorithmsOf(known).map((each) => each.name);
      throw new MpiError(
        'ERR_ARG',
        `ONECOPY_COLL: ${operation} has no algorithm ${name}; it has ${names.join(', ')}`,
      );
    }
    forced.set(known, algorithm);
  }
  return forced;
}
