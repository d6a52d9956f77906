import type { TypedArray } from './datatypes.ts';
import type { PendingOperation } from './engine.ts';
import type { OperatorName } from './operators.ts';

/** Collective operations, in the words of the standard (MPI-4.1 chapter 6). */
export type CollectiveName =
  | 'barrier'
  | 'bcast'
  | 'reduce'
  | 'allreduce'
  | 'gather'
  | 'gatherv'
  | 'scatter'
  | 'scatterv'
  | 'allgather'
  | 'allgatherv'
  | 'alltoall'
  | 'alltoallv'
  | 'reduceScatterBlock'
  | 'scan'
  | 'exscan';

/** One buffer of a collective operation, on this rank. */
export interface CollectiveBuffer {
  readonly view: NodeJS.ArrayBufferView | ArrayBuffer;
  /** Elements of the message, or of one block where the buffer has a block for each rank. */
  readonly count: number;
  /** Of a v-variant: the count of each block, then the displacement of each, in elements. */
  readonly blocks?: Float64Array;
}

/** An operator that is a function; `right` becomes left ∘ right. Both views have the class of the operands. */
export interface OperatorFunction {
  readonly commutative: boolean;
  combine(left: TypedArray, right: TypedArray, datatype: number): void;
}

export interface CollectiveCall {
  readonly operation: CollectiveName;
  /** A rank of the communicator, where the operation has one. */
  readonly root?: number;
  /**
   * Undefined where this rank has none. With MPI_IN_PLACE it lies where the standard says, in or at `output`; it must
   * not overlap it otherwise. bcast has only an output.
   */
  readonly input?: CollectiveBuffer | undefined;
  readonly output?: CollectiveBuffer | undefined;
  readonly operator?: OperatorName | OperatorFunction;
  /** What an algorithm may be chosen by: bytes of the message or of one block, the same on all ranks; 0 if not known. */
  readonly bytes: number;
}

/** The members of a communicator, as an engine knows them. Collective operations match by their order. */
export interface EngineCommunicator {
  /** Blocks until this rank's part is done. */
  run(call: CollectiveCall): void;
  /** Starts this rank's part; its buffers must not be touched before it is complete. */
  start(call: CollectiveCall): PendingOperation;
  /** No operation is started any more; pending ones go on. */
  close(): void;
}
