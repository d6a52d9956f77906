/** How the ranks of a benchmark take their commands: see `protocol.ts`. */
import { createInterface } from 'node:readline';
import { type ErrorCode, MpiError, world } from '@onecopy/runtime';
import { CheckFailure } from './checked-buffer.ts';
import { Unavailable } from './memory.ts';
import { receiveCommand, sendCommand } from './steering.ts';

/** What a rank sees when another one has failed, which is the one to speak. */
const FAILED_ELSEWHERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_ABORTED',
  'ERR_PROC_FAILED',
  'ERR_PROC_LEFT',
]);

/**
 * Carries out on every rank what rank 0 reads from its stdin, line by line, until that ends. What rank 0 returns is the
 * answer.
 */
export async function serve<Command>(
  carryOut: (command: Command) => Promise<unknown>,
): Promise<void> {
  try {
    if (world.rank === 0) await lead(carryOut);
    else await follow(carryOut);
  } catch (error) {
    giveUp(error);
  }
}

function giveUp(error: unknown): never {
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

async function lead<Command>(carryOut: (command: Command) => Promise<unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command;
    sendCommand(command);
    process.stdout.write(`${JSON.stringify(await carryOut(command))}\n`);
  }
  sendCommand(undefined);
}

async function follow<Command>(carryOut: (command: Command) => Promise<unknown>): Promise<void> {
  for (;;) {
    const command = receiveCommand();
    if (command === undefined) return;
    await carryOut(command as Command);
  }
}
