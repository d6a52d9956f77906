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
import { barrierFlat } from './barrier/flat.ts';
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

// Measured with ONECOPY_COLL on 2 cores of a Xeon (AVX-512, Linux 6.18), socket channel, 2 and 4 ranks, float64, medians of 5,
// in microseconds; the faster one of each pair decides, and 4 ranks count for more, since few have but 2.

/** binomial / exposure-tree: 512 KiB 16 / 20 and 83 / 87; 1 MiB 49 / 36 and 240 / 200. */
const BCAST_PULL_BYTES = 1024 * 1024;
/**
 * binomial / halving: 1 MiB 101 / 116 and 333 / 353; 4 MiB 420 / 478 and 1018 / 1125: no gain up to 4 ranks, whose tree has
 * two levels. With more the tree combines all of the message ⌈log₂ p⌉ times, and halving twice.
 */
const REDUCE_HALVING_BYTES = 1024 * 1024;
const REDUCE_HALVING_RANKS = 5;
/** recursive-doubling / rabenseifner: 128 KiB 19 / 23 and 66 / 82; 256 KiB 34 / 35 and 137 / 118; 1 MiB 158 / 112, 611 / 390. */
const ALLREDUCE_HALVING_BYTES = 256 * 1024;
/** Of one block. bruck / pull: 32 KiB 6 / 9 and 28 / 39; 64 KiB 8 / 9 and 101 / 47; 256 KiB 23 / 20 and 232 / 169. */
const ALLGATHER_PULL_BYTES = 64 * 1024;
/** Of one block: up to here fewer messages are worth log₂(p) / 2 times the bytes. An estimate. */
const ALLTOALL_BRUCK_BYTES = 256;
/** Of one block. direct / pull: 16 KiB 7 / 15 and 56 / 35; 32 KiB 17 / 11 and 34 / 34; 128 KiB 15 / 14 and 71 / 66. */
const ALLTOALL_PULL_BYTES = 32 * 1024;
/** Of one block. halving / halving-pull: 1 MiB 134 / 154 and 710 / 760; 4 MiB 460 / 494 and 2491 / 2485. */
const REDUCE_SCATTER_PULL_BYTES = 4 * 1024 * 1024;
/** Up to here one message to or from each rank takes as many rounds as a tree, or one more, and copies less. */
const LINEAR_RANKS = 4;
/** On 2 cores a flat barrier of 8 ranks took 25 to 40 µs and one in rounds 42 to 48, of 4 ranks 4 to 10 and 6 to 12. */
const FLAT_RANKS = 8;

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
    algorithms: [barrierDissemination, barrierCounters, barrierFlat],
    choose: ({ area, size }) =>
      area ? (size <= FLAT_RANKS ? barrierFlat : barrierCounters) : barrierDissemination,
  },
  bcast: byBytes(bcastBinomial, bcastExposureTree, BCAST_PULL_BYTES),
  reduce: {
    algorithms: [reduceBinomial, reduceBinomialOrdered, reduceHalving],
    choose({ size, bytes, commutative }) {
      if (bytes >= REDUCE_HALVING_BYTES && size >= REDUCE_HALVING_RANKS) return reduceHalving;
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
