// Rank 1 ends as the first argument says while the others wait, for it and for each other.
import { abort, world } from 'onecopy';

const [how, detail] = process.argv.slice(2);
const { rank } = world;

const byte = new Uint8Array(1);
try {
  if (rank === 1) {
    // The others have come as far as their wait.
    for (const other of [0, 2]) world.recv(byte, other, 1);
    if (how === 'throw') throw new Error(detail);
    if (how === 'reject') await Promise.reject(new TypeError(detail));
    if (how === 'exit') process.exit(Number(detail));
    if (how === 'signal') {
      process.kill(process.pid, detail);
      // A signal to oneself may arrive a moment later.
      for (;;);
    }
    if (how === 'abort') abort(Number(detail), 'no data');
  }
  world.send(byte, 1, 1);
  // 0 waits for 1; 2 for 0.
  world.recv(byte, rank === 0 ? 1 : 0, 7);
} catch (error) {
  if (rank === 1) throw error;
  console.log(`rank ${rank} caught ${error.code}`);
} finally {
  console.log(`rank ${rank} cleaned up`);
}
