// Each collective operation in both forms, called by its name and once; collectives-random.ts does the rest.
import { deepStrictEqual } from 'node:assert/strict';
import { Op, SUM, world } from 'onecopy';

const { rank, size } = world;
const last = size - 1;
const ranks = Array.from({ length: size }, (_, each) => each);
const total = ranks.reduce((sum, each) => sum + each + 1, 0);
const mine = Int32Array.of(rank + 1);
const everybody = Int32Array.from(ranks, (each) => each + 1);
const counts = ranks.map(() => 1);
const empty = (): { data: Int32Array; counts: number[] } => ({
  data: new Int32Array(size),
  counts,
});

const first = Op.create<Int32Array>((left, inout) => inout.set(left));
deepStrictEqual([SUM.commute, first.commute], [true, false]);

await world.ibarrier();
deepStrictEqual(await world.ibcast(Int32Array.of(rank), last), Int32Array.of(last));
deepStrictEqual(await world.igather(mine, last), rank === last ? everybody : undefined);
deepStrictEqual(
  await world.igatherv(mine, rank === last ? empty() : undefined, last),
  rank === last ? everybody : undefined,
);
deepStrictEqual(await world.iallgather(mine), everybody);
deepStrictEqual(await world.iallgatherv(mine, empty()), everybody);
const from = rank === last ? everybody : undefined;
deepStrictEqual(await world.iscatter(from, new Int32Array(1), last), mine);
const blocks = rank === last ? { data: everybody, counts } : undefined;
deepStrictEqual(await world.iscatterv(blocks, new Int32Array(1), last), mine);
const toEach = Int32Array.from(ranks, (each) => 10 * rank + each);
const fromEach = Int32Array.from(ranks, (each) => 10 * each + rank);
deepStrictEqual(await world.ialltoall(toEach), fromEach);
deepStrictEqual(await world.ialltoallv({ data: toEach, counts }, empty()), fromEach);
deepStrictEqual(
  await world.ireduce(mine, SUM, last),
  rank === last ? Int32Array.of(total) : undefined,
);
deepStrictEqual(await world.iallreduce(mine, SUM), Int32Array.of(total));
deepStrictEqual(await world.iallreduce(mine, first), Int32Array.of(1));
deepStrictEqual(await world.ireduceScatterBlock(everybody, SUM), Int32Array.of(size * (rank + 1)));
const until = everybody.subarray(0, rank + 1).reduce((sum, each) => sum + each, 0);
deepStrictEqual(await world.iscan(mine, SUM), Int32Array.of(until));
const before = await world.iexscan(mine, SUM);
if (rank > 0) deepStrictEqual(before, Int32Array.of(until - rank - 1));

world.barrier();
deepStrictEqual(world.bcast(Int32Array.of(rank), last), Int32Array.of(last));
deepStrictEqual(world.gather(mine, last), rank === last ? everybody : undefined);
deepStrictEqual(
  world.gatherv(mine, rank === last ? empty() : undefined, last),
  rank === last ? everybody : undefined,
);
deepStrictEqual(world.allgather(mine), everybody);
deepStrictEqual(world.allgatherv(mine, empty()), everybody);
deepStrictEqual(world.scatter(from, new Int32Array(1), last), mine);
deepStrictEqual(world.scatterv(blocks, new Int32Array(1), last), mine);
deepStrictEqual(world.alltoall(toEach), fromEach);
deepStrictEqual(world.alltoallv({ data: toEach, counts }, empty()), fromEach);
deepStrictEqual(world.reduce(mine, SUM, last), rank === last ? Int32Array.of(total) : undefined);
deepStrictEqual(world.allreduce(mine, SUM), Int32Array.of(total));
deepStrictEqual(world.allreduce(mine, first), Int32Array.of(1));
deepStrictEqual(world.reduceScatterBlock(everybody, SUM), Int32Array.of(size * (rank + 1)));
deepStrictEqual(world.scan(mine, SUM), Int32Array.of(until));
const blocked = world.exscan(mine, SUM);
if (rank > 0) deepStrictEqual(blocked, Int32Array.of(until - rank - 1));
console.log(JSON.stringify({ rank }));
