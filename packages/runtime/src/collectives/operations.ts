import type { TypedArray } from '@onecopy/engine';
import type { BufferArgument } from '../buffers.ts';
import { Completion } from '../completion.ts';
import type { Fresh } from '../datatypes.ts';
import { neverForget } from '../forgotten.ts';
import { Membership } from '../membership.ts';
import type { Op } from '../operators.ts';
import { Request } from '../request.ts';
import {
  allgather,
  allgatherv,
  alltoall,
  alltoallv,
  bcast,
  gather,
  gatherv,
  scatter,
  scatterv,
} from './movements.ts';
import {
  allgatherObject,
  allreduceObject,
  bcastObject,
  gatherObject,
  scatterObject,
} from './objects.ts';
import type { BlocksArgument, InPlace } from './operand.ts';
import { type Plan, plan } from './plan.ts';
import { reduction } from './reductions.ts';
import { checkNothingMore, checkRoot } from './root.ts';

/**
 * Collective operations: every rank of the communicator calls them, in the same order (MPI-4.1 chapter 6).
 *
 * A call that throws because of its own arguments has done nothing: the others wait until this rank makes the call
 * rightly, or ends. A failure inside the operation (lengths or types that do not agree, an operator that throws, a rank
 * that dies) is an error on every rank that has not completed it yet; the message says whether the communicator stays
 * usable, and so does `usable`.
 *
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_COUNT` `ERR_TRUNCATE` `ERR_TYPE` | lengths or element types of the ranks do not agree, or those of the buffers here |
 * | `ERR_OP` | the operator is not defined for the type; on other ranks: a user's operator has thrown |
 * | `ERR_COLLECTIVE` | ranks have called different operations |
 * | `ERR_REENTRANT` | called from inside an operator |
 */
export abstract class Collectives extends Membership {
  #usable = true;

  /**
   * False once a collective operation has failed because a rank is gone or the job is ending: then none can succeed any
   * more. Messages between ranks that are there still can.
   */
  get usable(): boolean {
    return this.#usable;
  }

  #run<R>({ call, result }: Plan<R>): R {
    try {
      this.site().engine.run(call);
    } catch (error) {
      this.#note(error);
      throw error;
    }
    return result();
  }

  #start<R>({ call, result }: Plan<R>): Request<R> {
    const operation = this.site().engine.start(call);
    operation.onFailure?.((error) => this.#note(error));
    const request = new Request(new Completion(operation, result, `i${call.operation}`));
    neverForget(request);
    return request;
  }

  /** @internal An allgather of numbers whose result is something else. */
  protected startAllgather<R>(input: Float64Array, result: (all: Float64Array) => R): Request<R> {
    const gathering = allgather(this.site(), input, undefined);
    return this.#start(plan(gathering.call, () => result(gathering.result() as Float64Array)));
  }

  #note(error: unknown): void {
    if (LASTING.has((error as { code?: unknown } | null)?.code)) this.#usable = false;
  }

  /** Blocks until every rank of the communicator has called it (MPI_Barrier, MPI-4.1 section 6.3). */
  barrier(): void {
    this.#run(BARRIER);
  }

  /** Complete once every rank of the communicator has called it (MPI_Ibarrier, MPI-4.1 section 6.12.1). */
  ibarrier(): Request<void> {
    return this.#start(BARRIER);
  }

  /**
   * Copies the root's buffer into everybody's (MPI_Bcast, MPI-4.1 section 6.4).
   *
   * @param buffer on the root the message, elsewhere where it goes; equal lengths in bytes on all ranks
   * @returns the buffer
   */
  bcast<B extends BufferArgument>(buffer: B, root = 0): B {
    return this.#run(bcast('bcast', buffer, checkRoot('bcast', root, this.site()))) as B;
  }

  /**
   * Starts the same without blocking (MPI_Ibcast, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `bcast` gives.
   */
  ibcast<B extends BufferArgument>(buffer: B, root = 0): Request<B> {
    return this.#start(bcast('bcast', buffer, checkRoot('bcast', root, this.site()))) as Request<B>;
  }

  /**
   * Combines the elements of all ranks at the root: element `i` of the result is that of rank 0 ∘ rank 1 ∘ … (MPI_Reduce,
   * MPI-4.1 section 6.9.1).
   *
   * @param x a typed array; a number (one float64) or a bigint (one int64); or `IN_PLACE`, with the operand in `into`
   * @param into where the result goes on the root; not used elsewhere, except with `IN_PLACE`
   * @param op `SUM`, `MAX`… or one made by `Op.create`
   * @returns on the root the result: a number for a number, a bigint for a bigint, `into` where it is given, else a new
   * array of the class of `x`; undefined elsewhere
   */
  reduce(x: number, op: Op, root?: number): number | undefined;
  reduce(x: bigint, op: Op, root?: number): bigint | undefined;
  reduce<T extends TypedArray>(x: T, op: Op, root?: number): Fresh<T> | undefined;
  reduce<T extends TypedArray>(
    x: T | InPlace,
    into: T | undefined,
    op: Op,
    root?: number,
  ): T | undefined;
  reduce(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#reduce('reduce', x, rest));
  }

  /**
   * Starts the same without blocking (MPI_Ireduce, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `reduce` gives.
   */
  ireduce(x: number, op: Op, root?: number): Request<number | undefined>;
  ireduce(x: bigint, op: Op, root?: number): Request<bigint | undefined>;
  ireduce<T extends TypedArray>(x: T, op: Op, root?: number): Request<Fresh<T> | undefined>;
  ireduce<T extends TypedArray>(
    x: T | InPlace,
    into: T | undefined,
    op: Op,
    root?: number,
  ): Request<T | undefined>;
  ireduce(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#reduce('reduce', x, rest));
  }

  /**
   * The same with the result on every rank (MPI_Allreduce, MPI-4.1 section 6.9.6).
   *
   * @param x a typed array, a number or a bigint as for `reduce`, or `IN_PLACE`, with the operand in `into`
   * @returns the result: a number, a bigint, `into`, or a new array of the class of `x`
   */
  allreduce(x: number, op: Op): number;
  allreduce(x: bigint, op: Op): bigint;
  allreduce<T extends TypedArray>(x: T, op: Op): Fresh<T>;
  allreduce<T extends TypedArray>(x: T | InPlace, into: T, op: Op): T;
  allreduce(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#reduceAll('allreduce', x, rest));
  }

  /**
   * Starts the same without blocking (MPI_Iallreduce, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `allreduce` gives.
   */
  iallreduce(x: number, op: Op): Request<number>;
  iallreduce(x: bigint, op: Op): Request<bigint>;
  iallreduce<T extends TypedArray>(x: T, op: Op): Request<Fresh<T>>;
  iallreduce<T extends TypedArray>(x: T | InPlace, into: T, op: Op): Request<T>;
  iallreduce(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#reduceAll('allreduce', x, rest));
  }

  /**
   * Rank `r` gets what ranks 0 to `r` give together (MPI_Scan, MPI-4.1 section 6.11.1).
   *
   * @param x a typed array, a number or a bigint as for `reduce`, or `IN_PLACE`, with the operand in `into`
   * @returns the result: a number, a bigint, `into`, or a new array of the class of `x`
   */
  scan(x: number, op: Op): number;
  scan(x: bigint, op: Op): bigint;
  scan<T extends TypedArray>(x: T, op: Op): Fresh<T>;
  scan<T extends TypedArray>(x: T | InPlace, into: T, op: Op): T;
  scan(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#reduceAll('scan', x, rest));
  }

  /**
   * Starts the same without blocking (MPI_Iscan, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `scan` gives.
   */
  iscan(x: number, op: Op): Request<number>;
  iscan(x: bigint, op: Op): Request<bigint>;
  iscan<T extends TypedArray>(x: T, op: Op): Request<Fresh<T>>;
  iscan<T extends TypedArray>(x: T | InPlace, into: T, op: Op): Request<T>;
  iscan(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#reduceAll('scan', x, rest));
  }

  /**
   * Rank `r` gets what ranks 0 to `r` - 1 give together; rank 0 gets nothing, and its buffer is left as it was (MPI_Exscan, MPI-4.1 section 6.11.2).
   *
   * @param x a typed array, a number or a bigint as for `reduce`, or `IN_PLACE`, with the operand in `into`
   * @returns the result; undefined on rank 0 unless a buffer was given: a number, a bigint, `into`, or a new array of the class of `x`
   */
  exscan(x: number, op: Op): number | undefined;
  exscan(x: bigint, op: Op): bigint | undefined;
  exscan<T extends TypedArray>(x: T, op: Op): Fresh<T> | undefined;
  exscan<T extends TypedArray>(x: T | InPlace, into: T, op: Op): T;
  exscan(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#reduceAll('exscan', x, rest));
  }

  /**
   * Starts the same without blocking (MPI_Iexscan, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `exscan` gives.
   */
  iexscan(x: number, op: Op): Request<number | undefined>;
  iexscan(x: bigint, op: Op): Request<bigint | undefined>;
  iexscan<T extends TypedArray>(x: T, op: Op): Request<Fresh<T> | undefined>;
  iexscan<T extends TypedArray>(x: T | InPlace, into: T, op: Op): Request<T>;
  iexscan(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#reduceAll('exscan', x, rest));
  }

  /**
   * Combines like `reduce`, and gives each rank one block of the result (MPI_Reduce_scatter_block, MPI-4.1 section 6.10.1).
   *
   * @param x one block for each rank, or `IN_PLACE`, with the operand in `into`, whose first block is overwritten
   * @returns this rank's block: `into`, or a new array of the class of `x`
   */
  reduceScatterBlock<T extends TypedArray>(x: T, op: Op): Fresh<T>;
  reduceScatterBlock<T extends TypedArray>(x: T | InPlace, into: T, op: Op): T;
  reduceScatterBlock(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#reduceAll('reduceScatterBlock', x, rest));
  }

  /**
   * Starts the same without blocking (MPI_Ireducescatterblock, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `reduceScatterBlock` gives.
   */
  ireduceScatterBlock<T extends TypedArray>(x: T, op: Op): Request<Fresh<T>>;
  ireduceScatterBlock<T extends TypedArray>(x: T | InPlace, into: T, op: Op): Request<T>;
  ireduceScatterBlock(x: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#reduceAll('reduceScatterBlock', x, rest));
  }

  /**
   * Brings one block from every rank to the root, in the order of ranks (MPI_Gather, MPI-4.1 section 6.5).
   *
   * @param send this rank's block, of equal length on all ranks; a number is one float64. On the root also `IN_PLACE`: its
   * block lies in `into` already
   * @param into on the root: room for `size` blocks; default: a new array of the class of `send`
   * @returns on the root the receive buffer, undefined elsewhere
   */
  gather(send: number, root?: number): Float64Array<ArrayBuffer> | undefined;
  gather<T extends TypedArray>(send: T, root?: number): Fresh<T> | undefined;
  gather<B extends BufferArgument>(
    send: BufferArgument | InPlace,
    into: B | undefined,
    root?: number,
  ): B | undefined;
  gather(send: unknown, ...rest: readonly unknown[]): unknown {
    return this.#run(this.#gather(send, rest));
  }

  /**
   * Starts the same without blocking (MPI_Igather, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `gather` gives.
   */
  igather(send: number, root?: number): Request<Float64Array<ArrayBuffer> | undefined>;
  igather<T extends TypedArray>(send: T, root?: number): Request<Fresh<T> | undefined>;
  igather<B extends BufferArgument>(
    send: BufferArgument | InPlace,
    into: B | undefined,
    root?: number,
  ): Request<B | undefined>;
  igather(send: unknown, ...rest: readonly unknown[]): unknown {
    return this.#start(this.#gather(send, rest));
  }

  /**
   * The same with the result on every rank (MPI_Allgather, MPI-4.1 section 6.7).
   *
   * @param send this rank's block, or `IN_PLACE`: it lies in `into` already
   * @returns the receive buffer
   */
  allgather(send: number): Float64Array<ArrayBuffer>;
  allgather<T extends TypedArray>(send: T): Fresh<T>;
  allgather<B extends BufferArgument>(send: BufferArgument | InPlace, into: B): B;
  allgather(send: unknown, into?: unknown, ...more: unknown[]): unknown {
    return this.#run(allgather(checkNothingMore('allgather', more, this.site()), send, into));
  }

  /**
   * Starts the same without blocking (MPI_Iallgather, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `allgather` gives.
   */
  iallgather(send: number): Request<Float64Array<ArrayBuffer>>;
  iallgather<T extends TypedArray>(send: T): Request<Fresh<T>>;
  iallgather<B extends BufferArgument>(send: BufferArgument | InPlace, into: B): Request<B>;
  iallgather(send: unknown, into?: unknown, ...more: unknown[]): unknown {
    return this.#start(allgather(checkNothingMore('allgather', more, this.site()), send, into));
  }

  /**
   * Gives each rank one block of the root's buffer (MPI_Scatter, MPI-4.1 section 6.6).
   *
   * @param send on the root: `size` blocks of equal length; not used elsewhere
   * @param into where this rank's block goes. On the root also `IN_PLACE`: it stays where it is
   * @returns `into`
   */
  scatter<B extends BufferArgument | InPlace>(
    send: BufferArgument | undefined,
    into: B,
    root?: number,
  ): B;
  scatter(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#run(scatter(this.site(), send, into, checkRoot('scatter', root, this.site())));
  }

  /**
   * Starts the same without blocking (MPI_Iscatter, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `scatter` gives.
   */
  iscatter<B extends BufferArgument | InPlace>(
    send: BufferArgument | undefined,
    into: B,
    root?: number,
  ): Request<B>;
  iscatter(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#start(scatter(this.site(), send, into, checkRoot('scatter', root, this.site())));
  }

  /**
   * Every rank sends a block to every rank (MPI_Alltoall, MPI-4.1 section 6.8): block `j` of rank `i` becomes block `i`
   * of rank `j`.
   *
   * @param send `size` blocks of equal length, in the order of ranks, or `IN_PLACE`: they lie in `recv`, and are replaced
   * @param recv as many bytes as `send`, not overlapping it; default: a new array of the class of `send` (a Buffer gives a
   * Uint8Array)
   * @returns the receive buffer
   */
  alltoall<T extends TypedArray>(send: T): Fresh<T>;
  alltoall<B extends BufferArgument>(send: BufferArgument | InPlace, recv: B): B;
  alltoall(send: unknown, recv?: unknown, ...more: unknown[]): unknown {
    return this.#run(alltoall(checkNothingMore('alltoall', more, this.site()), send, recv));
  }

  /**
   * Starts the same without blocking (MPI_Ialltoall, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `alltoall` gives.
   */
  ialltoall<T extends TypedArray>(send: T): Request<Fresh<T>>;
  ialltoall<B extends BufferArgument>(send: BufferArgument | InPlace, recv: B): Request<B>;
  ialltoall(send: unknown, recv?: unknown, ...more: unknown[]): unknown {
    return this.#start(alltoall(checkNothingMore('alltoall', more, this.site()), send, recv));
  }

  /**
   * `gather` with blocks of different lengths (MPI_Gatherv, MPI-4.1 section 6.5).
   *
   * @param into on the root: `{ data, counts, displs? }`, in elements; its blocks must not overlap
   * @returns on the root `into.data`, undefined elsewhere
   */
  gatherv<B extends BlocksArgument>(
    send: BufferArgument | InPlace,
    into: B | undefined,
    root?: number,
  ): B['data'] | undefined;
  gatherv(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#run(gatherv(this.site(), send, into, checkRoot('gatherv', root, this.site())));
  }

  /**
   * Starts the same without blocking (MPI_Igatherv, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `gatherv` gives.
   */
  igatherv<B extends BlocksArgument>(
    send: BufferArgument | InPlace,
    into: B | undefined,
    root?: number,
  ): Request<B['data'] | undefined>;
  igatherv(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#start(gatherv(this.site(), send, into, checkRoot('gatherv', root, this.site())));
  }

  /**
   * `allgather` with blocks of different lengths (MPI_Allgatherv, MPI-4.1 section 6.7). All ranks pass the same counts.
   *
   * @returns `into.data`
   */
  allgatherv<B extends BlocksArgument>(send: BufferArgument | InPlace, into: B): B['data'];
  allgatherv(send: unknown, into: unknown): unknown {
    return this.#run(allgatherv(this.site(), send, into));
  }

  /**
   * Starts the same without blocking (MPI_Iallgatherv, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `allgatherv` gives.
   */
  iallgatherv<B extends BlocksArgument>(
    send: BufferArgument | InPlace,
    into: B,
  ): Request<B['data']>;
  iallgatherv(send: unknown, into: unknown): unknown {
    return this.#start(allgatherv(this.site(), send, into));
  }

  /**
   * `scatter` with blocks of different lengths (MPI_Scatterv, MPI-4.1 section 6.6).
   *
   * @param send on the root: `{ data, counts, displs? }`, in elements; not used elsewhere
   * @param into of exactly the length of this rank's block; on the root also `IN_PLACE`
   * @returns `into`
   */
  scatterv<B extends BufferArgument | InPlace>(
    send: BlocksArgument | undefined,
    into: B,
    root?: number,
  ): B;
  scatterv(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#run(scatterv(this.site(), send, into, checkRoot('scatterv', root, this.site())));
  }

  /**
   * Starts the same without blocking (MPI_Iscatterv, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `scatterv` gives.
   */
  iscatterv<B extends BufferArgument | InPlace>(
    send: BlocksArgument | undefined,
    into: B,
    root?: number,
  ): Request<B>;
  iscatterv(send: unknown, into: unknown, root: unknown = 0): unknown {
    return this.#start(scatterv(this.site(), send, into, checkRoot('scatterv', root, this.site())));
  }

  /**
   * `alltoall` with blocks of different lengths (MPI_Alltoallv, MPI-4.1 section 6.8): block `j` of rank `i` must be as long as
   * block `i` of rank `j` is there.
   *
   * @param send `{ data, counts, displs? }`, in elements, or `IN_PLACE`
   * @returns `recv.data`
   */
  alltoallv<B extends BlocksArgument>(send: BlocksArgument | InPlace, recv: B): B['data'];
  alltoallv(send: unknown, recv: unknown): unknown {
    return this.#run(alltoallv(this.site(), send, recv));
  }

  /**
   * Starts the same without blocking (MPI_Ialltoallv, MPI-4.1 section 6.12). The buffers must not be touched before the
   * request is complete; its result is what `alltoallv` gives.
   */
  ialltoallv<B extends BlocksArgument>(send: BlocksArgument | InPlace, recv: B): Request<B['data']>;
  ialltoallv(send: unknown, recv: unknown): unknown {
    return this.#start(alltoallv(this.site(), send, recv));
  }

  /**
   * Gives everybody the root's value: anything that can be cloned (`structuredClone`). Blocks.
   *
   * @param value used on the root only
   */
  bcastObject<T>(value: T, root = 0): T {
    return bcastObject(this, this.site(), value, checkRoot('bcastObject', root, this.site())) as T;
  }

  /** Brings one value of each rank to the root; undefined elsewhere. Blocks. */
  gatherObject<T>(value: T, root = 0): T[] | undefined {
    const at = checkRoot('gatherObject', root, this.site());
    return gatherObject(this, this.site(), value, at) as T[] | undefined;
  }

  /** Brings one value of each rank to everybody. Blocks. */
  allgatherObject<T>(value: T): T[] {
    return allgatherObject(this, this.site(), value) as T[];
  }

  /**
   * Gives each rank one of the root's values. Blocks.
   *
   * @param values on the root: one for each rank
   */
  scatterObject<T>(values: readonly T[] | undefined, root = 0): T {
    const at = checkRoot('scatterObject', root, this.site());
    return scatterObject(this, this.site(), values, at) as T;
  }

  /**
   * Combines the values of all ranks, in the order of ranks, and gives everybody the result. Blocks.
   *
   * @param combine associative; called on rank 0 only
   */
  allreduceObject<T>(value: T, combine: (left: T, right: T) => T): T {
    return allreduceObject(this, this.site(), value, combine as never) as T;
  }

  #reduce(operation: 'reduce', x: unknown, rest: readonly unknown[]): Plan<unknown> {
    const site = this.site();
    // reduce(x, op, root?) or reduce(x, into, op, root?).
    const short = rest.length < 2 || typeof rest[1] === 'number';
    const [into, op, root = 0, ...more] = short ? [undefined, ...rest] : rest;
    checkNothingMore(operation, more, site);
    return reduction(site, {
      operation,
      input: x,
      into,
      op,
      root: checkRoot(operation, root, site),
    });
  }

  #reduceAll(
    operation: 'allreduce' | 'scan' | 'exscan' | 'reduceScatterBlock',
    x: unknown,
    rest: readonly unknown[],
  ): Plan<unknown> {
    const [into, op, ...more] = rest.length < 2 ? [undefined, ...rest] : rest;
    return reduction(checkNothingMore(operation, more, this.site()), {
      operation,
      input: x,
      into,
      op,
    });
  }

  #gather(send: unknown, rest: readonly unknown[]): Plan<unknown> {
    const site = this.site();
    const short = rest.length === 1 && typeof rest[0] === 'number';
    const [into, root = 0, ...more] = short ? [undefined, ...rest] : rest;
    checkNothingMore('gather', more, site);
    return gather(site, send, into, checkRoot('gather', root, site));
  }
}

const BARRIER: Plan<void> = plan({ operation: 'barrier', bytes: 0 }, () => undefined);

/** Codes of failures after which no collective operation can succeed. */
const LASTING: ReadonlySet<unknown> = new Set([
  'ERR_PROC_FAILED',
  'ERR_PROC_LEFT',
  'ERR_ABORTED',
  'ERR_FINALIZED',
]);
