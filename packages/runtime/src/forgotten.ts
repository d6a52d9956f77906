/**
 * Requests that nobody looks at: a failure of one becomes an unhandled rejection, and one that is thrown away before
 * it has completed is worth a warning.
 *
 * Most requests are waited for within the turn of the event loop that made them, and registering an object for
 * finalization costs half a microsecond. So requests are only listed at first, and those that are still open when the
 * loop turns are registered; before that nothing could be finalized anyway.
 */
import type { Completion } from './completion.ts';
import { describe } from './purpose.ts';
import { completionOf, type Request } from './request.ts';

/** Lists shorter than this are not searched for entries that have ended. */
const SMALLEST_SWEEP = 256;

let listed: Request<unknown>[] = [];
let listedLimit = SMALLEST_SWEEP;
let scheduled = false;

/** Completions of registered requests; not the requests, or they could never be finalized. */
const registered = new Set<Completion<unknown>>();
let registeredLimit = SMALLEST_SWEEP;

const dropped = new FinalizationRegistry<Completion<unknown>>((completion) => {
  if (completion.lookedAt || surface(completion)) {
    registered.delete(completion);
    return;
  }
  process.emitWarning(
    `A request was dropped before it had completed: ${describe(completion.purpose)}. Its buffer ` +
      'stays in use until it completes. Keep the request, and await it, wait() for it or cancel() it',
    { type: 'MpiWarning', code: 'ONECOPY_FORGOTTEN_REQUEST' },
  );
});

/** Takes care of a new request, which has not ended. */
export function neverForget(request: Request<unknown>): void {
  if (!scheduled) {
    scheduled = true;
    setImmediate(register).unref();
  }
  listed.push(request);
  if (listed.length > listedLimit) {
    removeLookedAt(listed);
    // Doubling keeps the cost per request constant however many are open.
    listedLimit = Math.max(SMALLEST_SWEEP, 2 * listed.length);
  }
}

function removeLookedAt(requests: Request<unknown>[]): void {
  let kept = 0;
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index] as Request<unknown>;
    if (!listedCompletion(request).lookedAt) requests[kept++] = request;
  }
  requests.length = kept;
}

function register(): void {
  scheduled = false;
  for (const request of listed) {
    const completion = listedCompletion(request);
    if (completion.lookedAt) continue;
    dropped.register(request, completion);
    registered.add(completion);
  }
  listed = [];
  if (registered.size > registeredLimit) {
    for (const one of registered) if (one.lookedAt) registered.delete(one);
    registeredLimit = Math.max(SMALLEST_SWEEP, 2 * registered.size);
  }
}

/** Makes every failure that nobody has seen an unhandled rejection. */
export function surfaceFailures(): void {
  for (const error of unseenFailures()) void Promise.reject(error);
}

/** The failures that nobody has seen; nobody can miss them again. */
export function unseenFailures(): unknown[] {
  register();
  const failures: unknown[] = [];
  for (const completion of registered) {
    if (completion.lookedAt) continue;
    try {
      completion.test();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** Only requests that go on are listed. */
function listedCompletion(request: Request<unknown>): Completion<unknown> {
  return completionOf(request) as Completion<unknown>;
}

/** Whether it has ended; a failure is thrown where nobody can catch it. */
function surface(completion: Completion<unknown>): boolean {
  try {
    return completion.test();
  } catch (error) {
    void Promise.reject(error);
    return true;
  }
}
