/**
 * The program of the trial's two ranks. Large messages go both ways, often enough that the engine asks for huge pages;
 * then each rank says, as a line of JSON, what it saw. The engine is used as the API uses it.
 */
import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { loadBinding, startEngine } from '@onecopy/native';
import type { RankFacts } from './trial.ts';

/** Far above the eager limit, and with whole huge pages inside. */
const BYTES = 4 * 2 ** 20;
/** The engine asks for huge pages at the eighth use of a buffer (native/core/movers/huge_pages.cc). */
const ROUNDS = 9;
/** Of the world's point-to-point messages. */
const CONTEXT = 0;
const TAG = 1;

const binding = loadBinding();
const engine = startEngine();
const peer = 1 - engine.rank;

/** One message each way. */
function exchange(own: Uint8Array | Int32Array, others: Uint8Array | Int32Array): void {
  if (engine.rank === 0) engine.send(own, peer, TAG, CONTEXT);
  engine.recv(others, peer, TAG, CONTEXT);
  if (engine.rank === 1) engine.send(own, peer, TAG, CONTEXT);
}

function refusalOf(pid: number): string | null {
  const errno = binding.copyRefusal(pid);
  return errno === 0 ? null : getSystemErrorName(-errno);
}

function openDescriptors(): number {
  // Without the one that reads the folder.
  return readdirSync('/proc/self/fd').length - 1;
}

function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

const descriptorsAlone = orNull(openDescriptors);
const peerPid = new Int32Array(1);
exchange(Int32Array.of(process.pid), peerPid);
const descriptorsWithPeer = orNull(openDescriptors);

const out = new Uint8Array(BYTES).fill(engine.rank + 1);
const into = new Uint8Array(BYTES);
for (let round = 0; round < ROUNDS; round++) exchange(out, into);
const correct = into.every((byte) => byte === peer + 1);

const { cmaBytes = 0, stagedBytes = 0, hugePages = 0 } = engine.counters();
const facts: RankFacts = {
  rank: engine.rank,
  correct,
  cmaBytes,
  stagedBytes,
  hugePages,
  refusedOwn: refusalOf(process.pid),
  refusedPeer: refusalOf(peerPid[0] ?? 0),
  dumpable: binding.dumpable(),
  status: orNull(() => readFileSync('/proc/self/status', 'utf8')),
  userNamespace: orNull(() => readlinkSync('/proc/self/ns/user')),
  pidNamespace: orNull(() => readlinkSync('/proc/self/ns/pid')),
  descriptorsAlone,
  descriptorsWithPeer,
};
// Both must be there until both have asked about each other.
exchange(Int32Array.of(0), peerPid);
writeSync(1, `${JSON.stringify(facts)}\n`);
engine.leave(0);
