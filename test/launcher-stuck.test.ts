// The launcher's care of its ranks does not depend on its JavaScript.
import { expect, test } from 'vitest';
import { Command, program } from './support/command.ts';
import { jsonLines } from './support/launch.ts';
import { processesOf } from './support/leftovers.ts';

interface Line {
  readonly rank?: number;
  readonly finished?: number;
  readonly from: number;
  readonly to: number;
  readonly events: { readonly type: string; readonly cause?: { readonly kind: string } }[];
}

test('ranks connect, talk and end while the launcher stands still', async () => {
  const args = ['5000', program('mover-traffic.mjs'), '100000', '20'];
  const outcome = await new Command(process.execPath, [program('stuck-launcher.mjs'), ...args])
    .ended;
  const lines = jsonLines<Line>(outcome);
  expect(lines, outcome.stdout + outcome.stderr).toHaveLength(3);
  const still = lines.find(({ events }) => events !== undefined) as Line;
  for (const { finished = Number.POSITIVE_INFINITY } of lines.filter(
    ({ rank }) => rank !== undefined,
  )) {
    expect(finished).toBeLessThan(still.to);
  }
  expect(still.events.at(-1)).toEqual({ type: 'end' });
});

test('a signal ends the ranks while the launcher stands still', async () => {
  const args = ['8000', '-e', 'setInterval(() => {}, 1000)'];
  const command = new Command(process.execPath, [program('stuck-launcher.mjs'), ...args]);
  await command.stdoutMatches(/started/);
  expect(processesOf(command.mark).length).toBe(3);
  const begun = Date.now();
  command.child.kill('SIGTERM');
  while (processesOf(command.mark).length > 1) {
    expect(Date.now() - begun, 'the grace period and one second').toBeLessThan(2000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Its JavaScript has not run since.
  expect(command.stdout).toBe('started\n');
  await command.ended;
  const [still] = jsonLines<Line>(await command.ended);
  expect(still?.events.at(-1)?.cause).toMatchObject({ kind: 'interrupted' });
});
