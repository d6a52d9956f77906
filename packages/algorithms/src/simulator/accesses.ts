import type { Extent } from './memory.ts';

/** Which step touches which cells: the rows of a table. */
export class Accesses {
  readonly steps: number[] = [];
  readonly memories: number[] = [];
  readonly lows: number[] = [];
  readonly highs: number[] = [];
  readonly writes: boolean[] = [];

  add(step: number, { memory, bounds }: Extent, write: boolean): void {
    for (let i = 0; i < bounds.length; i += 2) {
      this.steps.push(step);
      this.memories.push(memory.id);
      this.lows.push(bounds[i] as number);
      this.highs.push(bounds[i + 1] as number);
      this.writes.push(write);
    }
  }
}
