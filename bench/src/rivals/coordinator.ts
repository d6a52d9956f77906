import type { Task, Timing } from '../contestant.ts';
import { warmUp } from '../loops.ts';
import type { Order, Report } from './event-loop-rank.ts';

/** Leads the ranks of a rival through a measurement: same warm-up, same one timer around the loop as ours. */
export class Coordinator {
  readonly #name: string;
  readonly #tell: ReadonlyArray<(order: Order) => void>;
  readonly #reports: Report[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #prepared = '';

  /** `tell` reaches each rank; what the ranks report goes to `report`. */
  constructor(name: string, tell: ReadonlyArray<(order: Order) => void>) {
    this.#name = name;
    this.#tell = tell;
  }

  report(report: Report): void {
    this.#reports.push(report);
    if (this.#reports.length === this.#tell.length) this.#wake?.();
  }

  /** A rank is gone: what is under way and all that follows fails. */
  fail(reason: string): void {
    this.#failure ??= new Error(`${this.#name}: ${reason}`);
    this.#wake?.();
  }

  async measure({ benchmark, bytes, loops }: Task): Promise<Timing> {
    const wanted = `${benchmark} ${bytes}`;
    if (this.#prepared !== wanted) {
      await this.#order({ kind: 'prepare', benchmark, bytes });
      this.#prepared = wanted;
    }
    const plan = warmUp(loops);
    let step = plan.next();
    while (!step.done) step = plan.next(longest(await this.#run(step.value)));
    const iterations = step.value;
    const elapsed = await this.#run(iterations);
    // As ours: half of a round trip by the clock of rank 0, a collective by the mean over ranks.
    const ms =
      benchmark === 'pingpong'
        ? longest(elapsed) / 2
        : elapsed.reduce((sum, each) => sum + each, 0) / elapsed.length;
    return { meanUs: (ms * 1000) / iterations, iterations };
  }

  async #run(iterations: number): Promise<number[]> {
    const reports = await this.#order({ kind: 'run', iterations });
    return reports.map((report) => (report.kind === 'done' ? report.ms : 0));
  }

  async #order(order: Order): Promise<Report[]> {
    this.#reports.length = 0;
    const answered = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (!this.#failure) {
      for (const tell of this.#tell) tell(order);
      await answered;
    }
    if (this.#failure) throw this.#failure;
    return [...this.#reports];
  }
}

/** Of a ping-pong only rank 0 has a time; the other reports 0. */
function longest(times: readonly number[]): number {
  return Math.max(...times);
}
