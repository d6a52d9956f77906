const NEWLINE = 0x0a;

/**
 * A line longer than this is passed on in parts: somebody who writes gigabytes without a newline must not fill the
 * launcher's memory.
 */
export const LONGEST_LINE: number = 1024 * 1024;

/** Cuts what arrives from one pipe into whole lines. The bytes are not looked at otherwise. */
export class LineAssembler {
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** Whether the beginning of a line is waiting for its end. */
  get holds(): boolean {
    return this.#heldBytes > 0;
  }

  /** Takes what arrived; gives the lines that are whole now, or a line that has become too long. */
  push(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#hold(chunk);
      return this.#heldBytes > LONGEST_LINE ? this.take() : undefined;
    }
    const lines =
      this.#held.length === 0 ? chunk.subarray(0, end) : this.#with(chunk.subarray(0, end));
    if (end < chunk.length) this.#hold(chunk.subarray(end));
    return lines;
  }

  /** Gives the beginning of a line whose end is not awaited any longer. */
  take(): Buffer | undefined {
    return this.#held.length === 0 ? undefined : this.#with();
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
  }

  #with(...more: Buffer[]): Buffer {
    const all = Buffer.concat([...this.#held, ...more]);
    this.#held = [];
    this.#heldBytes = 0;
    return all;
  }
}

export function endsLine(bytes: Buffer): boolean {
  return bytes[bytes.length - 1] === NEWLINE;
}

/** Puts a prefix before each line; `within`: the first of them has begun, with its prefix, before. */
export function prefixLines(bytes: Buffer, prefix: string, within: boolean): Buffer {
  const tag = Buffer.from(prefix);
  const parts: Buffer[] = within ? [] : [tag];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    if (end === 0 || end === bytes.length) break;
    parts.push(bytes.subarray(start, end), tag);
    start = end;
  }
  parts.push(bytes.subarray(start));
  return Buffer.concat(parts);
}
