import type { Writable } from 'node:stream';
import { endsLine, prefixLines } from './lines.ts';

/** Where the cursor stands in a file or terminal. stdout and stderr share one if both write to the same. */
export interface Cursor {
  /** Who wrote the beginning of the line that the cursor is in; undefined at the start of a line. */
  within: object | undefined;
}

/** One of our own two output streams, which all ranks share. Lines go in; it says when its reader is behind. */
export class Sink {
  /** Counts how often its reader has caught up. */
  drains = 0;

  readonly #stream: Writable;
  readonly #prefixed: boolean;
  readonly #cursor: Cursor;
  #full = false;
  #broken = false;
  #waiting: Array<() => void> = [];

  /** `onBroken` is called once, when nothing can be written any more. */
  constructor(
    stream: Writable,
    prefixed: boolean,
    cursor: Cursor,
    onBroken: (error: NodeJS.ErrnoException) => void,
  ) {
    this.#stream = stream;
    this.#prefixed = prefixed;
    this.#cursor = cursor;
    stream.on('drain', () => {
      this.#full = false;
      this.drains += 1;
      this.#wake();
    });
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#broken) return;
      this.#broken = true;
      this.#wake();
      onBroken(error);
    });
  }

  /** True while more would only be queued. */
  get full(): boolean {
    return this.#full && !this.#broken;
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> {
    return this.full ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** Resolves when the system has taken everything. */
  async flushed(): Promise<void> {
    if (this.#broken || this.#stream.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#stream.write('', () => resolve());
    });
    // What woke it may have been a drain in the middle.
    await this.flushed();
  }

  /** Writes lines of `writer`; the last one may be unfinished. Never continues somebody else's line. */
  write(writer: object, tag: string, bytes: Buffer): void {
    const { within } = this.#cursor;
    const continues = within === writer;
    if (within !== undefined && !continues) this.#put(Buffer.from('\n'));
    this.#put(this.#prefixed ? prefixLines(bytes, tag, continues) : bytes);
    this.#cursor.within = endsLine(bytes) ? undefined : writer;
  }

  /** Writes the launcher's own words, on a line of their own. */
  say(text: string): void {
    this.#put(Buffer.from(`${this.#cursor.within === undefined ? '' : '\n'}${text}\n`));
    this.#cursor.within = undefined;
  }

  #put(bytes: Buffer): void {
    if (this.#broken) return;
    if (!this.#stream.write(bytes)) this.#full = true;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
