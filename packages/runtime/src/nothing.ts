import type { PendingOperation } from '@onecopy/engine';

/** An operation with nothing to do, complete from the start. */
export const NOTHING: PendingOperation = {
  done: true,
  arrival: undefined,
  test: () => true,
  wait: () => undefined,
  notify: (listener) => queueMicrotask(() => listener.ended(undefined)),
  cancel: () => false,
};
