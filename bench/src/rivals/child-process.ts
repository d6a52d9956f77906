import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BenchmarkName } from '../benchmarks.ts';
import type { Contestant, Task, Timing } from '../contestant.ts';
import { programFile } from '../program-file.ts';
import { Coordinator } from './coordinator.ts';
import { EventLoopRank, type Order, type Report } from './event-loop-rank.ts';

/** A bare payload is between a child and its parent; one with a rank is relayed, to it and then from it. */
export type IpcMessage = Uint8Array | readonly [rank: number, payload: Uint8Array] | Order | Report;

/**
 * `child_process` IPC with `advanced` serialisation. There is no channel between children, so the parent is rank 0 of
 * a ping-pong, which is the best this can do, and relays every message of an all-to-all among N children.
 */
export class ChildProcesses implements Contestant {
  readonly name = 'child_process';
  readonly #children: readonly ChildProcess[];
  readonly #coordinator: Coordinator;
  readonly #parentRank: EventLoopRank | undefined;
  #closing = false;

  constructor(benchmark: BenchmarkName, ranks: number) {
    const parentTakesPart = benchmark === 'pingpong';
    const file = programFile('./child-process-rank', import.meta.url);
    const first = parentTakesPart ? 1 : 0;
    const last = parentTakesPart ? 1 : ranks - 1;
    this.#children = Array.from({ length: last - first + 1 }, (_, index) =>
      fork(file, [benchmark, String(first + index), String(ranks)], { serialization: 'advanced' }),
    );

    const tell = this.#children.map((child) => (order: Order): void => {
      child.send(order);
    });
    if (parentTakesPart) {
      const [child] = this.#children;
      this.#parentRank = new EventLoopRank(
        0,
        2,
        (_, payload) => child!.send(payload),
        (report) => this.#coordinator.report(report),
      );
      const parentRank = this.#parentRank;
      tell.unshift((order) => parentRank.obey(order));
    }
    this.#coordinator = new Coordinator('child_process', tell);

    for (const [rank, child] of this.#children.entries()) {
      child.on('message', (message) => this.#receive(rank, message as IpcMessage));
      child.on('error', (error) => this.#coordinator.fail(`child ${rank}: ${error.message}`));
      child.on('exit', (code, signal) => {
        if (!this.#closing) {
          this.#coordinator.fail(`child ${rank} ended (${signal ?? `exit code ${code}`})`);
        }
      });
    }
  }

  measure(task: Task): Promise<Timing> {
    return this.#coordinator.measure(task);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }),
    );
  }

  #receive(child: number, message: IpcMessage): void {
    if (message instanceof Uint8Array) {
      this.#parentRank!.receive(1, message);
    } else if ('kind' in message) {
      this.#coordinator.report(message as Report);
    } else {
      const [dest, payload] = message;
      this.#children[dest]!.send([child, payload]);
    }
  }
}
