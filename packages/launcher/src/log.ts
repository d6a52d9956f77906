import { nearest, UsageError } from './usage.ts';

/** What the launcher does, for those who want to know. */
export interface Log {
  /** Worth a line at --verbose. */
  info(fields: object, text: string): void;
  debug(fields: object, text: string): void;
}

const SILENT: Log = { info() {}, debug() {} };

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * `level` (ONECOPY_LOG) asks for pino's lines of JSON, --verbose for readable ones. The library is loaded only then:
 * it would cost a tenth of the time an empty job takes.
 */
export async function openLog(
  level: string | undefined,
  verbose: boolean,
  say: (line: string) => void,
): Promise<Log> {
  if (level !== undefined && level !== '' && !LEVELS.includes(level)) {
    const meant = nearest(level, LEVELS) ?? `one of ${LEVELS.join(', ')}`;
    throw new UsageError(`ONECOPY_LOG=${level} is not a level: did you mean ${meant}?`);
  }
  if (!verbose && (level === undefined || level === '' || level === 'silent')) return SILENT;

  const { pino } = await import('pino');
  const forMachines = level !== undefined && level !== '' && level !== 'silent';
  const logger = forMachines
    ? pino({ name: 'onecopy', level }, { write: (line) => say(line.trimEnd()) })
    : pino({ base: null, timestamp: false }, { write: (line) => say(readable(line)) });
  return {
    info: (fields, text) => logger.info(fields, text),
    debug: (fields, text) => logger.debug(fields, text),
  };
}

function readable(line: string): string {
  return `onecopy: ${(JSON.parse(line) as { msg: string }).msg}`;
}
