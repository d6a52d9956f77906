import type { CollectiveName } from '@onecopy/engine';
import type { Schedule } from './schedule.ts';

export type { CollectiveName };

/** One way to do a collective operation. */
export interface Algorithm {
  /** Unique within the operation; a user can ask for it by this name. */
  readonly name: string;
  readonly operation: CollectiveName;
  /** Whether operands are combined in the order of ranks, as an operator that is not commutative needs. */
  readonly ordered: boolean;
  /** Whether only a communicator with a collective area can do it so; default: any can. */
  readonly area?: boolean;
  /** What happens, in a few sentences. */
  readonly steps: string;
  /** Cost formula: `p` ranks, `n` bytes (of one block, where there are blocks), `α` per message, `β` per byte, `γ` per byte combined. */
  readonly cost: string;
  /** The steps of one rank. `root` is 0 where the operation has none. */
  schedule(size: number, rank: number, root: number): Schedule;
}

/** What a choice may depend on: only what is the same on all ranks (MPI-4.1 section 6.1). */
export interface Situation {
  readonly size: number;
  /** Of the message (bcast, reduce, allreduce, scan), of one block (gather, scatter, allgather, alltoall, reduceScatterBlock), or of all blocks together (allgatherv); 0 for operations whose lengths not every rank knows. */
  readonly bytes: number;
  /** Whether the operator allows any order; true where there is none. */
  readonly commutative: boolean;
  /** Whether the communicator has a collective area; default: it has not. */
  readonly area?: boolean;
}
