import type { Contestant, Task, Timing } from './contestant.ts';
import { programFile } from './program-file.ts';
import type { Answer, Command } from './protocol.ts';
import { RanksJob, type RanksPlan } from './ranks-job.ts';

/** What a job is started with, and what holds for every measurement in it. */
export interface JobPlan
  extends RanksPlan,
    Pick<Command, 'buffers' | 'processors' | 'offCacheBytes'> {
  /** What carries envelopes, by these arguments. */
  readonly channel?: string;
}

/** What `onecopy run` takes when it is told nothing. */
export const DEFAULT_CHANNEL = 'ring';

export type Question = Pick<Command, 'benchmark' | 'bytes' | 'loops' | 'check' | 'corruption'>;

/** The ranks of a benchmark. */
export class LaunchedRanks extends RanksJob implements Contestant {
  readonly name = 'onecopy';
  readonly #everywhere: Pick<Command, 'channel' | 'buffers' | 'processors' | 'offCacheBytes'>;

  constructor({ channel = DEFAULT_CHANNEL, ...plan }: JobPlan) {
    super(plan, programFile('./ranks/program', import.meta.url));
    const { buffers, processors, offCacheBytes } = plan;
    this.#everywhere = {
      channel,
      ...(buffers && { buffers }),
      ...(processors && { processors }),
      ...(offCacheBytes !== undefined && { offCacheBytes }),
    };
  }

  async measure(task: Task): Promise<Timing> {
    const { record } = await this.ask({ ...task, check: false });
    return { meanUs: record.latencyUs.mean, iterations: record.iterations };
  }

  ask(question: Question): Promise<Answer> {
    const command: Command = { ...question, ...this.#everywhere };
    return this.command(command);
  }
}
