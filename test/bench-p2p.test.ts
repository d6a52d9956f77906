// `onecopy bench p2p`, with as few iterations as show that it works: nothing here looks at speed.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OptionError } from '../bench/src/arguments.ts';
import { FIGURE_NAMES, FIGURES, type FigureName } from '../bench/src/p2p/figures.ts';
import { linesOf } from '../bench/src/p2p/main.ts';
import { P2P_HELP, parseP2pOptions } from '../bench/src/p2p/options.ts';
import type { P2pRecord } from '../bench/src/p2p/record.ts';
import { summarise } from '../bench/src/p2p/turns.ts';
import { onecopy, runOnecopy } from './support/command.ts';
import { jsonLines } from './support/launch.ts';
import { processesOf } from './support/leftovers.ts';

const FEW = ['--pairs', '1', '--iterations', '2', '--warmup', '1'];

function p2p(...args: string[]): ReturnType<typeof runOnecopy> {
  return runOnecopy(['bench', 'p2p', ...args]);
}

describe('options', () => {
  test('without any all figures are measured, as often as time allows', () => {
    expect(parseP2pOptions([])).toMatchObject({
      figures: FIGURE_NAMES,
      pairs: 5,
      loops: { warmupBudgetMs: expect.any(Number), iterationsBudgetMs: expect.any(Number) },
      json: false,
      launcherArguments: [],
    });
  });

  test('counts are exact, and what is for the launcher goes there', () => {
    const said = 'matching --pairs 2 --iterations 3 --warmup 0 --json --channel socket';
    expect(parseP2pOptions(said.split(' '))).toEqual({
      figures: ['matching'],
      pairs: 2,
      loops: { warmup: 0, iterations: 3 },
      json: true,
      launcherArguments: ['--channel', 'socket'],
    });
  });

  test('help names every figure', () => {
    expect(parseP2pOptions(['--help'])).toBe('help');
    for (const name of FIGURE_NAMES) expect(P2P_HELP).toContain(`\n  ${name} `);
  });

  test.each([
    [['pingpong'], /no figure pingpong: name awaited, .* or object-array/],
    [['--pairs', '0'], /--pairs takes a whole number from 1 up/],
    [['--sizes', '8'], /no option --sizes/],
  ])('%j', (argv, says) => {
    expect(() => parseP2pOptions(argv)).toThrow(OptionError);
    expect(() => parseP2pOptions(argv)).toThrow(says);
  });
});

describe('a record', () => {
  test('has medians of the times, and of the ratios of each pair', () => {
    const times = new Map([
      ['ours', [1, 9, 4]],
      ['slow', [10, 10, 10]],
      ['fast', [2, 3, 8]],
    ]);
    expect(summarise('awaited', times, {}, 3)).toEqual({
      benchmark: 'p2p',
      figure: 'awaited',
      bytes: 8,
      oursUs: 4,
      rivalsUs: { slow: 10, fast: 3 },
      ratios: { slow: 0.4, fast: 0.5 },
      ratio: 0.5,
      pairs: 3,
      node: process.version,
    });
  });

  test('says what cannot be measured, and has no ratio then', () => {
    const times = new Map([
      ['ours', []],
      ['other', [2]],
    ]);
    const record = summarise('records', times, { ours: 'not here' }, 1);
    expect(record).toMatchObject({
      oursUs: null,
      rivalsUs: { other: 2 },
      ratios: {},
      ratio: null,
      unavailable: { ours: 'not here' },
    });
    const lines = [...linesOf('records', record)];
    expect(lines[0]).toMatch(/^records, \d+: .*sendObject/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^ {2}other +2\.00 us$/),
      '  left out: ours: not here',
      '',
    ]);
  });

  test('of a rate has how many there are in a second', () => {
    const record = summarise('in-flight', new Map([['ours', [0.5]]]), {}, 1);
    expect(record).toMatchObject({ oursUs: 0.5, perSecond: 2_000_000, ratio: null });
    expect([...linesOf('in-flight', record)][1]).toMatch(/0\.50 us, 2000000 per second$/);
  });
});

test.each(FIGURE_NAMES)('--json %s is a contract', async (name) => {
  const outcome = await p2p(name, '--json', ...FEW);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  const [record, ...more] = jsonLines<P2pRecord>(outcome);
  expect(more).toEqual([]);
  // Keys may be added, and none may go or change its type.
  const { bytes, ours, others, rivals } = FIGURES[name];
  expect(record).toMatchObject({
    benchmark: 'p2p',
    figure: name,
    bytes,
    pairs: 1,
    node: process.version,
  });
  const { oursUs, rivalsUs, ratios, ratio, unavailable = {} } = record as P2pRecord;
  for (const side of [ours, ...others, ...rivals]) {
    const us = side === ours ? oursUs : rivalsUs[side];
    if (side in unavailable) expect(unavailable[side]).toMatch(/no |could not/);
    else expect(us).toBeGreaterThan(0);
  }
  if (ratio !== null) expect(ratio).toBe(Math.max(...Object.values(ratios)));
});

test('for people, figure by figure', async () => {
  const figures: FigureName[] = ['awaited', 'matching'];
  const outcome = await p2p(...figures, ...FEW);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  const us = ' +\\d+(\\.\\d+)? us';
  const ratio = ', ours over it \\d+\\.\\d\\d';
  expect(outcome.stdout).toMatch(
    new RegExp(`\nawaited, 8: .*\n  onecopy${us}\n  postMessage${us}${ratio}\n`),
  );
  expect(outcome.stdout).toMatch(
    new RegExp(`\nmatching, 8: .*\n  onecopy${us}\n  matching${us}${ratio}\n`),
  );
});

test('SIGTERM ends everything, and leaves nothing behind', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'onecopy-p2p-'));
  onTestFinished(() => rmSync(temporary, { recursive: true }));
  // The second figure would take minutes.
  const args = ['awaited', 'object-array', '--json', ...FEW, '--pairs', '100'];
  const command = onecopy(['bench', 'p2p', ...args], { env: { TMPDIR: temporary } });
  await command.stdoutMatches(/"awaited"/);
  command.child.kill('SIGTERM');
  const { code, signal } = await command.ended;
  // Between two figures nobody listens for it.
  expect([143, 'SIGTERM']).toContain(code ?? signal);
  await expect.poll(() => processesOf(command.mark), { timeout: 20_000 }).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

test.each([
  [['pingpong'], 2, /^onecopy bench: p2p has no figure pingpong/],
  [['awaited', '--eager-limit', 'much'], 2, /eager-limit/],
])('%j is refused', async (args, code, says) => {
  const outcome = await p2p(...args, ...FEW);
  expect(outcome).toMatchObject({ code, stdout: expect.not.stringContaining('us') });
  expect(outcome.stderr).toMatch(says);
});
