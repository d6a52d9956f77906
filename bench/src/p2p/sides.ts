import type { LoopPlan } from '../loops.ts';
import { programFile } from '../program-file.ts';
import { RanksJob } from '../ranks-job.ts';
import { WorkerThreads } from '../rivals/worker-threads.ts';
import type { Figure, RivalName } from './figures.ts';
import type { Answer, Command } from './protocol.ts';
import type { ExerciseName } from './ranks/exercises.ts';
import { ObjectChild } from './rivals/object-child-process.ts';
import { PackLoop } from './rivals/pack-loop.ts';
import type { Side } from './side.ts';
import { SMALL } from './sizes.ts';

const RANKS = 2;

/** The two ranks of a figure: its own exercise, and others to compare with. */
export class OurSides {
  readonly #job: RanksJob;

  constructor(cli: string, launcherArguments: readonly string[]) {
    const program = programFile('./ranks/program', import.meta.url);
    this.#job = new RanksJob({ cli, ranks: RANKS, launcherArguments }, program);
  }

  get interruption(): RanksJob['interruption'] {
    return this.#job.interruption;
  }

  side(exercise: ExerciseName): Side {
    return {
      name: exercise,
      measure: (loops) => this.#job.command<Answer>({ exercise, loops } satisfies Command),
      close: () => undefined,
    };
  }

  close(): Promise<void> {
    return this.#job.close();
  }
}

const RIVALS: Readonly<Record<RivalName, () => Side>> = {
  postMessage: () => new PostedMessages(),
  child_process: () => new ObjectChild(),
  'C pack loop': () => new PackLoop(),
};

export function rivalsOf({ rivals }: Figure): Side[] {
  return rivals.map((name) => RIVALS[name]());
}

/** Ping-pong between two worker threads. */
class PostedMessages implements Side {
  readonly #threads = new WorkerThreads(RANKS);
  readonly name: string = this.#threads.name;

  async measure(loops: LoopPlan): Promise<Answer> {
    const { meanUs } = await this.#threads.measure({ benchmark: 'pingpong', bytes: SMALL, loops });
    return { meanUs };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
