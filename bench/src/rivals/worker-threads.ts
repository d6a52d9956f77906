import {
  MessageChannel,
  type MessagePort,
  type TransferListItem,
  Worker,
} from 'node:worker_threads';
import type { Contestant, Task, Timing } from '../contestant.ts';
import { programFile } from '../program-file.ts';
import { Coordinator } from './coordinator.ts';
import type { Report } from './event-loop-rank.ts';

/** What a worker is started with: its way to every other rank. */
export interface WorkerStart {
  readonly rank: number;
  /** By rank; undefined for itself. */
  readonly ports: ReadonlyArray<MessagePort | undefined>;
}

/**
 * One worker thread per rank and a MessageChannel between each two; `postMessage` of a Uint8Array without a transfer
 * list, which copies it (a transfer would take the buffer away from its sender).
 */
export class WorkerThreads implements Contestant {
  readonly name = 'postMessage';
  readonly #workers: readonly Worker[];
  readonly #coordinator: Coordinator;
  #closing = false;

  constructor(ranks: number) {
    this.#workers = connectAll(ranks).map((ports, rank) => {
      const workerData: WorkerStart = { rank, ports };
      return new Worker(programFile('./worker-threads-rank', import.meta.url), {
        workerData,
        transferList: ports.filter((port): port is MessagePort & TransferListItem => !!port),
      });
    });
    this.#coordinator = new Coordinator(
      'worker_threads',
      this.#workers.map((worker) => (order) => worker.postMessage(order)),
    );
    for (const [rank, worker] of this.#workers.entries()) {
      worker.on('message', (report: Report) => this.#coordinator.report(report));
      worker.on('error', (error) => this.#coordinator.fail(`worker ${rank}: ${error.message}`));
      worker.on('exit', (code) => {
        if (!this.#closing) this.#coordinator.fail(`worker ${rank} ended with code ${code}`);
      });
    }
  }

  measure(task: Task): Promise<Timing> {
    return this.#coordinator.measure(task);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function connectAll(ranks: number): (MessagePort | undefined)[][] {
  const ports = Array.from({ length: ranks }, () =>
    new Array<MessagePort | undefined>(ranks).fill(undefined),
  );
  for (let low = 0; low < ranks; low += 1) {
    for (let high = low + 1; high < ranks; high += 1) {
      const { port1, port2 } = new MessageChannel();
      ports[low]![high] = port1;
      ports[high]![low] = port2;
    }
  }
  return ports;
}
