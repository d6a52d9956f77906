// A ping-pong of messages with checked contents; prints the counters of each rank as a line of JSON.
import { counters, world } from 'onecopy';

const bytes = Number(process.argv[2]);
const rounds = Number(process.argv[3]);
const peer = 1 - world.rank;
const out = new Uint8Array(bytes);
const into = new Uint8Array(bytes + 1);

const valueAt = (rank, round, index) => (rank * 31 + round * 7 + index * 13) & 0xff;

for (let round = 0; round < rounds; round++) {
  for (let i = 0; i < bytes; i++) out[i] = valueAt(world.rank, round, i);
  into.fill(0xee);
  if (world.rank === 0) world.send(out, peer, 1);
  world.recv(into, peer, 1);
  if (world.rank === 1) world.send(out, peer, 1);
  for (let i = 0; i < bytes; i++) {
    if (into[i] !== valueAt(peer, round, i)) {
      throw new Error(`round ${round}: byte ${i} of ${bytes} is ${into[i]}`);
    }
  }
  if (into[bytes] !== 0xee) throw new Error('written past the message');
}
console.log(JSON.stringify({ rank: world.rank, finished: Date.now(), ...counters() }));
