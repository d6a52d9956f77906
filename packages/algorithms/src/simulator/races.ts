import { SimulationError } from './error.ts';
import type { Trace } from './run.ts';
import { NONE } from './wiring.ts';

/**
 * Looks for steps that use the same memory, one of them writing, with nothing that makes one end before the other begins:
 * not only as things happened in this run, but in any. What orders steps is the predecessors they name, messages, and
 * counters. The trace must be one of eager sends: synchronous ones order more than a schedule may rely on.
 *
 * A send or an exposure counts as reading from its start until it is complete at the rank that started it.
 */
export function checkRaces(trace: Trace): void {
  const order = new Order(trace);
  const { steps, memories, lows, highs, writes } = trace.accesses;
  const written = new Set(memories.filter((_, row) => writes[row]));
  const rows = memories
    .map((_, row) => row)
    .filter((row) => written.has(memories[row] as number))
    .sort((a, b) => at(memories, a) - at(memories, b) || at(lows, a) - at(lows, b));
  const cleared = new Set<number>();
  for (const [place, row] of rows.entries()) {
    for (let next = place + 1; next < rows.length; next += 1) {
      const other = rows[next] as number;
      if (memories[other] !== memories[row] || at(lows, other) >= at(highs, row)) break;
      if (!writes[row] && !writes[other]) continue;
      const [one, two] = [at(steps, row), at(steps, other)];
      const pair = Math.min(one, two) * trace.wiring.steps.length + Math.max(one, two);
      if (one === two || cleared.has(pair)) continue;
      cleared.add(pair);
      if (!order.ordered(one, two)) {
        const what = trace.wiring.describe.bind(trace.wiring);
        throw new SimulationError(
          'race',
          `${what(one)} and ${what(two)} use the same memory, and nothing orders them`,
        );
      }
    }
  }
}

function at(numbers: readonly number[], place: number): number {
  return numbers[place] as number;
}

/** What must happen before what. Events: 2n is the start of step n, 2n + 1 its end. */
class Order {
  readonly #trace: Trace;
  /** The search in which an event was last seen. */
  readonly #seen: Int32Array;
  #search = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#seen = new Int32Array(2 * trace.wiring.steps.length);
  }

  ordered(one: number, two: number): boolean {
    const { started, completed } = this.#trace;
    if ((completed[one] as number) < (started[two] as number)) return this.#leads(one, two);
    if ((completed[two] as number) < (started[one] as number)) return this.#leads(two, one);
    return false;
  }

  /** Whether the end of a step always comes before the start of another: a search backwards from there. */
  #leads(before: number, after: number): boolean {
    this.#search += 1;
    const target = 2 * before + 1;
    const limit = this.#momentOf(target);
    const open = [2 * after];
    for (let event = open.pop(); event !== undefined; event = open.pop()) {
      if (event === target) return true;
      for (const cause of this.#causesOf(event)) {
        if (this.#seen[cause] === this.#search || this.#momentOf(cause) < limit) continue;
        this.#seen[cause] = this.#search;
        open.push(cause);
      }
    }
    return false;
  }

  #momentOf(event: number): number {
    const { started, completed } = this.#trace;
    return ((event & 1) === 0 ? started : completed)[event >> 1] as number;
  }

  #causesOf(event: number): number[] {
    const { wiring } = this.#trace;
    const number = event >> 1;
    if ((event & 1) === 0) {
      const causes = wiring.after(number).map((step) => 2 * step + 1);
      const earlier = wiring.earlier[number] as number;
      if (earlier !== NONE) causes.push(2 * earlier);
      return causes;
    }
    const causes = [2 * number];
    const partner = wiring.partners[number] as number;
    const step = wiring.step(number);
    switch (step.kind) {
      case 'recv':
      case 'recvReduce':
      case 'accept':
        causes.push(2 * partner);
        break;
      case 'expose': {
        const pulls = wiring.pulls.get(partner) ?? [partner];
        causes.push(...pulls.map((pull) => 2 * pull + 1));
        break;
      }
      case 'await': {
        const publish = wiring.publishes[step.peer]?.[step.count - 1];
        if (publish !== undefined) causes.push(2 * publish + 1);
        break;
      }
      default:
    }
    return causes;
  }
}
