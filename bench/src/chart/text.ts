/** Microseconds, as an axis has them. */
export function formatTime(us: number): string {
  if (us >= 1e6) return `${us / 1e6} s`;
  if (us >= 1e3) return `${us / 1e3} ms`;
  return us >= 1 ? `${us} µs` : `${Math.round(us * 1e3)} ns`;
}

/** Millions of bytes per second. */
export function formatRate(megabytes: number): string {
  if (megabytes >= 1e3) return `${megabytes / 1e3} GB/s`;
  return megabytes >= 1 ? `${megabytes} MB/s` : `${Math.round(megabytes * 1e3)} kB/s`;
}

export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };
  return text.replace(/[&<"]/g, (character) => entities[character]!);
}

/** A tenth of a pixel is as fine as anybody sees. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}
