// Communicators that are made of others, on any number of ranks: node communicators-cases.ts seed. Each rank writes a line
// of JSON.
import {
  ANY_SOURCE,
  ANY_TAG,
  CONGRUENT,
  Communicator,
  dimsCreate,
  type Group,
  IDENT,
  PROC_NULL,
  SIMILAR,
  SUM,
  self,
  UNDEFINED,
  UNEQUAL,
  waitAll,
  world,
} from 'onecopy';
import { Random } from '../support/random.ts';

export interface Report {
  readonly rank: number;
  readonly cases: number;
}

const { rank, size } = world;
const [seed = 0] = process.argv.slice(2).map(Number);

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function same(got: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  must(a === b, `${what}: ${a}, not ${b}`);
}

/** World ranks of its members, heard from themselves. */
function members(comm: Communicator): number[] {
  return [...comm.allgather(Int32Array.of(rank))];
}

/** Every member sends to every other one, and the sum of all is what it must be. */
function prove(comm: Communicator, expected: readonly number[], what: string): void {
  same(comm.size, expected.length, `${what}: size`);
  same(comm.rank, expected.indexOf(rank), `${what}: rank`);
  same(members(comm), expected, `${what}: members`);
  same(comm.allreduce(rank, SUM), sum(expected), `${what}: allreduce`);
  const above = (comm.rank + 1) % comm.size;
  const below = (comm.rank - 1 + comm.size) % comm.size;
  const got = new Int32Array(1);
  const receiving = comm.irecv(got, ANY_SOURCE, 5);
  comm.isend(Int32Array.of(comm.rank), above, 5).wait();
  const { source } = receiving.wait();
  same([source, got[0]], [below, below], `${what}: source`);
  comm.barrier();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

const everybody = [...Array(size).keys()];

/** The same on all ranks: of each what it passes to split. */
function colorsAndKeys(random: Random, count: number): { color: number; key: number }[] {
  const colors = 1 + random.below(4);
  return Array.from({ length: count }, () => {
    const color = random.below(colors + 1) - 1;
    return { color: color < 0 ? UNDEFINED : color * 1000, key: random.below(5) - 2 };
  });
}

/** A part of some ranks in any order, not empty. */
function partOf(random: Random, ranks: readonly number[]): number[] {
  const rest = [...ranks];
  const part: number[] = [];
  for (let left = 1 + random.below(rest.length); left > 0; left -= 1) {
    part.push(...rest.splice(random.below(rest.length), 1));
  }
  return part;
}

const CASES: Readonly<Record<string, () => void | Promise<void>>> = {
  'a duplicate is apart from what it was made of'() {
    const copy = world.dup();
    same(copy.compare(world), CONGRUENT, 'compare');
    same(copy.compare(copy), IDENT, 'compare with itself');
    prove(copy, everybody, 'dup');
    const other = (rank + 1) % size;
    const first = Int32Array.of(1);
    const second = Int32Array.of(2);
    const sending = [copy.isend(first, other, 3), world.isend(second, other, 3)];
    const got = new Int32Array(1);
    world.recv(got, ANY_SOURCE, ANY_TAG);
    same(got[0], 2, 'in world');
    same(world.iprobe(), undefined, 'left in world');
    copy.recv(got);
    same(got[0], 1, 'in the duplicate');
    waitAll(sending);
    copy.free();
  },

  'names stand in messages'() {
    const copy = world.dup();
    same(copy.name, 'world.dup()', 'name');
    copy.name = 'my library';
    same(copy.name, 'my library', 'name');
    let message = '';
    try {
      copy.send(new Uint8Array(1), size);
    } catch (error) {
      message = String(error);
    }
    must(message.includes('not a rank of my library'), message);
    try {
      copy.bcast(new Uint8Array(1), size);
    } catch (error) {
      message = String(error);
    }
    must(message.includes('not a rank of my library'), message);
    copy.free();
  },

  'parts by color and key are those of a model, also of parts of parts'() {
    for (let round = 0; round < 12; round += 1) {
      const random = new Random(seed, 1, round);
      let comm: Communicator | undefined = world;
      let within = everybody;
      for (let depth = 0; comm !== undefined && depth < 4; depth += 1) {
        const given = colorsAndKeys(new Random(random.next(), depth, within[0]!), within.length);
        const { color, key } = given[comm.rank]!;
        const part: Communicator | undefined = comm.split(color, key);
        const before = within;
        const expected = [...given.keys()]
          .filter((each) => given[each]!.color === color && color !== UNDEFINED)
          .sort((a, b) => given[a]!.key - given[b]!.key || a - b)
          .map((each) => before[each]!);
        same(part === undefined, color === UNDEFINED, `round ${round}: undefined`);
        if (part !== undefined) prove(part, expected, `round ${round}, depth ${depth}`);
        if (comm !== world) comm.free();
        comm = part;
        within = expected;
      }
      if (comm !== undefined && comm !== world) comm.free();
    }
    same(world.split(UNDEFINED), undefined, 'nobody');
  },

  'all share memory'() {
    const shared = world.splitType('shared', -rank)!;
    prove(shared, [...everybody].reverse(), 'shared');
    same(
      world.splitType(rank === 0 ? UNDEFINED : 'shared')?.size,
      rank === 0 ? undefined : size - 1,
      'part',
    );
    shared.free();
  },

  'groups: one for all, several apart, none'() {
    const reversed = world.group.rangeIncl([[size - 1, 0, -1]]);
    const backwards = world.create(reversed)!;
    prove(backwards, [...everybody].reverse(), 'reversed');
    same(backwards.compare(world), size === 1 ? CONGRUENT : SIMILAR, 'compare');
    // A group of what was made of a group.
    const again = backwards.create(backwards.group.incl([0]));
    same(again === undefined, rank !== size - 1, 'the last alone');
    if (again !== undefined && size > 1) same(again.compare(world), UNEQUAL, 'compare');
    const half = Math.ceil(size / 2);
    const low = everybody.filter((each) => each < half);
    const high = everybody.filter((each) => each >= half).reverse();
    const mine = rank < half ? low : high;
    const part = world.create(world.group.incl(mine))!;
    prove(part, mine, 'halves');
    const without = world.create(world.group.excl([0]));
    same(without === undefined, rank === 0, 'without 0');
    if (without !== undefined) prove(without, everybody.slice(1), 'without 0');
    same(world.create(world.group.incl([])), undefined, 'of nobody');
  },

  'by their members alone, many at once, overlapping, with tags'() {
    const random = new Random(seed, 2);
    const groups = Array.from({ length: 30 }, () => partOf(random, everybody));
    // A message that any wildcard would take.
    const got = new Int32Array(1);
    const pending = world.irecv(got, ANY_SOURCE, ANY_TAG);
    const made = groups.map((ranks, tag) =>
      ranks.includes(rank) ? world.createGroup(world.group.incl(ranks), tag % 3) : undefined,
    );
    for (const [each, comm] of made.entries()) {
      if (comm !== undefined) prove(comm, groups[each]!, `group ${each}`);
    }
    const sending = world.isend(Int32Array.of(rank), (rank + 1) % size, 9);
    // What makes communicators has other tags.
    const { source, tag } = pending.wait();
    same(
      [source, tag, got[0]],
      [(rank - 1 + size) % size, 9, source],
      'what the wildcard has taken',
    );
    sending.wait();
    for (const comm of made) comm?.free();
  },

  'several duplicates in flight, and other operations between them'() {
    return inFlight();
  },

  '200 at once, with messages in all of them'() {
    const random = new Random(seed, 3);
    const all: [Communicator, readonly number[]][] = [];
    for (let each = 0; each < 200; each += 1) {
      if (each % 3 === 0) {
        all.push([world.dup(), everybody]);
        continue;
      }
      const given = everybody.map(() => random.below(2));
      const comm = world.split(given[rank]!)!;
      all.push([comm, everybody.filter((other) => given[other] === given[rank])]);
    }
    const requests = all.flatMap(([comm], each) => {
      const above = (comm.rank + 1) % comm.size;
      const incoming = new Int32Array(1);
      return [
        comm.irecv(incoming, ANY_SOURCE, ANY_TAG).then(({ source }) => {
          same([source, incoming[0]], [(comm.rank - 1 + comm.size) % comm.size, each], 'message');
        }),
        comm.isend(Int32Array.of(each), above, each),
        comm.iallreduce(each, SUM).then((total) => same(total, each * comm.size, 'sum')),
      ];
    });
    return Promise.all(requests).then(() => {
      for (const [comm] of all) comm.free();
    });
  },

  'what is pending at the end goes on'() {
    const comm = world.split(0, -rank)!;
    const below = (comm.rank - 1 + comm.size) % comm.size;
    const above = (comm.rank + 1) % comm.size;
    const got = new Float64Array(40_000);
    const receiving = comm.irecv(got, ANY_SOURCE, 1);
    const sending = comm.isend(new Float64Array(40_000).fill(comm.rank), above, 1);
    const summing = comm.iallreduce(rank, SUM);
    const { size: members } = comm;
    comm.free();
    same(comm.isFreed, true, 'isFreed');
    same(summing.wait(), sum(everybody), 'sum');
    const { source } = receiving.wait();
    same([source, got[7]], [below, below], 'source');
    sending.wait();
    same(members, size, 'size');
  },

  'attributes go where their keys say'() {
    const deleted: string[] = [];
    const note = (value: string, from: unknown): void => {
      deleted.push(`${value} of ${(from as Communicator).name}`);
    };
    const plain = Communicator.createKey<string>({ delete: note });
    const shared = Communicator.createKey<string>({ copy: 'dup', delete: note });
    const counted = Communicator.createKey<number>({ copy: (value) => value + 1 });
    const fickle = Communicator.createKey<number>({ copy: () => undefined });
    const comm = world.dup();
    comm.name = 'a';
    comm.setAttr(plain, 'one');
    comm.setAttr(shared, 'two');
    comm.setAttr(counted, 1);
    comm.setAttr(fickle, 1);
    const copy = comm.dup();
    copy.name = 'b';
    same(
      [copy.getAttr(plain), copy.getAttr(shared), copy.getAttr(counted), copy.getAttr(fickle)],
      [undefined, 'two', 2, undefined],
      'copies',
    );
    same(comm.split(0)?.getAttr(shared), undefined, 'of a part');
    same(comm.deleteAttr(counted), true, 'deleted');
    same(comm.deleteAttr(counted), false, 'deleted twice');
    same(comm.getAttr(counted), undefined, 'after it');
    comm.setAttr(plain, 'three');
    same(deleted, ['one of a'], 'replaced');
    copy.free();
    comm.free();
    same(deleted, ['one of a', 'two of b', 'three of a', 'two of a'], 'in the end');
  },

  'grids are those of a model'() {
    for (const dims of [[size], [1, size], dimsCreate(size, 2), dimsCreate(size, 3), []]) {
      const count = dims.reduce((a, b) => a * b, 1);
      for (const periods of [false, true]) {
        const grid = world.createCart(dims, { periods, reorder: true });
        same(grid === undefined, rank >= count, 'undefined');
        if (grid === undefined) continue;
        same([grid.dims, grid.periods], [dims, dims.map(() => periods)], 'grid');
        prove(grid, everybody.slice(0, count), 'grid');
        for (const each of everybody.slice(0, count)) {
          same(grid.rankOf(grid.coords(each)), each, `coordinates of ${each}`);
        }
        const coords = grid.coords();
        for (const [direction, extent] of dims.entries()) {
          for (const disp of [-extent - 1, -1, 0, 1, extent]) {
            const at = (by: number): number => {
              const moved = [...coords];
              moved[direction]! += by;
              const inside = moved[direction]! >= 0 && moved[direction]! < extent;
              return inside || periods ? grid.rankOf(moved) : PROC_NULL;
            };
            same(grid.shift(direction, disp), { source: at(-disp), dest: at(disp) }, 'shift');
          }
          const got = Int32Array.of(-1);
          const { source, dest } = grid.shift(direction, 1);
          grid.sendrecv(Int32Array.of(grid.rank), dest, 1, got, source, 1);
          same(got[0], source === PROC_NULL ? -1 : source, 'shifted');
          const line = grid.sub(dims.map((_, each) => each === direction));
          same([line.dims, line.rank], [[extent], coords[direction]], 'line');
          const rest = grid.sub(dims.map((_, each) => each !== direction));
          same(
            rest.coords(),
            coords.filter((_, each) => each !== direction),
            'rest',
          );
          line.free();
          rest.free();
        }
        const copy = grid.dup();
        same([copy.dims, copy.coords()], [grid.dims, grid.coords()], 'duplicate');
      }
    }
  },

  'graphs: each names its own edges, or any those of any'() {
    const above = (rank + 1) % size;
    const below = (rank - 1 + size) % size;
    const ring = world.createDistGraphAdjacent([below], [above, above], {
      sourceWeights: [below],
      destWeights: [rank, 2 * rank],
    });
    same(ring.neighborsCount, { indegree: 1, outdegree: 2, weighted: true }, 'counts');
    same(
      ring.neighbors,
      {
        sources: [below],
        dests: [above, above],
        sourceWeights: [below],
        destWeights: [rank, 2 * rank],
      },
      'neighbors',
    );
    prove(ring, everybody, 'ring');
    same(ring.dup().neighbors, ring.neighbors, 'duplicate');
    const random = new Random(seed, 4);
    const edges = Array.from({ length: 3 * size }, () => ({
      by: random.below(size),
      source: random.below(size),
      dest: random.below(size),
      weight: random.below(9),
    }));
    const mine = edges.filter(({ by }) => by === rank);
    for (const weighted of [true, false]) {
      const graph = world.createDistGraph(
        mine.map(({ source }) => source),
        mine.map(() => 1),
        mine.map(({ dest }) => dest),
        weighted ? { weights: mine.map(({ weight }) => weight) } : {},
      );
      const ordered = everybody.flatMap((by) => edges.filter((edge) => edge.by === by));
      const incoming = ordered.filter(({ dest }) => dest === rank);
      const outgoing = ordered.filter(({ source }) => source === rank);
      same(
        graph.neighbors.sources,
        incoming.map(({ source }) => source),
        'sources',
      );
      same(
        graph.neighbors.dests,
        outgoing.map(({ dest }) => dest),
        'destinations',
      );
      same(
        graph.neighbors.sourceWeights,
        weighted ? incoming.map(({ weight }) => weight) : undefined,
        'weights',
      );
      same(graph.neighborsCount.weighted, weighted, 'weighted');
      prove(graph, everybody, 'graph');
    }
    // A source with several destinations, named by one rank alone.
    const star = world.createDistGraph(
      rank === 0 ? [0] : [],
      rank === 0 ? [size] : [],
      rank === 0 ? everybody : [],
    );
    same(star.neighbors.dests, rank === 0 ? everybody : [], 'star');
    same(star.neighbors.sources, [0], 'star');
  },

  'self has all of this too'() {
    const copy = self.dup();
    prove(copy, [rank], 'dup of self');
    const part = self.split(7)!;
    prove(part, [rank], 'part of self');
    prove(self.createGroup(self.group), [rank], 'group of self');
    same(self.createCart([1], { periods: true })!.shift(0, 3), { source: 0, dest: 0 }, 'grid');
  },

  'groups of communicators translate ranks'() {
    const reversed = world.split(0, -rank)!;
    const back: Group = reversed.group;
    same(back.translateRanks(everybody, world.group), [...everybody].reverse(), 'translated');
    same(back.rank, size - 1 - rank, 'rank');
    reversed.free();
    same(back.size, size, 'a group outlives its communicator');
  },
};

async function inFlight(): Promise<void> {
  const duplicating = Array.from({ length: 5 }, () => world.idup());
  const barrier = world.ibarrier();
  const total = world.allreduce(1, SUM);
  same(total, size, 'sum');
  await barrier;
  const copies = await Promise.all(duplicating);
  for (const copy of [...copies].reverse()) prove(copy, everybody, 'idup');
  const waited = world.idup().wait();
  prove(waited, everybody, 'idup, wait');
  for (const copy of [...copies, waited]) copy.free();
  const brief = world.split(0, -rank)!;
  const after = brief.idup();
  brief.free();
  prove(await after, [...everybody].reverse(), 'idup of what was freed');
}

for (const [name, run] of Object.entries(CASES)) {
  try {
    await run();
    world.barrier();
    must(world.iprobe() === undefined, 'a message is left over');
    world.barrier();
  } catch (error) {
    throw new Error(`rank ${rank} of ${size}, seed ${seed}: ${name}`, { cause: error });
  }
}
const report: Report = { rank, cases: Object.keys(CASES).length };
console.log(JSON.stringify(report));
