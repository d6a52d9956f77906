// Two ranks, each of which sends a flood before it receives any of the other's: without progress inside of blocking
// calls both would stand still.
import { waitAll, world } from 'onecopy';

const { rank } = world;
const other = 1 - rank;

function check(buffer: Uint8Array, value: number): void {
  if (!buffer.every((byte) => byte === value % 251)) throw new Error(`message ${value} is damaged`);
}

function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value % 251);
}

// 1000 messages of 64 KiB each way at the same time: far more than a socket holds.
{
  const sending = Array.from({ length: 1000 }, (_, i) => world.isend(filled(65536, i), other, 1));
  const incoming = new Uint8Array(65536);
  for (let i = 0; i < 1000; i++) {
    world.recv(incoming, other, 1);
    check(incoming, i);
  }
  waitAll(sending);
}

// Head to head: blocking sends of small messages, more than a socket holds, before either side receives.
for (const bytes of [0, 8, 4096, 8192]) {
  for (let i = 0; i < 2000; i++) world.send(filled(bytes, i), other, 2);
  const incoming = new Uint8Array(bytes);
  for (let i = 0; i < 2000; i++) {
    world.recv(incoming, other, 2);
    check(incoming, i);
  }
}

// A receive that is posted for the last message of a flood takes nothing else.
{
  const last = new Uint8Array(8);
  const request = world.irecv(last, other, 4);
  for (let i = 0; i < 2000; i++) world.send(filled(1024, i), other, 3);
  world.send(filled(8, 77), other, 4);
  request.wait();
  check(last, 77);
  const incoming = new Uint8Array(1024);
  for (let i = 0; i < 2000; i++) {
    world.recv(incoming, other, 3);
    check(incoming, i);
  }
}

// Large ones both ways by blocking calls that do both.
for (let i = 0; i < 100; i++) {
  const incoming = new Uint8Array(1 << 20);
  world.sendrecv(filled(1 << 20, i), other, 5, incoming, other, 5);
  check(incoming, i);
}
world.barrier();
console.log(`rank ${rank} done`);
