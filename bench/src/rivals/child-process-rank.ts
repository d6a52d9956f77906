/** The program of one child process, see `child-process.ts`. */
import type { IpcMessage } from './child-process.ts';
import { EventLoopRank, type Order } from './event-loop-rank.ts';

const [benchmark, rank, size] = process.argv.slice(2);

const self = new EventLoopRank(
  Number(rank),
  Number(size),
  benchmark === 'pingpong'
    ? (_, payload) => process.send!(payload)
    : (dest, payload) => process.send!([dest, payload]),
  (report) => process.send!(report),
);

process.on('message', (message) => {
  const received = message as IpcMessage;
  if (received instanceof Uint8Array) self.receive(0, received);
  else if ('kind' in received) self.obey(received as Order);
  else self.receive(received[0], received[1]);
});
// The parent is gone or has no more to measure: without this a listener for signals could keep the child alive.
process.on('disconnect', () => process.exit());
