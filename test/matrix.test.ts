import { describe, expect, test } from 'vitest';
import { casesOf, encode, launches, launchKey, launchOptions, table } from './matrix.ts';
import type { Report } from './programs/runtime-matrix.ts';
import { jsonLines, launch } from './support/launch.ts';

const full = process.env.ONECOPY_TEST_FULL === '1';
const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const { chosen, leftOut } = table(full);
const deadlineMs = full ? 900_000 : 60_000;

console.log(
  `matrix: ${chosen.length} cases, ${leftOut} left out` +
    `${full ? '' : ' (ONECOPY_TEST_FULL=1 runs a third)'}; ONECOPY_TEST_SEED=${seed}`,
);

describe('point-to-point and collective operations on', () => {
  for (const setting of launches(chosen)) {
    const cases = casesOf(setting, chosen);
    test(
      `${launchKey(setting)}: ${cases.length} cases`,
      async () => {
        const outcome = await launch('runtime-matrix.ts', {
          ranks: setting.ranks,
          options: launchOptions(setting),
          deadlineMs,
          args: [String(seed), ...cases.map((one) => String(encode(one)))],
        });
        const reports = jsonLines<Report>(outcome);
        const problems = reports.flatMap(({ failures }) => failures);
        expect(problems.length, `seed ${seed}\n${problems.join('\n')}\n${outcome.stderr}`).toBe(0);
        expect(outcome, outcome.stderr).toMatchObject({ code: 0, signal: null });
        expect(reports.map(({ ran }) => ran)).toEqual(Array(setting.ranks).fill(cases.length));
      },
      2 * deadlineMs,
    );
  }
});
