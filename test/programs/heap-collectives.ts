// Collective operations on arrays from alloc, each against what it must be. Any number of ranks.
import { alloc, counters, IN_PLACE, MAX, Op, SUM, world } from 'onecopy';

const { rank, size } = world;
const total = (size * (size - 1)) / 2;

function check(right: boolean, what: string): void {
  if (!right) throw new Error(`rank ${rank}: ${what}`);
}

const add = Op.create<Float64Array>((left, inout) => {
  for (let i = 0; i < left.length; i++) inout[i] = (left[i] as number) + (inout[i] as number);
});

for (const length of [1, 1000, 5000, 70_001, 400_000]) {
  const mine = alloc(Float64Array, length);
  const into = alloc(Float64Array, length);
  const fill = (): void => {
    for (let i = 0; i < length; i++) mine[i] = i + rank;
  };
  const sums = (array: Float64Array): boolean => array.every((v, i) => v === i * size + total);

  fill();
  world.allreduce(mine, into, SUM);
  check(sums(into), `allreduce of ${length}`);
  world.allreduce(mine, into, add);
  check(sums(into), `allreduce of ${length} with an operator in JavaScript`);
  into.fill(0);
  world.reduce(mine, rank === size - 1 ? into : undefined, SUM, size - 1);
  if (rank === size - 1) check(sums(into), `reduce of ${length}`);
  world.allreduce(IN_PLACE, mine, MAX);
  check(
    mine.every((v, i) => v === i + size - 1),
    `allreduce in place of ${length}`,
  );

  fill();
  world.bcast(mine, size - 1);
  check(
    mine.every((v, i) => v === i + size - 1),
    `bcast of ${length}`,
  );

  const all = alloc(Float64Array, length * size);
  fill();
  world.allgather(mine, all);
  check(
    all.every((v, i) => v === (i % length) + Math.floor(i / length)),
    `allgather of ${length}`,
  );

  const blocks = alloc(Int32Array, length * size);
  const got = alloc(Int32Array, length * size);
  for (let i = 0; i < blocks.length; i++) blocks[i] = rank * 1000 + Math.floor(i / length);
  world.alltoall(blocks, got);
  check(
    got.every((v, i) => v === Math.floor(i / length) * 1000 + rank),
    `alltoall of ${length}`,
  );

  fill();
  const pending = world.iallreduce(mine, into, SUM);
  await pending;
  check(sums(into), `iallreduce of ${length}`);
  for (const array of [mine, into, all, blocks, got]) array[Symbol.dispose]();
}
console.log(JSON.stringify({ rank, ...counters() }));
