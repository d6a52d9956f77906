/** The program of `onecopy bench`, run by every rank: see `protocol.ts`. */
import { createInterface } from 'node:readline';
import { type ErrorCode, MpiError, world } from '@onecopy/runtime';
import type { Command } from '../protocol.ts';
import { CheckFailure } from './checked-buffer.ts';
import { measure } from './measure.ts';
import { Unavailable } from './memory.ts';
import { receiveCommand, sendCommand } from './steering.ts';

/** What a rank sees when another one has failed, which is the one to speak. */
const FAILED_ELSEWHERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_ABORTED',
  'ERR_PROC_FAILED',
  'ERR_PROC_LEFT',
]);

try {
  if (world.rank === 0) await lead();
  else await follow();
} catch (error) {
  if (error instanceof Unavailable) {
    if (world.rank === 0) process.stderr.write(`onecopy bench: ${error.message}\n`);
    world.abort(1);
  }
  if (error instanceof CheckFailure) {
    // What was received says more than where this program noticed it.
    process.stderr.write(`onecopy bench: check failed on ${error.message}\n`);
    world.abort(1);
  }
  if (!(error instanceof MpiError && FAILED_ELSEWHERE.has(error.code))) throw error;
  process.exit(1);
}

async function lead(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command;
    sendCommand(command);
    process.stdout.write(`${JSON.stringify(await measure(command))}\n`);
  }
  sendCommand(undefined);
}

async function follow(): Promise<void> {
  for (;;) {
    const command = receiveCommand();
    if (command === undefined) return;
    await measure(command as Command);
  }
}
