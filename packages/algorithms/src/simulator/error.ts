/** What a check of the simulator is about. */
export type Check =
  /** A schedule that means nothing: a peer that is not there, a predecessor that comes later. */
  | 'form'
  /** The result is not what the operation promises, or a byte outside of it was changed. */
  | 'result'
  /** Ranks wait for each other, or for a message that nobody sends. */
  | 'deadlock'
  /** A region outside its buffer or exposure, a buffer that is not bound, a write into the send buffer. */
  | 'bounds'
  /** Memory is read before anything was written into it. */
  | 'uninitialised'
  /** Two steps use the same memory, at least one writes, and nothing orders them. */
  | 'race'
  /** Two sides of a message, or two regions of a step, that do not have the same length. */
  | 'length'
  /** A message that nobody receives, or of a kind that its receiver does not take. */
  | 'unmatched'
  /** Ranks that do not publish equally often, or an `await` that cannot come true. */
  | 'publish';

export class SimulationError extends Error {
  readonly check: Check;
  readonly detail: string;

  constructor(check: Check, detail: string) {
    super(`${check}: ${detail}`);
    this.check = check;
    this.detail = detail;
  }

  /** The same, saying where. */
  at(place: string): SimulationError {
    return new SimulationError(this.check, `${place}: ${this.detail}`);
  }

  override get name(): string {
    return 'SimulationError';
  }
}
