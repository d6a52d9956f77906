// Every rank says that it is there and waits for ever: blocked in a receive, in the event loop, or computing; with
// 'deaf' it also ignores the signals that it can.
import { world } from 'onecopy';

const [how, deaf] = process.argv.slice(2);

if (deaf === 'deaf') {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => console.log(`rank ${world.rank} ignored ${signal}`));
  }
}
world.barrier();
console.log(`rank ${world.rank} of ${world.size} waits, pid ${process.pid}`);
if (how === 'recv') world.recv(new Uint8Array(1), (world.rank + 1) % world.size, 7);
if (how === 'loop') setInterval(() => {}, 1000);
if (how === 'busy') for (;;);
