/** The program of one worker thread, see `worker-threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { EventLoopRank, type Order } from './event-loop-rank.ts';
import type { WorkerStart } from './worker-threads.ts';

const { rank, ports } = workerData as WorkerStart;

const self = new EventLoopRank(
  rank,
  ports.length,
  (dest, payload) => ports[dest]!.postMessage(payload),
  (report) => parentPort!.postMessage(report),
);

for (const [source, port] of ports.entries()) {
  port?.on('message', (payload: Uint8Array) => self.receive(source, payload));
}
parentPort!.on('message', (order: Order) => self.obey(order));
