// The ledger of what of MPI there is: true, complete, and the page made of it current.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, type Outcome, root } from './support/command.ts';

const table = readFileSync(join(root, 'scripts/coverage/table.txt'), 'utf8');
const listed = readFileSync(join(root, 'scripts/coverage/procedures.txt'), 'utf8')
  .trim()
  .split('\n');

function script(name: string, ...args: string[]): Promise<Outcome> {
  return new Command(process.execPath, [join(root, 'scripts', name), ...args]).ended;
}

const check = (...args: string[]): Promise<Outcome> => script('coverage/check.mjs', ...args);

test('the page is what scripts/coverage-docs.mjs writes', async () => {
  const outcome = await script('coverage-docs.mjs', '--print');
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const page = readFileSync(join(root, 'docs/coverage.md'), 'utf8');
  expect(page, 'run node scripts/coverage-docs.mjs').toBe(outcome.stdout);
});

test('all symbols are exported, all tests use them, and every procedure is there once', async () => {
  const outcome = await check();
  for (const line of outcome.stdout.split('\n')) {
    if (line.startsWith('note: ')) console.warn(line);
  }
  expect(outcome, outcome.stdout).toMatchObject({ code: 0, stderr: '' });
});

describe('what is not true is found:', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'onecopy-coverage-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const SEND = /^MPI_Send .*$/m;
  const used = 'test/runtime-alone.test.ts';
  test.each<[string, RegExp, string, RegExp]>([
    [
      'a method that is none',
      SEND,
      `MPI_Send | Communicator.sent | ${used}`,
      /no Communicator\.sent/,
    ],
    ['a class that is none', SEND, `MPI_Send | Sender.send | ${used}`, /no Sender\.send/],
    ['what all classes have', SEND, `MPI_Send | Request.name | ${used}`, /no Request\.name/],
    ['an export that is none', SEND, `MPI_Send | send | ${used}`, /no send\n/],
    [
      'a test that is none',
      SEND,
      'MPI_Send | Communicator.send | test/none.ts',
      /no test 'test\/none/,
    ],
    ['no test', SEND, 'MPI_Send | Communicator.send', /no test ''/],
    ['a page as a test', SEND, 'MPI_Send | Communicator.send | README.md', /no test 'README/],
    [
      'a test of something else',
      SEND,
      'MPI_Send | Communicator.send | test/programs/runtime-lifetime.mjs',
      /lifetime\.mjs does not use Communicator\.send/,
    ],
    [
      'a file without onecopy',
      SEND,
      'MPI_Send | Communicator.send | test/support/command.ts',
      /does not use/,
    ],
    ['a procedure that is missing', SEND, '', /^MPI_Send is missing/],
    ['a procedure twice', SEND, `$&\n$&`, /^MPI_Send is there twice/m],
    ['a procedure that is none', SEND, '$&\nMPI_Sent | later | info', /^MPI_Sent is not in MPI/],
    ['a promise of anything', SEND, 'MPI_Send | later | everything', /'everything' is no topic/],
    ['leaving out what is wanted', SEND, 'MPI_Send | not offered | sending', /has to be offered/],
    ['no reason', SEND, 'MPI_Send | in JavaScript', /a reason is missing/],
    ['no name', SEND, 'MPI_Send | not yet', /no symbol is planned/],
  ])('%s', async (_what, row, replacement, says) => {
    const spoilt = table.replace(row, replacement);
    expect(spoilt).not.toBe(table);
    const file = join(folder, 'table.txt');
    writeFileSync(file, spoilt);
    const { code, stdout, stderr } = await check(file);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout.replace(/^note: .*\n/gm, '')).toMatch(says);
  });
});

const HEADERS = [
  '/usr/lib/x86_64-linux-gnu/openmpi/include/mpi.h',
  '/usr/include/x86_64-linux-gnu/mpich/mpi_proto.h',
];
const headers = HEADERS.filter((file) => existsSync(file));
if (headers.length === 0) {
  console.warn(
    `left out: the list of procedures beside those of an MPI: there is none at ${HEADERS}`,
  );
}

/** For large counts, for Fortran, and of MPI-5.0. */
const NOT_LISTED = /_(c|c2f|f2c|c2f08|f082c|f2f08|f082f|toint|fromint)$|^MPI_Abi_/;
/** Gone since MPI-3.0, and still declared. */
const REMOVED =
  /^MPI_(Address|Errhandler_(create|get|set)|Type_(extent|hindexed|hvector|lb|struct|ub))$/;

describe.skipIf(headers.length === 0)('no procedure is missing in the list', () => {
  test.each(headers)('that is declared in %s', (file) => {
    const declared =
      readFileSync(file, 'utf8').match(
        /(?<=\b(int|double|MPI_Aint) )MPI_[A-Z]\w*[a-z]\w*(?= *\()/g,
      ) ?? [];
    const known = new Set(listed);
    const missing = declared.filter(
      (name) => !known.has(name) && !NOT_LISTED.test(name) && !REMOVED.test(name),
    );
    expect([...new Set(missing)]).toEqual([]);
    expect(declared.length).toBeGreaterThan(300);
  });
});
