/** What a stream over a pipe has; Node exposes it to itself alone. */
interface PipeStream {
  readonly _handle?: { setBlocking?(blocking: boolean): number };
}

/**
 * Makes the output of a rank wait for its reader: Node writes to pipes in the background, and `process.exit` would lose
 * what the launcher has not read yet (5 MB written just before it arrived as 64 KiB). Done at import, so that it also
 * holds for a rank that never communicates.
 */
export function keepOutput(): void {
  if (process.env.ONECOPY_RANK === undefined) return;
  for (const stream of [process.stdout, process.stderr]) {
    (stream as PipeStream)._handle?.setBlocking?.(true);
  }
}
