import type { CollectiveName } from '@onecopy/engine';

/** Codes of the operations; the order of `Collective` in native/core/schedule/execution.h. */
export const COLLECTIVES: readonly CollectiveName[] = [
  'barrier',
  'bcast',
  'reduce',
  'allreduce',
  'gather',
  'gatherv',
  'scatter',
  'scatterv',
  'allgather',
  'allgatherv',
  'alltoall',
  'alltoallv',
  'reduceScatterBlock',
  'scan',
  'exscan',
];
