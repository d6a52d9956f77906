/** The program of `onecopy bench`, run by every rank: see `protocol.ts`. */
import { createInterface } from 'node:readline';
import { world } from '@onecopy/runtime';
import type { Command } from '../protocol.ts';
import { CheckFailure } from './checked-buffer.ts';
import { measure } from './measure.ts';
import { receiveCommand, sendCommand } from './steering.ts';

try {
  if (world.rank === 0) await lead();
  else follow();
} catch (error) {
  if (!(error instanceof CheckFailure)) throw error;
  // What was received says more than where this program noticed it.
  process.stderr.write(`onecopy bench: check failed on ${error.message}\n`);
  world.abort(1);
}

async function lead(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command;
    sendCommand(command);
    process.stdout.write(`${JSON.stringify(measure(command))}\n`);
  }
  sendCommand(undefined);
}

function follow(): void {
  for (;;) {
    const command = receiveCommand();
    if (command === undefined) return;
    measure(command as Command);
  }
}
