// Arrays that are disposed of while operations work on them: those end as if nothing had happened, and nobody gets the
// memory before. Two ranks.
import { alloc, MpiError, type Request, SUM, waitAll, world } from 'onecopy';

const { rank } = world;
const other = 1 - rank;
const LENGTH = 300_000;

function check(right: boolean, what: string): void {
  if (!right) throw new Error(`rank ${rank}: ${what}`);
}

function expectFreed(what: string, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    check(error instanceof MpiError && error.code === 'ERR_FREED', `${what}: ${error}`);
    check(/dispose/i.test((error as Error).message), `${what}: ${error}`);
    return;
  }
  throw new Error(`rank ${rank}: ${what} went through`);
}

// Not a byte of it reaches the receiver before its memory could be somebody else's.
for (const length of [100, LENGTH]) {
  if (rank === 0) {
    const array = alloc(Int32Array, length).fill(7);
    const sending = world.isend(array, 1, 1);
    array[Symbol.dispose]();
    check(array.length === 0, 'still has elements');
    expectFreed('isend', () => world.isend(array, 1, 1));
    for (let i = 0; i < 50; i++) alloc(Int32Array, length).fill(9);
    world.send(new Uint8Array(1), 1, 2);
    sending.wait();
  } else {
    world.recv(new Uint8Array(1), 0, 2);
    const got = new Int32Array(length);
    world.recv(got, 0, 1);
    check(
      got.every((value) => value === 7),
      `received ${got.find((value) => value !== 7)}`,
    );
  }
}

// A receive: what arrives is lost, and written over nobody's memory.
if (rank === 0) {
  const array = alloc(Int32Array, LENGTH);
  const receiving = world.irecv(array, 1, 3);
  array[Symbol.dispose]();
  const others = Array.from({ length: 50 }, () => alloc(Int32Array, LENGTH).fill(5));
  world.send(new Uint8Array(1), 1, 4);
  check(receiving.wait().bytes === LENGTH * 4, 'length');
  check(
    others.every((each) => each.every((value) => value === 5)),
    'written into another array',
  );
} else {
  world.recv(new Uint8Array(1), 0, 4);
  world.send(alloc(Int32Array, LENGTH).fill(8), 0, 3);
}

// Collective operations, and awaiting.
const mine = alloc(Float64Array, LENGTH).fill(rank + 1);
const sums = alloc(Float64Array, LENGTH);
const again = alloc(Float64Array, LENGTH);
const requests: Request<unknown>[] = [
  world.iallreduce(mine, sums, SUM),
  world.iallreduce(mine, again, SUM),
];
mine[Symbol.dispose]();
again[Symbol.dispose]();
const noise = Array.from({ length: 20 }, () => alloc(Float64Array, LENGTH).fill(99));
await Promise.all(requests);
check(
  sums.every((value) => value === 3),
  'iallreduce',
);
check(
  noise.every((each) => each.every((value) => value === 99)),
  'noise',
);

expectFreed('send', () => world.send(mine, other));
expectFreed('recv', () => world.recv(mine, other));
expectFreed('described', () => world.send({ data: mine, count: 4 }, other));
expectFreed('allreduce', () => world.allreduce(mine, sums, SUM));
expectFreed('bcast', () => world.bcast(mine, 0));
expectFreed('iallreduce', () => world.iallreduce(mine, sums, SUM));

// All of them are whole again.
waitAll([world.isend(sums, other, 9), world.irecv(alloc(Float64Array, LENGTH), other, 9)]);
world.barrier();
console.log(`rank ${rank} done`);
