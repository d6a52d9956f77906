// Bursts of 8-byte messages between two ranks, of which the first sleeps before it receives: so each message is there
// when it is asked for, and no instruction is spent on waiting.
import { world } from 'onecopy';

const BURST = 64;
const bursts = Number(process.argv[2]);
const out = new Float64Array(1);
const into = new Float64Array(1);
const clock = new Int32Array(new SharedArrayBuffer(4));

function send() {
  for (let i = 0; i < BURST; i++) world.send(out, 1 - world.rank, 7);
}
function receive() {
  for (let i = 0; i < BURST; i++) world.recv(into, 1 - world.rank, 7);
}

for (let burst = 0; burst < bursts; burst++) {
  if (world.rank === 0) {
    Atomics.wait(clock, 0, 0, 2);
    receive();
    send();
  } else {
    send();
    receive();
  }
}
