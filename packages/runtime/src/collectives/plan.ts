import type { CollectiveCall } from '@onecopy/engine';

/** What a call of the user asks the engine to do, and what it gives afterwards. */
export interface Plan<R> {
  readonly call: CollectiveCall;
  result(): R;
}

export function plan<R>(call: CollectiveCall, result: () => R): Plan<R> {
  return { call, result };
}
