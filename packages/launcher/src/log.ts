/** What the launcher does, for those who want to know. */
export interface Log {
  /** Worth a line at --verbose. */
  info(fields: object, text: string): void;
}

/** For people (--verbose), or for machines as lines of JSON from some level on (ONECOPY_LOG). */
export type LogWish = 'verbose' | LogLevel;

export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** The library is loaded only where somebody wants to hear: it would cost a tenth of the time an empty job takes. */
export async function openLog(wish: LogWish, say: (line: string) => void): Promise<Log> {
  const { pino } = await import('pino');
  const logger =
    wish === 'verbose'
      ? pino({ base: null, timestamp: false }, { write: (line) => say(readable(line)) })
      : pino({ name: 'onecopy', level: wish }, { write: (line) => say(line.trimEnd()) });
  return { info: (fields, text) => logger.info(fields, text) };
}

function readable(line: string): string {
  return `onecopy: ${(JSON.parse(line) as { msg: string }).msg}`;
}
