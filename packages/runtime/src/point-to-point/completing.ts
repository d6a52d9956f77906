/** Blocking calls made of requests, for those that one call of the engine cannot do. */
import { type Engine, type MessageBuffer, MpiError, type PendingOperation } from '@onecopy/engine';

/** One direction of an exchange; the peer is a rank of the engine's world. */
export interface Leg {
  readonly buffer: MessageBuffer;
  readonly peer: number;
  readonly tag: number;
}

/**
 * Blocks until the operation is complete; after `timeout` milliseconds takes it back and throws ERR_TIMEOUT.
 *
 * @param what for the message: 'recv from rank 3'
 */
export function completeWithin(operation: PendingOperation, timeout: number, what: string): void {
  try {
    operation.wait(timeout);
  } catch (error) {
    if (operation.done) throw error;
    // Too late to take it back: it has completed while we were giving up.
    if (!takeBack(operation)) return;
    throw isTimeout(error) ? timedOut(what, timeout, error) : error;
  }
}

/**
 * Ends an operation now: by taking it back, or by waiting for its end when a peer has already begun with it.
 *
 * @returns whether it was taken back; throws what it failed with if it was not
 */
function takeBack(operation: PendingOperation): boolean {
  if (!operation.cancel()) {
    operation.wait();
    return false;
  }
  try {
    operation.wait();
  } catch (error) {
    if (!(error instanceof MpiError && error.code === 'ERR_CANCELLED')) throw error;
  }
  return true;
}

/** Sends and receives at the same time, so that any number of ranks can do so in a ring. */
export function exchange(engine: Engine, context: number, send: Leg, recv: Leg): PendingOperation {
  const receiving = engine.irecv(recv.buffer, recv.peer, recv.tag, context);
  try {
    engine.send(send.buffer, send.peer, send.tag, context);
    receiving.wait();
  } catch (error) {
    if (!receiving.done) abandon(receiving);
    throw error;
  }
  return receiving;
}

/** The same with a time limit for both; what has not completed by then is taken back. */
export function exchangeWithin(
  engine: Engine,
  context: number,
  send: Leg,
  recv: Leg,
  timeout: number,
  what: string,
): PendingOperation {
  const deadline = performance.now() + timeout;
  const receiving = engine.irecv(recv.buffer, recv.peer, recv.tag, context);
  try {
    const sending = engine.isend(send.buffer, send.peer, send.tag, context);
    completeWithin(sending, timeout, `${what}, sending`);
    completeWithin(receiving, Math.max(0, deadline - performance.now()), `${what}, receiving`);
  } catch (error) {
    if (!receiving.done) abandon(receiving);
    throw error;
  }
  return receiving;
}

/** Ends an operation whose outcome does not matter any more, because another failure is already on its way. */
export function abandon(operation: PendingOperation): void {
  try {
    takeBack(operation);
  } catch {
    // The first failure is the one to report.
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof MpiError && error.code === 'ERR_TIMEOUT';
}

function timedOut(what: string, timeout: number, cause: unknown): MpiError {
  return new MpiError(
    'ERR_TIMEOUT',
    `${what}: not complete within ${timeout} ms, so it was taken back`,
    { cause },
  );
}
