import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { LineAssembler } from './lines.ts';
import type { Sink } from './sink.ts';

/** A line that nobody has gone on with for this long is shown as it is: it may be a prompt. */
const SILENCE_MS = 100;

/** A line that grows in small pieces, such as a progress bar, is shown at least this often. */
const HOLD_MS = 400;

const CHUNK_BYTES = 64 * 1024;

/**
 * What one rank writes to stdout or stderr, on its way to ours. While our reader is behind the pipe is not read, so
 * that the rank waits and no queue grows.
 */
export class RankPipe {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #tag: string;
  readonly #sink: () => Sink;
  readonly #inspect: ((chunk: Buffer) => void) | undefined;
  readonly #lines = new LineAssembler();
  #silence: NodeJS.Timeout | undefined;
  #heldSince = 0;
  #waiting = false;
  #draining = false;

  /** Owns `fd`. `sink` is asked for when there is something to write; `inspect` sees all bytes as they come. */
  constructor(
    fd: number,
    rank: number,
    sink: () => Sink,
    inspect: ((chunk: Buffer) => void) | undefined,
  ) {
    this.#fd = fd;
    this.#tag = `[${rank}] `;
    this.#sink = sink;
    this.#inspect = inspect;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('readable', () => this.#pump());
    this.#socket.on('end', () => this.#showHeld());
    // A pipe that cannot be read has nothing more to say.
    this.#socket.on('error', () => this.#showHeld());
  }

  /** Throws away what is left and reads no more: whoever writes learns that nobody listens. */
  close(): void {
    clearTimeout(this.#silence);
    this.#lines.take();
    this.#socket.destroy();
  }

  /** Brings out what is in the pipe now. Does not wait for its end, which a process outside the job may put off. */
  async drain(): Promise<void> {
    this.#draining = true;
    // Node may read ahead between two rounds; what it has read is older than what is in the pipe.
    for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) {
      this.#take(chunk);
      await this.#sink().room();
    }
    this.#showHeld();
    this.#socket.destroy();
  }

  #next(): Buffer | undefined {
    if (this.#socket.destroyed) return undefined;
    return (this.#socket.read() as Buffer | null) ?? this.#readNow();
  }

  #readNow(): Buffer | undefined {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    try {
      const bytes = readSync(this.#fd, buffer);
      return bytes === 0 ? undefined : buffer.subarray(0, bytes);
    } catch {
      // EAGAIN: the pipe is empty, but somebody still holds it.
      return undefined;
    }
  }

  #pump(): void {
    while (!this.#waiting && !this.#draining) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      this.#take(chunk);
      this.#waitForRoom();
    }
  }

  #waitForRoom(): void {
    const sink = this.#sink();
    if (!sink.full) return;
    this.#waiting = true;
    void sink.room().then(() => {
      this.#waiting = false;
      this.#pump();
    });
  }

  #take(chunk: Buffer): void {
    this.#inspect?.(chunk);
    const held = this.#lines.holds;
    const lines = this.#lines.push(chunk);
    if (lines !== undefined) this.#sink().write(this, this.#tag, lines);
    if (!this.#lines.holds) {
      clearTimeout(this.#silence);
      this.#silence = undefined;
      return;
    }
    const now = performance.now();
    if (!held || lines !== undefined) this.#heldSince = now;
    if (now - this.#heldSince >= HOLD_MS) this.#showHeld();
    else if (this.#silence !== undefined) this.#silence.refresh();
    else this.#silence = setTimeout(() => this.#showHeld(), SILENCE_MS);
  }

  #showHeld(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    const bytes = this.#lines.take();
    if (bytes !== undefined) this.#sink().write(this, this.#tag, bytes);
  }
}
