// Communicators that are made of others, groups, grids and graphs.
import { describe, expect, test } from 'vitest';
import { casesOf, encode, launches, launchKey, launchOptions, table } from './matrix.ts';
import type { Report as Random } from './programs/collectives-random.ts';
import type { Report as Cases } from './programs/communicators-cases.ts';
import type { Report as End } from './programs/communicators-ends.ts';
import type { Report as Many } from './programs/communicators-many.ts';
import type { Report as Matrix } from './programs/runtime-matrix.ts';
import { COMMUNICATORS } from './support/communicator.ts';
import { jsonLines, launch, runAlone } from './support/launch.ts';

const full = process.env.ONECOPY_TEST_FULL === '1';
const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const again = `ONECOPY_TEST_SEED=${seed}`;
const deadlineMs = full ? 900_000 : 60_000;

console.log(`communicators: ${again}`);

const CHANNELS = ['ring', 'socket'] as const;
const VARIANTS: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['ring', ['--channel', 'ring']],
  ['socket', ['--channel', 'socket']],
  ['an eager limit of 0', ['--eager-limit', '0']],
  ['staging', ['--deny-pull', '--eager-limit', '0']],
];
const RANKS = [1, 2, 3, 5, 8];

describe.each(VARIANTS)('over %s,', (name, options) => {
  const turn = VARIANTS.findIndex(([each]) => each === name);
  test.each(RANKS.filter((_, each) => full || (each + turn) % 2 === 0))(
    '%i ranks make communicators of communicators',
    async (ranks) => {
      const outcome = await launch('communicators-cases.ts', {
        ranks,
        options,
        args: [String(seed)],
        deadlineMs,
      });
      expect(outcome, `${again}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
      const reports = jsonLines<Cases>(outcome);
      expect(reports.map(({ rank }) => rank).sort()).toEqual([...Array(ranks).keys()]);
      for (const { cases } of reports) expect(cases).toBeGreaterThan(10);
    },
  );

  test('wrong uses throw, and leave everything as it was', async () => {
    const outcome = await launch('communicators-misuse.ts', { ranks: 3, options });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(outcome)).toHaveLength(3);
  });
});

test('a world of one makes communicators too', async () => {
  const outcome = await runAlone('communicators-cases.ts', [String(seed)]);
  expect(outcome, `${again}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
});

describe.each(['ring', 'socket'])(
  'over %s, nothing is kept of communicators that are gone:',
  (channel) => {
    test('tables after 10,000 are as many as after 1000', async () => {
      const options = ['--channel', channel];
      const outcome = await launch('communicators-many.ts', { ranks: 2, options, deadlineMs });
      expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
      const reports = jsonLines<Many>(outcome);
      expect(reports).toHaveLength(2);
      for (const { kept } of reports) {
        expect(kept[1]).toBeLessThanOrEqual(kept[0] + 2);
      }
    });
  },
);

// ------------------------------------------------------------------------------------------------- ranks that end

describe.each(CHANNELS)('over %s,', (channel) => {
  const options = ['--channel', channel];

  test('who waits for any member hears when all members have left, whoever else is there', async () => {
    const outcome = await launch('communicators-ends.ts', { ranks: 3, options, args: ['leaves'] });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const reports = jsonLines<End>(outcome);
    const told = Object.fromEntries(reports.map(({ what, code, peer }) => [what, { code, peer }]));
    const left = { code: 'ERR_PROC_LEFT', peer: 0 };
    expect(told).toEqual({
      recv: { code: 'ERR_PROC_LEFT', peer: undefined },
      irecv: { code: 'ERR_PROC_LEFT', peer: undefined },
      probe: { code: 'ERR_PROC_LEFT', peer: undefined },
      send: left,
      dup: left,
      createGroup: left,
      'recv in what was made': { code: 'ERR_PROC_LEFT', peer: undefined },
    });
  });

  const calls = ['dup', 'idup', 'split', 'create', 'createGroup', 'createCart', 'createDistGraph'];
  test.each(calls.filter((_, each) => full || each % 2 === CHANNELS.indexOf(channel)))(
    'a rank that dies ends %s on the others',
    async (call) => {
      const outcome = await launch('communicators-ends.ts', { ranks: 3, options, args: [call] });
      expect(outcome).toMatchObject({ code: 137, signal: null });
      expect(outcome.stderr).toMatch(/rank 2 \(pid \d+\) was killed by SIGKILL/);
      const reports = jsonLines<End>(outcome);
      expect(reports.map(({ rank }) => rank).sort(), outcome.stderr).toEqual([0, 1]);
      for (const { code, peer } of reports) {
        expect(['ERR_PROC_FAILED', 'ERR_ABORTED']).toContain(code);
        // Rank 2 of the world is rank 0 of the communicator.
        if (code === 'ERR_PROC_FAILED') expect(peer).toBe(0);
      }
    },
  );
});

// ------------------------------------------------------------------- everything else, on communicators other than world

const OTHERS = COMMUNICATORS.slice(1);

describe.each(OTHERS)('on the communicator "%s",', (communicator) => {
  const turn = OTHERS.indexOf(communicator);
  const env = { ONECOPY_TEST_COMMUNICATOR: communicator };

  test.each(VARIANTS.filter((_, each) => full || (each + turn) % 2 === 0))(
    'random collective calls over %s',
    async (name, options) => {
      const ranks = 3 + ((turn + VARIANTS.findIndex(([each]) => each === name)) % 4);
      const outcome = await launch('collectives-random.ts', {
        ranks,
        options,
        env,
        args: [String(seed), full ? '500' : '20'],
        deadlineMs,
      });
      expect(outcome, `${again}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
      const reports = jsonLines<Random>(outcome);
      expect(reports).toHaveLength(ranks);
      for (const { calls } of reports) expect(calls).toBeGreaterThan(0);
    },
    2 * deadlineMs,
  );

  const { chosen } = table(full);
  const settings = launches(chosen).filter((_, each) => full || each % 12 === 4 * turn);
  test.each(settings.map((setting) => [launchKey(setting), setting] as const))(
    'cases of the matrix: %s',
    async (_key, setting) => {
      const cases = casesOf(setting, chosen);
      const outcome = await launch('runtime-matrix.ts', {
        ranks: setting.ranks,
        options: launchOptions(setting),
        env,
        deadlineMs,
        args: [String(seed), ...cases.map((one) => String(encode(one)))],
      });
      const reports = jsonLines<Matrix>(outcome);
      const problems = reports.flatMap(({ failures }) => failures);
      expect(problems, `${again}\n${outcome.stderr}`).toEqual([]);
      expect(outcome, outcome.stderr).toMatchObject({ code: 0, signal: null });
      expect(reports.map(({ ran }) => ran)).toEqual(Array(setting.ranks).fill(cases.length));
    },
    2 * deadlineMs,
  );
});

test('an algorithm that needs a collective area is not forced on who has none', async () => {
  const outcome = await launch('collectives-random.ts', {
    ranks: 4,
    env: { ONECOPY_TEST_COMMUNICATOR: 'reversed', ONECOPY_COLL: 'barrier=flat' },
    args: [String(seed), '5'],
    deadlineMs,
  });
  expect(outcome, `${again}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
});
