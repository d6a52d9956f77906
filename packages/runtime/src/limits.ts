/** Time limits and signals of operations that are awaited. */
import { MpiError } from '@onecopy/engine';
import { checkTimeout, isOptions, show } from './arguments.ts';

/** Options of calls that return a request. */
export interface AwaitableOptions {
  /**
   * Milliseconds, after which the operation is taken back and its request fails with `ERR_TIMEOUT`. What a peer has
   * matched by then is completed.
   */
  readonly timeout?: number | undefined;
  /**
   * Takes the operation back when it is aborted; the request then fails with its reason. What a peer has matched by then
   * is completed.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What was asked for. */
export interface Limits {
  readonly timeout: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What stands guard over one operation. */
export interface Limit {
  readonly timeout: number | undefined;
  /** Milliseconds, at least 0; undefined without a time limit. */
  readonly timeLeft: number | undefined;
  /** The operation has ended. */
  release(): void;
}

/** @returns undefined if there are none */
export function checkAwaitableOptions(call: string, options: unknown): Limits | undefined {
  if (options === undefined) return undefined;
  if (!isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the last argument must be an object of options such as { timeout: 100 }, ` +
        `not ${show(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (name === 'timeout' || name === 'signal' || value === undefined) continue;
    throw new MpiError(
      'ERR_ARG',
      `${call}: there is no option ${name}; there are timeout (milliseconds) and signal`,
    );
  }
  const { timeout, signal } = options as { timeout?: unknown; signal?: unknown };
  const limits = { timeout: checkTimeout(call, timeout), signal: checkSignal(call, signal) };
  return limits.timeout === undefined && limits.signal === undefined ? undefined : limits;
}

function checkSignal(call: string, signal: unknown): AbortSignal | undefined {
  if (signal === undefined || isSignal(signal)) return signal;
  throw new MpiError('ERR_ARG', `${call}: the signal must be an AbortSignal, not ${show(signal)}`);
}

/** Also one of another realm. */
function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function'
  );
}

/** A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Begins to watch. An operation that is awaited keeps the process alive by itself, so the timer never does.
 *
 * @param giveUp without a reason at the time limit
 */
export function limitOf(
  { timeout, signal }: Limits,
  giveUp: (reason: { readonly signal: unknown } | undefined) => void,
): Limit {
  const deadline = timeout === undefined ? undefined : performance.now() + timeout;
  let timer: NodeJS.Timeout | undefined;
  const left = (): number | undefined =>
    deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
  const arm = (): void => {
    const rest = left() as number;
    timer = setTimeout(look, Math.min(Math.ceil(rest), LONGEST_TIMER)).unref();
  };
  const look = (): void => {
    if (left() === 0) giveUp(undefined);
    else arm();
  };
  const aborted = (): void => giveUp({ signal: signal?.reason });
  if (deadline !== undefined) arm();
  signal?.addEventListener('abort', aborted, { once: true });
  return {
    timeout,
    get timeLeft() {
      return left();
    },
    release() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    },
  };
}
