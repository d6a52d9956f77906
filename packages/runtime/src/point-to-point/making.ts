/** Requests for operations that were started. */
import type { PendingOperation } from '@onecopy/engine';
import { Completion, type Result } from '../completion.ts';
import { neverForget } from '../forgotten.ts';
import type { Limits } from '../limits.ts';
import { Request } from '../request.ts';

export const nothing: Result<void> = () => undefined;

/** @param call for messages, as are `peer` and `tag` */
export function startedRequest<T>(
  operation: PendingOperation,
  result: Result<T>,
  call: string,
  peer: number,
  tag: number,
  limits?: Limits,
): Request<T> {
  if (operation.done) return new Request<T>(undefined, result(operation));
  const completion = new Completion(operation, result, call, peer, tag);
  if (limits !== undefined) completion.limit(limits);
  const request = new Request(completion);
  neverForget(request);
  return request;
}

/** A request that has failed because its signal was aborted before the call. */
export function refused<T>(
  signal: AbortSignal,
  call: string,
  peer: number,
  tag: number,
): Request<T> {
  const request = new Request(Completion.failed<T>(signal.reason, call, peer, tag));
  neverForget(request);
  return request;
}
