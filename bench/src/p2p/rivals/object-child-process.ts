import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type LoopPlan, warmUp } from '../../loops.ts';
import { programFile } from '../../program-file.ts';
import type { Answer } from '../protocol.ts';
import { makeRecords } from '../records.ts';
import type { Side } from '../side.ts';

/** Records to a child process and back, by IPC with `advanced` serialization: structured clone on both sides. */
export class ObjectChild implements Side {
  readonly name = 'child_process';
  readonly #records = makeRecords();
  readonly #child: ChildProcess;

  constructor() {
    const program = programFile('./object-child-program', import.meta.url);
    this.#child = fork(program, [], { serialization: 'advanced' });
  }

  async measure(loops: LoopPlan): Promise<Answer> {
    const plan = warmUp(loops);
    let step = plan.next();
    while (!step.done) step = plan.next(await this.#run(step.value));
    const iterations = step.value;
    const elapsedMs = await this.#run(iterations);
    return { meanUs: (elapsedMs * 1000) / iterations / 2 };
  }

  /** So many round trips; the result is milliseconds. */
  #run(iterations: number): Promise<number> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      let left = iterations;
      const fail = (): void => reject(new Error('child_process: the child has ended'));
      const begin = performance.now();
      const receive = (): void => {
        left -= 1;
        if (left > 0) {
          child.send(this.#records as never);
          return;
        }
        child.off('message', receive).off('exit', fail);
        resolve(performance.now() - begin);
      };
      child.on('message', receive).once('exit', fail);
      child.send(this.#records as never);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
