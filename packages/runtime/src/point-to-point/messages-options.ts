import { ANY_SOURCE, ANY_TAG, MpiError } from '@onecopy/engine';
import { isOptions, show } from '../arguments.ts';
import type { MessagesOptions } from './message-stream.ts';

const NAMES: ReadonlySet<string> = new Set(['source', 'tag', 'signal']);

/** What an iteration is to look for; source and tag are still to be checked. */
export function checkMessagesOptions(options: unknown): {
  readonly source: unknown;
  readonly tag: unknown;
  readonly signal: AbortSignal | undefined;
} {
  if (options !== undefined && !isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `messages: takes an object of options such as { source: 0, tag: 1 }, not ${show(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options ?? {})) {
    if (NAMES.has(name) || value === undefined) continue;
    const hint = name === 'timeout' ? '; use { signal: AbortSignal.timeout(milliseconds) }' : '';
    throw new MpiError(
      'ERR_ARG',
      `messages: there is no option ${name}, but source, tag and signal${hint}`,
    );
  }
  const { source, tag, signal } = (options ?? {}) as { [K in keyof MessagesOptions]: unknown };
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new MpiError('ERR_ARG', `messages: the signal is ${show(signal)}, not an AbortSignal`);
  }
  return {
    source: source === undefined ? ANY_SOURCE : source,
    tag: tag === undefined ? ANY_TAG : tag,
    signal,
  };
}
