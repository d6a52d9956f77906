// Small arrays live inside of the JavaScript heap, which moves them: receives into them are pending while all garbage
// is collected, and while the arrays themselves are garbage but for the request. Two ranks.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Request, type Status, waitAll, world } from 'onecopy';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const { rank } = world;
const other = 1 - rank;
const NUMBER = 200;

/** Up to 64 bytes are kept in the heap, until somebody asks for their ArrayBuffer. */
function lengthOf(i: number): number {
  return 1 + (i % 64);
}

function churn(): void {
  let waste: unknown[] = [];
  for (let i = 0; i < 20_000; i++) waste.push(new Uint8Array(i % 64));
  waste = [];
  collect();
}

if (rank === 0) {
  const kept: Uint8Array[] = [];
  const requests: Request<Status>[] = [];
  for (let i = 0; i < NUMBER; i++) {
    const buffer = new Uint8Array(lengthOf(i));
    // Every other one is known to the request alone.
    if (i % 2 === 0) kept[i] = buffer;
    requests.push(world.irecv(buffer, other, i));
  }
  churn();
  world.send(new Uint8Array(1), other, 1000);
  churn();
  const statuses = waitAll(requests);
  churn();
  for (let i = 0; i < NUMBER; i++) {
    if (statuses[i]?.bytes !== lengthOf(i))
      throw new Error(`message ${i} has ${statuses[i]?.bytes} bytes`);
    if (kept[i]?.some((byte) => byte !== i % 256)) throw new Error(`message ${i} went elsewhere`);
  }
} else {
  world.recv(new Uint8Array(1), other, 1000);
  const requests = Array.from({ length: NUMBER }, (_, i) =>
    world.isend(new Uint8Array(lengthOf(i)).fill(i % 256), other, i),
  );
  churn();
  waitAll(requests);
}

// A large one that only its request knows, and a forgotten one of which one hears.
const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));
(() => world.irecv(new Uint8Array(8), other, 2000))();
const large = world.irecv(new Uint8Array(1 << 20), other, 2001);
for (let i = 0; warnings.length === 0 && i < 100; i++) {
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}
world.barrier();
world.send(new Uint8Array(8), other, 2000);
waitAll([world.isend(new Uint8Array(1 << 20).fill(3), other, 2001), large]);
console.log(JSON.stringify({ rank, warnings }));
