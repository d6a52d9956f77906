// Items of a datatype in the calls that exchange, replace, wait for their receive or go round by round. Two ranks.
import { Datatype, DOUBLE, startAll, waitAll, world } from 'onecopy';

const { rank } = world;
const other = 1 - rank;
const ELEMENTS = 20_000;

const every = Datatype.vector(ELEMENTS, 1, 2, DOUBLE);
const data = new Float64Array(2 * ELEMENTS).fill(rank + 1);
const room = new Float64Array(2 * ELEMENTS);
const outgoing = { data, count: 1, datatype: every };
const incoming = { data: room, count: 1, datatype: every };

function clear(): void {
  room.fill(-1);
}

function check(value: number, what: string): void {
  const at = room.findIndex((each, i) => each !== (i % 2 === 0 ? value : -1));
  if (at !== -1) throw new Error(`rank ${rank}, ${what}: element ${at} is ${room[at]}`);
}

const sending = world.sendInit(outgoing, other, 3);
const receiving = world.recvInit(incoming, other, 3);
for (let round = 0; round < 5; round++) {
  clear();
  waitAll(startAll([receiving, sending]));
  check(other + 1, `round ${round}`);
}

clear();
world.isendrecv(outgoing, other, 1, incoming, other, 1).wait();
check(other + 1, 'isendrecv');

clear();
for (let i = 0; i < room.length; i += 2) room[i] = rank;
world.sendrecvReplace(incoming, other, 1, other, 1);
check(other, 'sendrecvReplace');
await world.isendrecvReplace(incoming, other, 1, other, 1);
check(rank, 'isendrecvReplace');
const few = { data: room, count: 1, datatype: Datatype.vector(3, 1, 2, DOUBLE) };
world.sendrecvReplace(few, other, 1, other, 1);
if ([0, 2, 4].some((i) => room[i] !== other) || room[6] !== rank) throw new Error('a short one');

for (const call of ['ssend', 'issend'] as const) {
  if (rank === 0) world[call](outgoing, 1, 9)?.wait();
  else {
    clear();
    world.recv(incoming, 0, 9);
    check(1, call);
  }
}
world.barrier();
console.log(`rank ${rank} done`);
