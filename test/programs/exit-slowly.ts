// Rank 0 exits long before rank 1 receives what it has sent.
import { world } from 'onecopy';

const LARGE = 1 << 20;
const LONG_MS = 2000;

if (world.rank === 0) {
  world.isend(new Uint8Array(LARGE), 1, 1);
  world.issend(new Uint8Array(1), 1, 2);
  process.exit(0);
}
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONG_MS);
const into = new Uint8Array(LARGE);
world.recv(into, 0, 2);
world.recv(into, 0, 1);
