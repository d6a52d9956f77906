// Rank 0 serves two others by waitAny, one of whom always has something there. Three ranks.
import { waitAny, world } from 'onecopy';

const { rank } = world;
const MESSAGES = 200;

if (rank === 0) {
  const buffers = [new Int32Array(1), new Int32Array(1)];
  const receive = (index: number) => world.irecv(buffers[index] as Int32Array, index + 1, 1);
  // All has been sent, though not all of it need have come.
  world.recv(new Uint8Array(1), 1, 2);
  world.recv(new Uint8Array(1), 2, 2);
  const requests = [receive(0), receive(1)];
  let calls = 0;
  const found: number[] = [];
  for (; !found.includes(1); calls++) {
    const { index } = waitAny(requests) as { index: number };
    found.push(index);
    // Rank 2 has nothing more to say, and may have left.
    if (index === 0) requests[0] = receive(0);
  }
  console.log(JSON.stringify({ calls }));
  requests[0]?.wait();
  for (let i = calls; i < MESSAGES; i++) world.recv(buffers[0] as Int32Array, 1, 1);
} else {
  for (let i = 0; i < (rank === 1 ? MESSAGES : 1); i++) world.isend(Int32Array.of(i), 0, 1);
  world.send(new Uint8Array(1), 0, 2);
}
