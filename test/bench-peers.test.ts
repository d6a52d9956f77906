// `onecopy bench peers`: with made-up MPIs, for what must be said and must not hang, and with a real one where there is.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { OptionError } from '../bench/src/arguments.ts';
import { parseList } from '../bench/src/peers/cores.ts';
import { benchmarksChart, benchmarksPage } from '../bench/src/peers/documentation.ts';
import { isProgram, parsePair, recognise } from '../bench/src/peers/installation.ts';
import { describeSettings, launchSettings } from '../bench/src/peers/launch-settings.ts';
import { parsePeersOptions } from '../bench/src/peers/options.ts';
import { configurationsOf } from '../bench/src/peers/plan.ts';
import { type PeersRecord, summariseRounds } from '../bench/src/peers/record.ts';

const cli = fileURLToPath(new URL('../packages/onecopy/bin/onecopy.js', import.meta.url));
const FEW = ['--iterations', '20', '--warmup', '5', '--pairs', '1'];
const folder = mkdtempSync(join(tmpdir(), 'onecopy-fake-mpi-'));
afterAll(() => rmSync(folder, { recursive: true }));

function peers(args: readonly string[]) {
  const child = spawn(process.execPath, [cli, 'bench', 'peers', ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return Object.assign(ended, { child, hasSaid: (text: string) => stdout.includes(text) });
}

function script(name: string, body: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const mpicc = script('mpicc', 'exit 0');

/** A launcher of an MPI that there is not: says its version, else does this. */
function fakeLauncher(name: string, body: string): string {
  return script(
    name,
    `if [ "$1" = --version ]; then printf 'HYDRA build details:\\n  Version: 9.8.7\\n'; exit 0; fi\n${body}`,
  );
}

const RESULT =
  '{"iterations":20,"latencyUs":{"min":1,"mean":2,"p50":2,"p99":3,"max":4},"cores":[0,1]}';
const answering = fakeLauncher('mpirun-answering', `echo 'a word of advice'; echo '${RESULT}'`);
const failing = fakeLauncher('mpirun-failing', 'echo "no slots left" >&2; exit 3');
// As some launchers do, it leaves a rank behind that is not in its process group.
const sleep = `sleep 47.${process.pid}`;
const stalling = fakeLauncher('mpirun-stalling', `setsid ${sleep} & ${sleep}`);

function processesOf(command: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(command.replace(' ', '\0'));
    } catch {
      return false;
    }
  });
}

describe('made-up MPIs', () => {
  test('one object per configuration, its keys a contract', async () => {
    const args = ['pingpong', 'barrier', '-n', '2', '--sizes', '8', '--json', ...FEW];
    const { code, stdout, stderr } = await peers([...args, '--mpi', `mine=${mpicc},${answering}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PeersRecord);
    expect(records.map(({ benchmark, bytes }) => [benchmark, bytes])).toEqual([
      ['pingpong', 8],
      ['barrier', 0],
    ]);
    for (const record of records) {
      expect(record).toMatchObject({
        ranks: 2,
        oursUs: expect.any(Number),
        peersUs: { mine: 2 },
        ratios: { mine: expect.any(Number) },
        ratioToBest: record.ratios.mine,
        best: 'mine',
        pairs: 1,
        p50: { peersUs: { mine: 2 } },
        p99: { peersUs: { mine: 3 } },
        settings: { onecopy: expect.any(String), mine: expect.any(String) },
        versions: { mine: 'MPICH 9.8.7' },
        machine: { cores: expect.any(Number), kernel: expect.stringMatching(/^Linux /) },
      });
    }
  });

  test('who fails or stalls is out, with the reason, and leaves nothing behind', async () => {
    const { code, stdout } = await peers([
      ...['pingpong', '--sizes', '8', '--timeout', '5', ...FEW],
      ...['--mpi', `late=${mpicc},${stalling}`, '--mpi', `broken=${mpicc},${failing}`],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('late has no figure: no end after 5 s');
    expect(stdout).toMatch(/broken has no figure: .*exit code 3: no slots left/);
    expect(processesOf(sleep)).toEqual([]);
  });

  test('SIGTERM ends everything', async () => {
    const running = peers([
      ...['pingpong', '--sizes', '8', ...FEW],
      ...['--mpi', `late=${mpicc},${stalling}`],
    ]);
    while (processesOf(sleep).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    running.child.kill('SIGTERM');
    expect((await running).code).toBe(143);
    expect(processesOf(sleep)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('onecopy-peers-'))).toEqual([]);
  });

  test.each([
    ['mine=/no/mpicc,/no/mpirun', /there is no program \/no\/mpicc on this system/],
    [`mine=${mpicc},mpirun.nowhere`, /there is no program mpirun.nowhere on this system/],
    ['mpicc,mpirun', /--mpi is name=mpicc,mpirun or name=mpicc,mpirun,root, not "mpicc,mpirun"/],
  ])('--mpi %s is refused in one sentence', async (mpi, sentence) => {
    const { code, stdout, stderr } = await peers(['pingpong', '--mpi', mpi]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

const openMpi = ['mpicc.openmpi', 'mpirun.openmpi'].every((name) => isProgram(name));
if (!openMpi) console.log('left out: benchmarks beside Open MPI, which is not installed');

describe.skipIf(!openMpi)('Open MPI', () => {
  test.each([
    ['pingpong', '2', '8'],
    ['multipair', '4', '8'],
    ['rate', '2', '8'],
    ['persistent', '2', '8'],
    ['bibandwidth', '2', '64K'],
    ['allreduce', '2', '1K'],
  ])('%s among %s ranks', async (benchmark, ranks, size) => {
    const { code, stdout, stderr } = await peers([
      ...[benchmark, '-n', ranks, '--sizes', size, '--json', ...FEW],
      ...['--mpi', 'real=mpicc.openmpi,mpirun.openmpi'],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const record = JSON.parse(stdout) as PeersRecord;
    expect(record.failures).toBeUndefined();
    expect(record.peersUs.real).toBeGreaterThan(0);
    expect(record.p99.peersUs.real).toBeGreaterThanOrEqual(record.p50.peersUs.real!);
    expect(record.versions.real).toMatch(/^Open MPI \d/);
  });

  test('the C programs say what they do not understand', () => {
    const program = join(folder, 'pingpong');
    const sources = ['pingpong.c', 'measure.c'].map((name) =>
      fileURLToPath(new URL(`../bench/peers/${name}`, import.meta.url)),
    );
    const flags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-O2'];
    const compiled = spawnSync('mpicc.openmpi', [...flags, '-o', program, ...sources]);
    expect(String(compiled.stderr)).toBe('');
    const started = spawnSync(
      'mpirun.openmpi',
      ['--allow-run-as-root', '--oversubscribe', '-n', '2', program, 'pingpang', '8'],
      { encoding: 'utf8' },
    );
    expect(started.status).not.toBe(0);
    expect(started.stderr).toContain('this program has no such benchmark: pingpang');
  });
});

describe('options', () => {
  test('defaults', () => {
    expect(parsePeersOptions([], {})).toEqual({
      benchmarks: [],
      pairs: 5,
      quick: false,
      timeoutMs: 60_000,
      mpi: [],
      pages: 'small',
      json: false,
      channel: 'ring',
      offCache: false,
      launcherArguments: [],
    });
    expect(parsePeersOptions(['--quick'], {})).toMatchObject({ pairs: 3 });
  });

  test.each([
    ['--sizes 8', /--sizes is for benchmarks that are named/],
    ['pingpang', /the peers have no benchmark pingpang/],
    ['multipair -n 3', /even number/],
    ['allreduce --sizes 9', /multiple of 8/],
    ['--pairs 0', /--pairs takes a whole number from 1 up/],
  ])('%s', (line, sentence) => {
    const parse = () => parsePeersOptions(line.split(' '), {});
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(sentence);
  });

  test('a pair may lie in a root of its own', () => {
    expect(parsePair('new=mpicc,mpirun,/opt/new')).toEqual({
      name: 'new',
      mpicc: 'mpicc',
      mpirun: 'mpirun',
      root: '/opt/new',
    });
  });

  test('the usual set, with alloc where there is one', () => {
    const nothing = { benchmarks: [], quick: false } as const;
    const usual = configurationsOf({ ...nothing, hasAlloc: true });
    expect(
      usual.map(({ benchmark }) => benchmark).filter((name) => name === 'pingpong'),
    ).toHaveLength(8);
    expect(usual.filter(({ buffers }) => buffers)).toEqual([
      { benchmark: 'pingpong', ranks: 2, bytes: 2 ** 20, buffers: 'alloc' },
    ]);
    expect(configurationsOf({ ...nothing, hasAlloc: false })).toHaveLength(usual.length - 1);
    expect(configurationsOf({ ...nothing, benchmarks: ['barrier'], hasAlloc: true })).toEqual([
      { benchmark: 'barrier', ranks: 4, bytes: 0 },
      { benchmark: 'barrier', ranks: 8, bytes: 0 },
    ]);
  });
});

test('who it is, by what the launcher says', () => {
  expect(recognise('mpirun.openmpi (Open MPI) 6.0.0rc2\n')).toMatchObject({
    kind: 'openmpi',
    version: 'Open MPI 6.0.0rc2',
    major: 6,
  });
  expect(recognise('mpirun (OpenRTE) 4.1.4')).toMatchObject({ kind: 'openmpi', minor: 1 });
  expect(recognise('HYDRA build details:\n    Version:   5.0.2\n')).toMatchObject({
    kind: 'mpich',
    version: 'MPICH 5.0.2',
  });
  expect(recognise('My MPI')).toMatchObject({ kind: 'other', version: 'My MPI' });
});

test('a core for each rank, or leave for others to run', () => {
  const fits = describeSettings(launchSettings({ kind: 'openmpi', major: 6 }, 2, 2));
  expect(fits).toBe('--bind-to core');
  const crowded = describeSettings(launchSettings({ kind: 'openmpi', major: 6 }, 4, 2));
  expect(crowded).toMatch(/--oversubscribe .* mpi_yield_when_idle 1/);
  expect(parseList('0-2,5')).toEqual([0, 1, 2, 5]);
});

describe('results', () => {
  const machine = {
    processor: 'Some Processor',
    cores: 2,
    kernel: 'Linux 1.2',
    caches: { L3: '36M' },
    memoryBytes: 2 ** 34,
    hugePages: 'madvise',
    node: 'v1',
  };
  const figures = (us: number) => ({ mean: us, p50: us, p99: 2 * us });
  const recordOf = (benchmark: 'pingpong' | 'barrier', bytes: number): PeersRecord =>
    summariseRounds(
      { benchmark, ranks: 2, bytes },
      {
        ours: [1, 2, 30].map(figures),
        peers: new Map([
          ['fast', [2, 2, 20].map(figures)],
          ['slow', [10, 10, 10].map((us) => ({ mean: us, p50: us }))],
        ]),
        failures: new Map([['gone', 'no end after 60 s']]),
      },
      {
        settings: { onecopy: 'bound', fast: '-x' },
        versions: { fast: 'Fast 1', slow: 'Slow 2' },
        machine,
      },
    );

  test('ratios are medians of the ratios of each turn, and the best peer is where ours does worst', () => {
    expect(recordOf('pingpong', 8)).toMatchObject({
      oursUs: 2,
      peersUs: { fast: 2, slow: 10 },
      ratios: { fast: 1, slow: 0.2 },
      best: 'fast',
      ratioToBest: 1,
      p99: { oursUs: 4, peersUs: { fast: 4 } },
      failures: { gone: 'no end after 60 s' },
    });
  });

  test('the page names machine, peers and method, and has a row for every figure', () => {
    const records = [recordOf('pingpong', 8), recordOf('pingpong', 1024), recordOf('barrier', 0)];
    const page = benchmarksPage(records);
    expect(page).toContain('Some Processor, 2 cores');
    expect(page).toContain('L3 36M');
    expect(page).toContain('| fast | Fast 1 |');
    expect(page).toContain('| 2 | 1K | mean | 2.00 | 2.00 | 10.0 | **1.00** | fast |');
    expect(page).toContain('|  |  | p99 | 4.00 | 4.00 | - | **1.00** | fast |');
    expect(page).toContain('gone, 2 ranks, 8: no figure, no end after 60 s.');
    expect(page).toContain('(benchmarks.svg)');
    expect(page).not.toMatch(/NaN|undefined/);
    const chart = benchmarksChart(records);
    for (const name of ['onecopy', 'fast', 'slow']) expect(chart).toContain(`>${name}<`);
    expect(chart).not.toContain('NaN');
    expect(() => benchmarksPage([])).toThrow(/no records/);
  });
});
