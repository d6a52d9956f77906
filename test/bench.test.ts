// `onecopy bench` as a user runs it, with as few iterations as show that it works: nothing here looks at speed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../packages/onecopy/bin/onecopy.js', import.meta.url));
const FEW = ['--iterations', '20', '--warmup', '5'];

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, 'bench', ...args], {
    env: { ...process.env, ...env },
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
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function linesOf({ stdout }: Outcome): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('--json is a contract', () => {
  test.each([
    ['pingpong', 2],
    ['alltoall', 3],
  ])('%s among %i ranks', async (benchmark, ranks) => {
    const outcome = await bench([
      ...[benchmark, '-n', String(ranks), '--sizes', '8,1M', '--json', '--eager-limit', '8K'],
      ...FEW,
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const [small, large, ...more] = linesOf(outcome);
    expect(more).toEqual([]);
    for (const record of [small!, large!]) {
      // Keys may be added, and none may go or change its type.
      expect(record).toMatchObject({
        benchmark,
        ranks,
        iterations: 20,
        latencyUs: {
          min: expect.any(Number),
          mean: expect.any(Number),
          p50: expect.any(Number),
          p99: expect.any(Number),
          max: expect.any(Number),
        },
        bandwidthMBs: expect.any(Number),
        channel: expect.stringMatching(/^(socket|ring)$/),
        node: process.version,
      });
      const { min, p50, p99, max } = record.latencyUs as Record<string, number>;
      expect([min, p50, p99, max]).toEqual([min, p50, p99, max].sort((a, b) => a! - b!));
      expect(min).toBeGreaterThan(0);
    }
    expect(small).toMatchObject({ bytes: 8, path: 'eager', mover: null });
    expect(large).toMatchObject({ bytes: 1_048_576, path: 'rendezvous', mover: 'cma' });
    const mean = (large!.latencyUs as { mean: number }).mean;
    expect(large!.bandwidthMBs).toBeCloseTo((1_048_576 * (ranks - 1)) / mean, 0);
  });

  test.each([
    ['bcast', 2, 1],
    ['bcast', 3, 1],
    ['reduce', 2, 1],
    ['reduce', 3, 1],
    ['allreduce', 2, 1],
    ['allreduce', 3, 1],
    ['allgather', 2, 1],
    ['allgather', 3, 2],
  ])('%s among %i ranks, checked', async (benchmark, ranks, counted) => {
    const outcome = await bench([
      ...[benchmark, '-n', String(ranks), '--sizes', '8,64K', '--check', '--json'],
      ...FEW,
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const records = linesOf(outcome);
    expect(records.map(({ bytes }) => bytes)).toEqual([8, 65_536]);
    for (const record of records) {
      expect(record).toMatchObject({ benchmark, ranks, iterations: 20, node: process.version });
    }
    const { latencyUs, bandwidthMBs } = records[1] as {
      latencyUs: { mean: number };
      bandwidthMBs: number;
    };
    expect((bandwidthMBs * latencyUs.mean) / (65_536 * counted)).toBeCloseTo(1, 2);
  });

  test.each([2, 3])('barrier among %i ranks, checked: one record, of 0 bytes', async (ranks) => {
    const outcome = await bench(['barrier', '-n', String(ranks), '--check', '--json', ...FEW]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(outcome)).toMatchObject([
      { benchmark: 'barrier', ranks, bytes: 0, iterations: 20, bandwidthMBs: 0 },
    ]);
  });

  // Of 20 iterations and 2 sizes: both ranks of a pair verify a message, or the receivers all of a window.
  test.each([
    ['awaited', 2, 1],
    ['multipair', 4, 1],
    ['bandwidth', 2, 1],
    ['bibandwidth', 2, 2],
    ['rate', 2, 1],
    ['persistent', 2, 1],
  ])('%s among %i ranks, checked', async (benchmark, ranks, counted) => {
    const outcome = await bench([
      ...[benchmark, '-n', String(ranks), '--sizes', '8,64K', '--check', '--json'],
      ...FEW,
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const records = linesOf(outcome);
    expect(records.map(({ bytes }) => bytes)).toEqual([8, 65_536]);
    for (const record of records) {
      expect(record).toMatchObject({ benchmark, ranks, iterations: 20, node: process.version });
      expect('messagesPerSecond' in record).toBe(benchmark === 'rate');
    }
    const { latencyUs, bandwidthMBs } = records[1] as {
      latencyUs: { mean: number };
      bandwidthMBs: number;
    };
    expect((bandwidthMBs * latencyUs.mean) / (65_536 * counted)).toBeCloseTo(1, 2);
  });

  test('--off-cache: says through how much memory the buffers walked', async () => {
    const args = ['pingpong', '--sizes', '8,64K', '--off-cache', '--check', '--json', ...FEW];
    const outcome = await bench(args);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    for (const record of linesOf(outcome)) {
      expect(record).toMatchObject({ iterations: 20, offCacheBytes: expect.any(Number) });
    }
  });

  test('--mover heap takes buffers from alloc, or says that there is none', async () => {
    const { code, stdout, stderr } = await bench([
      // Of larger ones the sender writes its part.
      ...['pingpong', '--sizes', '256K', '--mover', 'heap', '--json'],
      ...FEW,
    ]);
    if ('alloc' in (await import('../packages/runtime/src/index.ts'))) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ buffers: 'alloc', mover: 'heap' });
    } else {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/--mover heap needs alloc, which this version of onecopy does not/);
    }
  });

  test('path and mover are those that were taken', async () => {
    const small = ['pingpong', '--sizes', '1K', '--json', ...FEW];
    expect(linesOf(await bench([...small, '--eager-limit', '0']))).toMatchObject([
      { path: 'rendezvous', mover: 'cma' },
    ]);
    const large = ['pingpong', '--sizes', '1M', '--json', ...FEW];
    for (const denied of [['--deny-pull'], ['--mover', 'staging']]) {
      expect(linesOf(await bench([...large, ...denied]))).toMatchObject([
        { path: 'rendezvous', mover: 'staging' },
      ]);
    }
  });

  test('--channel is that of the job, and --svg draws beside the lines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onecopy-bench-'));
    const file = join(folder, 'chart.svg');
    try {
      const outcome = await bench([
        ...['pingpong', '--sizes', '8,1K', '--rivals', '--rounds', '1', '--json'],
        ...['--channel', 'socket', '--svg', file, ...FEW],
      ]);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      const svg = readFileSync(file, 'utf8');
      for (const name of ['onecopy', 'postMessage', 'child_process']) expect(svg).toContain(name);
      expect(svg).not.toContain('NaN');
    } finally {
      rmSync(folder, { recursive: true });
    }
    const socket = ['pingpong', '--sizes', '8', '--channel', 'socket', '--json', ...FEW];
    expect(linesOf(await bench(socket))).toMatchObject([{ channel: 'socket' }]);
  });

  test('--rivals: one object per size', async () => {
    const outcome = await bench([
      ...['alltoall', '-n', '3', '--sizes', '8,64K', '--rivals', '--rounds', '1', '--json'],
      ...FEW,
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const records = linesOf(outcome);
    expect(records.map(({ bytes }) => bytes)).toEqual([8, 65_536]);
    for (const record of records) {
      expect(record).toMatchObject({
        benchmark: 'alltoall',
        ranks: 3,
        oursUs: expect.any(Number),
        peersUs: { postMessage: expect.any(Number), child_process: expect.any(Number) },
        ratios: { postMessage: expect.any(Number), child_process: expect.any(Number) },
        ratioToBest: expect.any(Number),
        pairs: 1,
        node: process.version,
      });
    }
  });
});

describe('tables', () => {
  test('one row per size, in line', async () => {
    const { code, stdout, stderr } = await bench([
      'pingpong',
      '-n',
      '3',
      '--sizes',
      '8,64K',
      ...FEW,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Node ${process.version}`);
    expect(stdout).toContain('Ping-pong, 3 ranks');
    expect(stdout).not.toContain('\x1b');
    const [header, ...rows] = stdout.split('\n').filter((line) => /^ +(size|8|64K) /.test(line));
    expect(rows.map((row) => row.trim().split(/\s+/)[0])).toEqual(['8', '64K']);
    for (const row of rows) expect(row).toHaveLength(header!.length);
  });

  test('beside the rivals', async () => {
    const { code, stdout, stderr } = await bench([
      ...['pingpong', '--sizes', '8', '--rivals', '--rounds', '1'],
      ...FEW,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /size +onecopy +postMessage +child_process +vs postMessage +vs child_process/,
    );
    expect(stdout).toMatch(/^ +8( +\d+(\.\d+)?){3}( +\d+(\.\d+)?x){2}$/m);
  });
});

describe('--check', () => {
  test.each([
    ['alltoall', 4],
    ['pingpong', 2],
  ])('%s among %i ranks brings every byte', async (benchmark, ranks) => {
    const args = [benchmark, '-n', String(ranks), '--sizes', '8,64K,1M', '--check', ...FEW];
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Every rank checks a message from each, itself included, or one of each pair.
    const messages = 3 * 20 * (benchmark === 'alltoall' ? ranks * ranks : 2);
    expect(stdout).toContain(`every byte of ${messages} messages`);
  });

  // Of 20 iterations and 2 sizes; each message of a window counts.
  test.each([
    ['awaited', 2, 80],
    ['multipair', 4, 160],
    ['bandwidth', 3, 2560],
    ['bibandwidth', 2, 5120],
  ])('%s among %i ranks says what was verified', async (benchmark, ranks, messages) => {
    const args = [benchmark, '-n', String(ranks), '--sizes', '8,64K', '--check', ...FEW];
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`every byte of ${messages} messages`);
  });

  // Of 20 iterations and 2 sizes among 3 ranks; a bcast has two receivers, a reduce one result.
  test.each([
    ['bcast', 'every byte of 80 messages'],
    ['reduce', 'every element of 40 results'],
    ['allreduce', 'every element of 120 results'],
    ['allgather', 'every byte of 360 messages'],
  ])('%s says what was verified', async (benchmark, sentence) => {
    const args = [benchmark, '-n', '3', '--sizes', '1K,64K', '--check', ...FEW];
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(sentence);
  });

  test('barrier says what was verified', async () => {
    const { code, stdout } = await bench(['barrier', '-n', '3', '--check', ...FEW]);
    expect(code).toBe(0);
    expect(stdout).toContain('no rank left one of 20 barriers before all had come');
  });

  test.each([
    ['bcast', '0:7:5', /on rank [12], .* from rank 0, iteration 7: byte 5 should be/],
    ['allgather', '2:0:6', /on rank [012], .* from rank 2, iteration 0: byte 6 should be/],
    // The lowest byte, of which a sum of numbers of any magnitude might keep nothing.
    ['reduce', '2:3:16', /on rank 0, sum over 3 ranks, .* iteration 3: element 2 should be/],
    ['allreduce', '1:19:1023', /on rank [012], sum over 3 ranks, .* 19: element 127 should be/],
    ['barrier', '1:4:0', /on rank 1, barrier, iteration 4: it left \d+ ns before rank 1 came/],
  ])('%s fails loudly over what was spoilt (%s)', async (benchmark, spoilt, sentence) => {
    const size = benchmark === 'barrier' ? [] : ['--sizes', '1K'];
    const args = [benchmark, '-n', '3', ...size, '--check', '--json', ...FEW];
    const { code, stdout, stderr } = await bench(args, { ONECOPY_BENCH_CORRUPT: spoilt });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test.each([
    [
      'pingpong',
      '2',
      '0:7:5',
      /on rank 1, message of 1024 bytes from rank 0, iteration 7: byte 5 /,
    ],
    ['pingpong', '2', '1:19:1023', /on rank 0, .* from rank 1, iteration 19: byte 1023 /],
    ['multipair', '4', '3:2:9', /on rank 1, .* from rank 3, iteration 2: byte 9 /],
    ['awaited', '2', '0:1:0', /on rank 1, .* from rank 0, iteration 1: byte 0 /],
    // The first of the third window of 64.
    ['persistent', '2', '0:2:7', /on rank 1, .* from rank 0, iteration 2: byte 7 /],
    ['rate', '2', '0:2:7', /on rank 1, .* from rank 0, iteration 128: byte 7 /],
    ['bibandwidth', '2', '1:0:7', /on rank 0, .* from rank 1, iteration 0: byte 7 /],
    // Byte 1030 of what rank 2 sends is byte 6 of what rank 1 gets.
    ['alltoall', '3', '2:0:1030', /on rank 1, .* from rank 2, iteration 0: byte 6 /],
  ])(
    '%s among %s ranks fails loudly over one wrong byte (%s)',
    async (benchmark, ranks, spoilt, sentence) => {
      const args = [benchmark, '-n', ranks, '--sizes', '1K', '--check', '--json', ...FEW];
      const { code, stdout, stderr } = await bench(args, { ONECOPY_BENCH_CORRUPT: spoilt });
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(sentence);
      expect(stderr).toMatch(/should be 0x[0-9a-f]{2} and is 0x[0-9a-f]{2}/);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );
});

describe('the command line', () => {
  test.each([
    [[], /which benchmark\?/],
    [['pingpang'], /no benchmark pingpang/],
    [['pingpong', '-n', '1'], /at least 2 ranks/],
    [['alltoall', '--sizes', '8,big'], /"big" is not a size/],
    [['alltoall', '--colour'], /no option --colour/],
    [['reduce', '--sizes', '8,12'], /12 is no size for reduce, .* multiple of 8/],
    [['barrier', '--sizes', '8'], /barrier moves nothing that has a size/],
    [['bcast', '--rivals'], /--rivals is for pingpong and alltoall/],
    [['multipair', '-n', '5'], /multipair needs an even number of ranks/],
    [['peers', 'awaited'], /the peers have no benchmark awaited/],
  ])('%j is refused in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('what the launcher refuses is refused', async () => {
    const { code, stdout, stderr } = await bench(['pingpong', '--eager-limit', 'little', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/--eager-limit/);
  });

  test('--help', async () => {
    const { code, stdout } = await bench(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: onecopy bench/);
  });
});
