import type { Algorithm, CollectiveName, Situation } from './algorithm.ts';
import { allgatherBruck } from './allgather/bruck.ts';
import { allgatherPull } from './allgather/pull.ts';
import { allgathervBruck } from './allgatherv/bruck.ts';
import { allgathervPull } from './allgatherv/pull.ts';
import { allreduceRabenseifner } from './allreduce/rabenseifner.ts';
import { allreduceRecursiveDoubling } from './allreduce/recursive-doubling.ts';
import { alltoallBruck } from './alltoall/bruck.ts';
import { alltoallDirect } from './alltoall/direct.ts';
import { alltoallPull } from './alltoall/pull.ts';
import { alltoallvDirect } from './alltoallv/direct.ts';
import { barrierCounters } from './barrier/counters.ts';
import { barrierDissemination } from './barrier/dissemination.ts';
import { bcastBinomial } from './bcast/binomial.ts';
import { bcastExposureTree } from './bcast/exposure-tree.ts';
import { exscanDoubling } from './exscan/doubling.ts';
import { gatherBinomial } from './gather/binomial.ts';
import { gatherLinear } from './gather/linear.ts';
import { gathervBinomial } from './gatherv/binomial.ts';
import { gathervLinear } from './gatherv/linear.ts';
import { reduceBinomial, reduceBinomialOrdered } from './reduce/binomial.ts';
import { reduceHalving } from './reduce/halving.ts';
import {
  reduceScatterBlockHalving,
  reduceScatterBlockPull,
} from './reduce-scatter-block/halving.ts';
import { scanDoubling } from './scan/doubling.ts';
import { scatterBinomial } from './scatter/binomial.ts';
import { scatterLinear } from './scatter/linear.ts';
import { scattervBinomial } from './scatterv/binomial.ts';
import { scattervLinear } from './scatterv/linear.ts';

// Estimates, not yet measured on this executor: below the eager limit (16 KiB) a message is one packet, from about twice
// that on one copy out of the other's memory is cheaper than two through the channel.
const BCAST_PULL_BYTES = 32 * 1024;
const REDUCE_HALVING_BYTES = 32 * 1024;
const ALLREDUCE_HALVING_BYTES = 32 * 1024;
/** Of one block. */
const ALLGATHER_PULL_BYTES = 16 * 1024;
/** Of one block: up to here fewer messages are worth log₂(p) / 2 times the bytes. */
const ALLTOALL_BRUCK_BYTES = 256;
/** Of one block. */
const ALLTOALL_PULL_BYTES = 32 * 1024;
/**
 * Of one block: what is exposed are single blocks, and each costs the reader about 300 ns, as much as copying some
 * kilobytes.
 */
const REDUCE_SCATTER_PULL_BYTES = 16 * 1024;
/** Up to here one message to or from each rank takes as many rounds as a tree, or one more, and copies less. */
const LINEAR_RANKS = 4;

interface Choices {
  readonly algorithms: readonly Algorithm[];
  choose(situation: Situation): Algorithm;
}

function only(algorithm: Algorithm): Choices {
  return { algorithms: [algorithm], choose: () => algorithm };
}

function bySize(few: Algorithm, many: Algorithm): Choices {
  return {
    algorithms: [many, few],
    choose: ({ size }) => (size <= LINEAR_RANKS ? few : many),
  };
}

function byBytes(small: Algorithm, large: Algorithm, from: number): Choices {
  return {
    algorithms: [small, large],
    choose: ({ bytes }) => (bytes < from ? small : large),
  };
}

const CHOICES: Readonly<Record<CollectiveName, Choices>> = {
  barrier: {
    algorithms: [barrierDissemination, barrierCounters],
    choose: ({ area }) => (area ? barrierCounters : barrierDissemination),
  },
  bcast: byBytes(bcastBinomial, bcastExposureTree, BCAST_PULL_BYTES),
  reduce: {
    algorithms: [reduceBinomial, reduceBinomialOrdered, reduceHalving],
    choose({ bytes, commutative }) {
      if (bytes >= REDUCE_HALVING_BYTES) return reduceHalving;
      return commutative ? reduceBinomial : reduceBinomialOrdered;
    },
  },
  allreduce: byBytes(allreduceRecursiveDoubling, allreduceRabenseifner, ALLREDUCE_HALVING_BYTES),
  gather: bySize(gatherLinear, gatherBinomial),
  gatherv: bySize(gathervLinear, gathervBinomial),
  scatter: bySize(scatterLinear, scatterBinomial),
  scatterv: bySize(scattervLinear, scattervBinomial),
  allgather: byBytes(allgatherBruck, allgatherPull, ALLGATHER_PULL_BYTES),
  allgatherv: {
    algorithms: [allgathervBruck, allgathervPull],
    choose: ({ size, bytes }) =>
      bytes < ALLGATHER_PULL_BYTES * size ? allgathervBruck : allgathervPull,
  },
  alltoall: {
    algorithms: [alltoallDirect, alltoallBruck, alltoallPull],
    choose({ size, bytes }) {
      if (bytes >= ALLTOALL_PULL_BYTES) return alltoallPull;
      if (size > LINEAR_RANKS && bytes <= ALLTOALL_BRUCK_BYTES) return alltoallBruck;
      return alltoallDirect;
    },
  },
  alltoallv: only(alltoallvDirect),
  reduceScatterBlock: byBytes(
    reduceScatterBlockHalving,
    reduceScatterBlockPull,
    REDUCE_SCATTER_PULL_BYTES,
  ),
  scan: only(scanDoubling),
  exscan: only(exscanDoubling),
};

/** All operations, in the order of the standard's chapter. */
export const COLLECTIVES: readonly CollectiveName[] = Object.keys(CHOICES) as CollectiveName[];

/** All ways to do an operation. */
export function algorithmsOf(operation: CollectiveName): readonly Algorithm[] {
  return CHOICES[operation].algorithms;
}

/** The way to do an operation: the same on all ranks, since it depends on nothing else. */
export function choose(operation: CollectiveName, situation: Situation): Algorithm {
  return CHOICES[operation].choose(situation);
}

/** The algorithm that bears a name; undefined if none does. */
export function findAlgorithm(operation: CollectiveName, name: string): Algorithm | undefined {
  return CHOICES[operation].algorithms.find((algorithm) => algorithm.name === name);
}
