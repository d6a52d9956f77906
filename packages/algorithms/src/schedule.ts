/**
 * A collective operation as data: the steps that one rank executes. A schedule says nothing about counts, addresses,
 * element types or operators; these are bound when it is executed, so one schedule serves all calls of its kind.
 *
 * How it is executed (by the native engine, and by the simulator in the same way):
 *
 * - A step may start when all its predecessors (`after`) are complete. Steps that may start do so in the order in which
 *   they stand.
 * - Messages are matched by order: between two ranks, the k-th of one's `send` and `expose` steps towards the other
 *   meets the k-th of the other's `recv`, `recvReduce` and `accept` steps from it. So that this order does not depend on
 *   time, such a step also waits until all earlier ones of the same direction and peer have *started*.
 * - An exposure stays readable until the peer that accepted it has completed all pulls that name the `accept` step;
 *   then `expose` is complete. An `accept` that no pull names ends the exposure at once.
 * - The collective area shows one operation of a rank at a time. A rank publishes in one order (its `publish` steps are a
 *   chain), and its cell may be overwritten by its next operation as soon as its schedule is complete, or has failed. So
 *   whoever copies out publishes that it has, the cell's owner waits for that and publishes once more, and whoever has
 *   copied out waits for this last word before it completes: only then is what it copied known to be right
 *   (native/models/area.pml).
 * - Both sides of a message must mean the same number of bytes; anything else is an error.
 */
export interface Schedule {
  /** Number of ranks, and the rank that this schedule is for. */
  readonly size: number;
  readonly rank: number;
  /** The caller's buffers first (`IN`, `OUT`), then scratch, in the order of their numbers. */
  readonly buffers: readonly BufferShape[];
  readonly steps: readonly Step[];
  /** How often each rank publishes in one execution; the same on all ranks (`publish`, `await`). */
  readonly publishes: number;
}

/** Number of the caller's send buffer. With MPI_IN_PLACE it lies where the standard says, in or at the other one. */
export const IN = 0;
/** Number of the caller's receive buffer. */
export const OUT = 1;

/**
 * How a buffer falls into blocks.
 *
 * - `even`: blocks of `count` elements each, one after the other (`count` is bound at execution).
 * - `split`: `count` elements shared out: block `i` begins at element `floor(i * count / blocks)`.
 * - `listed`: lengths and places are the caller's `counts` and `displs`.
 * - `counted`: one after the other; the length of block `i`, in bytes, is element `i` of the scratch buffer `counts`,
 *   read when the first step that touches this buffer starts.
 */
export type Layout =
  | { readonly kind: 'even'; readonly blocks: number }
  | { readonly kind: 'split'; readonly blocks: number }
  | { readonly kind: 'listed'; readonly blocks: number }
  | { readonly kind: 'counted'; readonly blocks: number; readonly counts: number };

export interface BufferShape {
  readonly layout: Layout;
  /**
   * Whose `count` holds for a scratch buffer: that of `IN` or `OUT`. 'lengths': each block is one 64-bit number, a
   * length in bytes (what `measure` writes and a `counted` layout reads).
   */
  readonly like: typeof IN | typeof OUT | 'lengths';
}

/** Blocks of one buffer: ranges of consecutive blocks, in the order in which their bytes are meant. */
export interface Region {
  readonly buffer: number;
  readonly ranges: readonly BlockRange[];
}

export interface BlockRange {
  readonly first: number;
  readonly blocks: number;
}

/** On which side of the operator what comes in stands; the other operand is `own`. */
export type Side = 'left' | 'right';

export type StepId = number;

interface Common {
  /** Predecessors: ids (places in `steps`) that are smaller than this step's own. */
  readonly after: readonly StepId[];
}

export type Step =
  /** Sends the bytes of a region; complete when the region may be changed again. */
  | (Common & { readonly kind: 'send'; readonly peer: number; readonly from: Region })
  | (Common & { readonly kind: 'recv'; readonly peer: number; readonly into: Region })
  /** into = own ∘ received, or received ∘ own. `own` and `into` may be the same region; nothing else overlaps. */
  | (Common & {
      readonly kind: 'recvReduce';
      readonly peer: number;
      readonly own: Region;
      readonly into: Region;
      readonly incoming: Side;
    })
  /** Tells a peer where a region lies; complete when the peer has done all its pulls. */
  | (Common & { readonly kind: 'expose'; readonly peer: number; readonly from: Region })
  /**
   * Waits for a peer's exposure. `shape` is the exposed region as this rank would name it in its own buffers: it tells
   * how long the exposure is and where its blocks begin. Nothing is written into it by this step.
   */
  | (Common & { readonly kind: 'accept'; readonly peer: number; readonly shape: Region })
  /** Copies a part of an exposure, which is named as `shape` is, into a region of equal length. */
  | (Common & {
      readonly kind: 'pull';
      readonly exposure: StepId;
      readonly part: Region;
      readonly into: Region;
    })
  | (Common & {
      readonly kind: 'pullReduce';
      readonly exposure: StepId;
      readonly part: Region;
      readonly own: Region;
      readonly into: Region;
      readonly incoming: Side;
    })
  /** Copies between regions of equal length that do not overlap, or are the same. */
  | (Common & { readonly kind: 'copy'; readonly from: Region; readonly into: Region })
  /** Copies many blocks to where they lie one after the other. */
  | (Common & { readonly kind: 'pack'; readonly from: Region; readonly into: Region })
  /** The other way round. */
  | (Common & { readonly kind: 'unpack'; readonly from: Region; readonly into: Region })
  /** into = from ∘ own (`incoming: 'left'`) or own ∘ from. */
  | (Common & {
      readonly kind: 'reduce';
      readonly from: Region;
      readonly own: Region;
      readonly into: Region;
      readonly incoming: Side;
    })
  /** Writes the length in bytes of each block of a region into a buffer of lengths. */
  | (Common & { readonly kind: 'measure'; readonly from: Region; readonly into: Region })
  /** Adds one to this rank's counter in the communicator's collective area, after all that precedes. */
  | (Common & { readonly kind: 'publish' })
  /** Waits until a peer has published at least `count` times in this execution. */
  | (Common & { readonly kind: 'await'; readonly peer: number; readonly count: number })
  /** Copies a region into this rank's cell of the collective area. */
  | (Common & { readonly kind: 'copyIn'; readonly from: Region })
  /** Copies from a peer's cell: the region has the length of what the peer copied in. */
  | (Common & { readonly kind: 'copyOut'; readonly peer: number; readonly into: Region })
  /** Does nothing: many predecessors become one. */
  | (Common & { readonly kind: 'join' });

export type StepKind = Step['kind'];
