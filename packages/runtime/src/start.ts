import { isMainThread } from 'node:worker_threads';
import { type Engine, MpiError } from '@onecopy/engine';
import { startEngine } from '@onecopy/native';
import { leaveAtExit } from './exit.ts';
import { VERSION } from './version.ts';

/** What all copies of onecopy in one process share. */
interface Shared {
  readonly version: string;
  /** Where the copy lies that started the engine, for messages. */
  readonly from: string;
  readonly engine?: Engine;
  /** Whether it has left the job. */
  hasLeft: boolean;
  /** Starting is tried once: a second attempt would not find the launcher and be a world of one by mistake. */
  readonly failure?: unknown;
}

const SHARED: unique symbol = Symbol.for('onecopy.engine');
const registry = globalThis as { [SHARED]?: Shared };

let engine: Engine | undefined;

/** The engine of this process; the first call, of whichever copy of onecopy, starts it. */
export function processEngine(): Engine {
  engine ??= sharedEngine();
  return engine;
}

function sharedEngine(): Engine {
  if (!isMainThread) {
    throw new MpiError(
      'ERR_THREAD',
      'onecopy was used in a worker thread, and only the main thread of a rank can communicate. ' +
        'Let the main thread send and receive, and talk to it with postMessage',
    );
  }
  const shared = registry[SHARED] ?? start();
  if (shared.version !== VERSION) {
    throw new MpiError(
      'ERR_NATIVE',
      `This process already runs onecopy ${shared.version} (from ${shared.from}), and this is ` +
        `onecopy ${VERSION} (from ${import.meta.url}): one process can be only one rank. ` +
        "Make all packages use the same version; 'npm ls onecopy' shows who brings which.",
    );
  }
  if (shared.engine === undefined) throw shared.failure;
  return shared.engine;
}

/** What runs already in this process, or has run; undefined before the first use, and where starting has failed. */
export function startedEngine(): { readonly hasLeft: boolean } | undefined {
  const shared = registry[SHARED];
  return shared?.engine === undefined ? undefined : shared;
}

function start(): Shared {
  const shared = startOnce();
  registry[SHARED] = shared;
  return shared;
}

function startOnce(): Shared {
  const who = { version: VERSION, from: import.meta.url, hasLeft: false };
  try {
    const shared: Shared = { ...who, engine: startEngine() };
    leaveAtExit(shared.engine as Engine, () => {
      shared.hasLeft = true;
    });
    return shared;
  } catch (failure) {
    return { ...who, failure };
  }
}
