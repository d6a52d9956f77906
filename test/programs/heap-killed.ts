// Rank 1 kills rank 0 while it copies from rank 0's memory. Two ranks.
import { alloc, MpiError, world } from 'onecopy';

const BYTES = 128 * 1024 * 1024;
if (world.rank === 0) {
  world.send(Int32Array.of(process.pid), 1, 1);
  world.send(alloc(Uint8Array, BYTES).fill(1), 1, 2);
} else {
  const pid = new Int32Array(1);
  world.recv(pid, 0, 1);
  const into = new Uint8Array(BYTES);
  const receiving = world.irecv(into, 0, 2);
  // Each look copies a part.
  while (into[0] === 0) receiving.test();
  process.kill(pid[0] as number, 'SIGKILL');
  try {
    receiving.wait();
    console.log('complete');
  } catch (error) {
    console.log(error instanceof MpiError ? error.code : String(error), into.at(-1));
  }
}
