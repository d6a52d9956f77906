import { readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import { RankPipe } from './rank-pipe.ts';
import { type Cursor, Sink } from './sink.ts';

/** Once the user wants the job gone, whoever reads our output must read something this often. */
const STUCK_MS = 500;

/** Who types, as somebody who may have begun a line. */
const KEYBOARD = {};

/** What the ranks write, brought to our own stdout and stderr: whole lines, in each rank's order, all of it. */
export class Output {
  readonly #tagged: boolean;
  readonly #onBroken: (name: string, error: NodeJS.ErrnoException) => void;
  readonly #cursors: readonly [Cursor, Cursor];
  readonly #sinks: [Sink | undefined, Sink | undefined] = [undefined, undefined];
  #pipes: readonly RankPipe[] = [];

  /** `onBroken` is called when stdout or stderr cannot be written any more, with its name. */
  constructor(tagged: boolean, onBroken: (name: string, error: NodeJS.ErrnoException) => void) {
    this.#tagged = tagged;
    this.#onBroken = onBroken;
    const cursor: Cursor = { within: undefined };
    this.#cursors = [cursor, sameFile(1, 2) ? cursor : { within: undefined }];
  }

  /** Reads these ends of the ranks' pipes from now on, and closes them in the end. */
  read(
    stdout: readonly number[],
    stderr: readonly number[],
    inspectErrors?: (chunk: Buffer) => void,
  ): void {
    this.#pipes = [
      ...stdout.map((fd, rank) => new RankPipe(fd, rank, () => this.#sink(0), undefined)),
      ...stderr.map((fd, rank) => new RankPipe(fd, rank, () => this.#sink(1), inspectErrors)),
    ];
  }

  /** Writes the launcher's own words to stderr. */
  say(text: string): void {
    this.#sink(1).say(text);
  }

  /** The terminal has shown what was typed: a line, or something that it did not end, such as ^C. */
  echoed(line: boolean): void {
    for (const index of [0, 1] as const) {
      if (isatty(index + 1)) this.#cursors[index].within = line ? undefined : KEYBOARD;
    }
  }

  /** Reads the ranks' pipes no more. */
  close(): void {
    for (const pipe of this.#pipes) pipe.close();
  }

  /** Brings out what the pipes still hold. To be called when no process of the job is left. */
  async drain(): Promise<void> {
    await Promise.all(this.#pipes.map((pipe) => pipe.drain()));
  }

  /** Resolves when the system has taken all we wrote. */
  async flushed(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink?.flushed()));
  }

  /** Resolves when our reader has not read for a while. */
  async stuck(): Promise<void> {
    for (let before = -1, now = this.#drains(); now !== before; now = this.#drains()) {
      before = now;
      await new Promise((resolve) => setTimeout(resolve, STUCK_MS));
    }
  }

  #drains(): number {
    return this.#sinks.reduce((sum, sink) => sum + (sink?.drains ?? 0), 0);
  }

  /** Opened when first written to: an empty job needs neither, and each costs a millisecond. */
  #sink(index: 0 | 1): Sink {
    const existing = this.#sinks[index];
    if (existing !== undefined) return existing;
    const [stream, name] = index === 0 ? [process.stdout, 'stdout'] : [process.stderr, 'stderr'];
    const sink = new Sink(
      stream,
      this.#tagged || isatty(index + 1),
      this.#cursors[index],
      (error) => this.#onBroken(name, error),
    );
    this.#sinks[index] = sink;
    return sink;
  }
}

/**
 * Not by fstat: Node 20 remembers the last kind of file that was asked for, and after a pipe it no longer follows links
 * to where the modules are that it imports (`realpathSync` looks at that memory).
 */
function sameFile(a: number, b: number): boolean {
  return readlinkSync(`/proc/self/fd/${a}`) === readlinkSync(`/proc/self/fd/${b}`);
}
