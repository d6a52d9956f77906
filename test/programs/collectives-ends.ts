// Ranks that end before or in the middle of collective operations: node collectives-ends.ts how call. Three ranks; rank 2
// ends. Each of the others writes one line of JSON.
import { MpiError, Op, SUM, world } from 'onecopy';

export interface Report {
  readonly rank: number;
  /** Of the call; undefined if it was completed. */
  readonly code?: string;
  /** The rank that is blamed. */
  readonly peer?: number;
  readonly usable: boolean;
  /** Of the same call, made again. */
  readonly again?: string;
  /** Of the same call in the form that is awaited. */
  readonly awaited?: string;
}

const { rank } = world;
const LARGE = 40_000;
const [how = '', name = ''] = process.argv.slice(2);

const x = new Float64Array(name.startsWith('large') ? LARGE : 1).fill(1);
const blocks = new Float64Array(3 * x.length);
/** The operator that ends rank 2 the first time it is called there. */
const deadly = Op.create<Float64Array>((left, inout) => {
  if (rank === 2) end();
  for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
});

const CALLS: Readonly<Record<string, readonly [() => unknown, () => Promise<unknown>]>> = {
  barrier: [() => world.barrier(), () => world.ibarrier()],
  bcast: [() => world.bcast(x, 2), () => world.ibcast(x, 2)],
  reduce: [() => world.reduce(x, SUM), () => world.ireduce(x, SUM)],
  allreduce: [() => world.allreduce(x, SUM), () => world.iallreduce(x, SUM)],
  allgather: [() => world.allgather(x), () => world.iallgather(x)],
  alltoall: [() => world.alltoall(blocks), () => world.ialltoall(blocks)],
  operator: [() => world.allreduce(x, deadly), () => world.iallreduce(x, deadly)],
};

function end(): never {
  if (how.startsWith('killed')) process.kill(process.pid, 'SIGKILL');
  process.exit(0);
}

function errorOf(action: () => unknown): MpiError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof MpiError) return error;
    throw error;
  }
  return undefined;
}

async function rejection(promise: Promise<unknown>): Promise<MpiError | undefined> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MpiError) return error;
    throw error;
  }
  return undefined;
}

const [blocking, awaitable] = CALLS[name.replace('large ', '')]!;
// Everybody knows everybody, and the operation has been done before.
if (!name.endsWith('operator')) blocking();
world.barrier();
// And nobody is still in that barrier when rank 2 ends.
if (rank === 2) for (const other of [0, 1]) world.recv(new Uint8Array(1), other, 9);
else world.send(new Uint8Array(1), 2, 9);

if (how === 'unobserved') {
  // Rank 0 has begun what rank 2 never does, and does not ask how it went.
  if (rank === 2) end();
  if (rank === 0) {
    void awaitable();
    await world.irecv(new Uint8Array(1), 1, 5);
  } else {
    errorOf(blocking);
    world.send(new Uint8Array(1), 0, 5);
  }
} else if (rank === 2) {
  if (how.includes('before')) end();
  // Inside: begun, and not waited for.
  if (name.endsWith('operator')) blocking();
  else void awaitable().catch(() => undefined);
  end();
} else {
  try {
    const error = how.endsWith('awaited') ? await rejection(awaitable()) : errorOf(blocking);
    const { usable } = world;
    const again = errorOf(blocking)?.code;
    const awaited = (await rejection(awaitable()))?.code;
    if (how.startsWith('left')) {
      // Messages between those who are there still come.
      const other = 1 - rank;
      const got = new Int32Array(1);
      world.sendrecv(Int32Array.of(rank), other, 5, got, other, 5);
      if (got[0] !== other) throw new Error(`received ${got[0]}`);
    }
    const report: Report = {
      rank,
      usable,
      ...(error !== undefined && { code: error.code }),
      ...(error?.peer !== undefined && { peer: error.peer }),
      ...(again !== undefined && { again }),
      ...(awaited !== undefined && { awaited }),
    };
    console.log(JSON.stringify(report));
  } finally {
    console.log(`rank ${rank} cleaned up`);
  }
}
