import { describe, expect, test } from 'vitest';
import { algorithmsOf, COLLECTIVES, type CollectiveName, findAlgorithm } from '../src/index.ts';
import { type Problem, roundsOf, totalOf, trace, trafficOf } from '../src/simulator/index.ts';

// What each algorithm sends, pulls and combines, against closed formulas for p ranks: what docs/algorithms.md says must
// be what the schedules do.

const ELEMENT_BYTES = 4;
/** Divisible by every power of two up to the largest size, so that parts of a message are equal. */
const COUNT = 128;
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 31, 32, 33];

interface Shape {
  readonly p: number;
  /** ⌈log₂ p⌉ */
  readonly log: number;
  /** The largest power of two up to p, its logarithm, and how many ranks there are more. */
  readonly power: number;
  readonly halvings: number;
  readonly surplus: number;
  /** How many messages all ranks' blocks need to come to position 0 of a binomial tree, in all. */
  readonly hops: number;
  readonly root: number;
}

/** In units of blocks, except for bytes of lengths. */
interface Expected {
  readonly messages: number;
  readonly sent?: number;
  readonly lengthBytes?: number;
  readonly pulled?: number;
  readonly reduced?: number;
  readonly rounds: number;
  /** `rounds` is only the most there can be. */
  readonly atMost?: boolean;
}

function shapeOf(p: number, root: number): Shape {
  const halvings = Math.floor(Math.log2(p));
  const power = 2 ** halvings;
  const log = p === 1 ? 0 : Math.ceil(Math.log2(p));
  let hops = 0;
  for (let position = 1; position < p; position += 1) hops += onesIn(position);
  return { p, log, power, halvings, surplus: p - power, hops, root };
}

function onesIn(value: number): number {
  return value === 0 ? 0 : (value & 1) + onesIn(value >> 1);
}

/** Sums over the distances 1, 2, 4 … below p. */
function overDistances(p: number, term: (distance: number) => number): number {
  let sum = 0;
  for (let distance = 1; distance < p; distance *= 2) sum += term(distance);
  return sum;
}

const tree = ({ p, log }: Shape): Expected => ({ messages: p - 1, sent: p - 1, rounds: log });
const linear = ({ p }: Shape): Expected => ({ messages: p - 1, sent: p - 1, rounds: p - 1 });
const allPairs = ({ p }: Shape): Expected => ({
  messages: p * (p - 1),
  sent: p * (p - 1),
  rounds: p - 1,
});
const allPairsPulled = ({ p }: Shape): Expected => ({
  messages: p * (p - 1),
  pulled: p * (p - 1),
  rounds: p - 1,
});
const bruck = ({ p, log }: Shape): Expected => ({
  messages: p * log,
  sent: p * (p - 1),
  rounds: log,
});
const halved = ({ p, power, halvings, surplus }: Shape): number =>
  surplus * p + (halvings === 0 ? 0 : p * (power - 1));

const FORMULAS: Partial<Record<CollectiveName, Record<string, (shape: Shape) => Expected>>> = {
  barrier: {
    dissemination: ({ p, log }) => ({ messages: p * log, rounds: log }),
    counters: ({ log }) => ({ messages: 0, rounds: log }),
    // The tracer's clock takes one word after the other.
    flat: ({ p }) => ({ messages: 0, rounds: p - 1 }),
  },
  bcast: {
    binomial: tree,
    'exposure-tree': ({ p }) => {
      // A source tells its readers one after the other, the last one hears of it last.
      let rounds = 0;
      for (let weight = 1; weight < p; weight *= 4) {
        rounds += Math.min(3, Math.floor((p - 1) / weight));
      }
      return { messages: p - 1, pulled: p - 1, rounds };
    },
  },
  reduce: {
    binomial: (shape) => ({ ...tree(shape), reduced: shape.p - 1 }),
    'binomial-ordered': (shape) => {
      const more = shape.root === 0 ? 0 : 1;
      const { p, log } = shape;
      return { messages: p - 1 + more, sent: p - 1 + more, reduced: p - 1, rounds: log + more };
    },
    halving: ({ p, power, halvings, surplus }) => ({
      messages: surplus + power * halvings + power - 1,
      pulled: surplus + power - 1 + halvings / 2,
      reduced: p - 1,
      rounds: 2 * halvings + (surplus > 0 ? 1 : 0),
    }),
  },
  allreduce: {
    'recursive-doubling': ({ power, halvings, surplus }) => ({
      messages: power * halvings + 2 * surplus,
      sent: power * halvings + 2 * surplus,
      reduced: power * halvings + surplus,
      rounds: halvings + (surplus > 0 ? 2 : 0),
    }),
    rabenseifner: ({ p, power, halvings, surplus }) => ({
      messages: 2 * power * halvings + 2 * surplus,
      pulled: 2 * (power - 1) + 2 * surplus,
      reduced: p - 1,
      rounds: 2 * halvings + (surplus > 0 ? 2 : 0),
    }),
  },
  gather: { linear, binomial: (shape) => ({ ...tree(shape), sent: shape.hops }) },
  scatter: { linear, binomial: (shape) => ({ ...tree(shape), sent: shape.hops }) },
  gatherv: {
    linear,
    // Lengths go all the way but the last hop.
    binomial: (shape) => ({
      messages: 2 * (shape.p - 1) - shape.log,
      sent: shape.hops,
      lengthBytes: 8 * (shape.hops - (shape.p - 1)),
      rounds: 2 * shape.log,
      atMost: true,
    }),
  },
  scatterv: {
    linear,
    // Leaves need no lengths.
    binomial: (shape) => {
      const leaves = Math.floor(shape.p / 2) + (shape.p % 2 === 1 && shape.p > 1 ? 1 : 0);
      return {
        messages: 2 * (shape.p - 1) - leaves,
        sent: shape.hops,
        lengthBytes: 8 * (shape.hops - leaves),
        rounds: 2 * shape.log,
        atMost: true,
      };
    },
  },
  allgather: { bruck, pull: allPairsPulled },
  allgatherv: { bruck, pull: allPairsPulled },
  alltoall: {
    direct: allPairs,
    pull: allPairsPulled,
    bruck: ({ p, log, hops }) => ({ messages: p * log, sent: p * hops, rounds: log }),
  },
  alltoallv: { direct: allPairs },
  reduceScatterBlock: {
    halving: (shape) => ({
      messages: shape.power * shape.halvings + 2 * shape.surplus,
      sent: halved(shape) + shape.surplus,
      reduced: shape.p * (shape.p - 1),
      rounds: shape.halvings + (shape.surplus > 0 ? 2 : 0),
    }),
    'halving-pull': (shape) => ({
      messages: shape.power * shape.halvings + 2 * shape.surplus,
      pulled: halved(shape),
      sent: shape.surplus,
      reduced: shape.p * (shape.p - 1),
      rounds: shape.halvings + (shape.surplus > 0 ? 2 : 0),
    }),
  },
  scan: {
    doubling: ({ p, log }) => {
      const messages = overDistances(p, (distance) => p - distance);
      return { messages, sent: messages, reduced: messages, rounds: log };
    },
  },
  exscan: {
    doubling: ({ p, log }) => {
      const messages = overDistances(p, (distance) => p - distance);
      const results = overDistances(p, (distance) => (distance === 1 ? 0 : p - distance));
      const sentOn = overDistances(p, (distance) => Math.max(0, p - 3 * distance));
      return { messages, sent: messages, reduced: results + sentOn, rounds: log };
    },
  },
};

describe.each(COLLECTIVES)('%s', (operation) => {
  test.each(algorithmsOf(operation).map(({ name }) => name))('%s', (name) => {
    const algorithm = findAlgorithm(operation, name);
    const formula = FORMULAS[operation]?.[name];
    if (algorithm === undefined || formula === undefined) throw new Error(`no formula for ${name}`);
    for (const size of SIZES) {
      for (const root of new Set([0, size - 1])) {
        const count = operation === 'barrier' ? 0 : COUNT;
        const problem: Problem = { operation, size, root, count, inPlace: false, equal: true };
        const run = trace(algorithm, problem, { elementBytes: ELEMENT_BYTES });
        const total = totalOf(trafficOf(run));
        const expected = formula(shapeOf(size, root));
        const block = count * ELEMENT_BYTES;
        const rounds = roundsOf(run);
        if (expected.atMost) expect(rounds).toBeLessThanOrEqual(expected.rounds);
        expect({
          size,
          root,
          messages: total.messages,
          sent: total.sentBytes,
          pulled: total.pulledBytes,
          reduced: total.reducedBytes,
          rounds,
        }).toEqual({
          size,
          root,
          messages: expected.messages,
          sent: (expected.sent ?? 0) * block + (expected.lengthBytes ?? 0),
          pulled: (expected.pulled ?? 0) * block,
          reduced: (expected.reduced ?? 0) * block,
          rounds: expected.atMost ? rounds : expected.rounds,
        });
      }
    }
  });
});
