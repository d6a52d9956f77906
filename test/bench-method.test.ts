// The parts of @onecopy/bench that need no ranks.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OptionError } from '../bench/src/arguments.ts';
import { drawCharts } from '../bench/src/chart/chart.ts';
import { loopsOf, warmUp } from '../bench/src/loops.ts';
import { placeStride, placesFor, planOffCache } from '../bench/src/off-cache.ts';
import { parseOptions } from '../bench/src/options.ts';
import { CheckedBuffer, CheckFailure } from '../bench/src/ranks/checked-buffer.ts';
import { CheckedNumbers } from '../bench/src/ranks/checked-numbers.ts';
import { findEarlyLeaver } from '../bench/src/ranks/early-leaver.ts';
import { pageAligned } from '../bench/src/ranks/page-aligned.ts';
import { fill, verify } from '../bench/src/ranks/pattern.ts';
import { Places } from '../bench/src/ranks/places.ts';
import { fillSummand, findWrongSum, findWrongSummand } from '../bench/src/ranks/summands.ts';
import { bandwidthMBs } from '../bench/src/record.ts';
import { formatSize, parseSize } from '../bench/src/sizes.ts';
import { median, summarise } from '../bench/src/statistics.ts';
import { formatNumber, Table } from '../bench/src/table.ts';

describe('options', () => {
  test('defaults follow the benchmark', () => {
    expect(parseOptions(['pingpong'], {})).toEqual({
      benchmark: 'pingpong',
      ranks: 2,
      sizes: [8, 1024, 65_536, 1_048_576],
      check: false,
      json: false,
      rivals: false,
      rounds: 5,
      channel: 'ring',
      offCache: false,
      launcherArguments: [],
    });
    expect(parseOptions(['rate'], {})).toMatchObject({ ranks: 2, sizes: [8] });
    expect(parseOptions(['multipair'], {})).toMatchObject({ ranks: 4 });
    expect(parseOptions(['alltoall'], {})).toMatchObject({ ranks: 4 });
    expect(parseOptions(['barrier'], {})).toMatchObject({ ranks: 4, sizes: [0] });
  });

  test('everything that can be said', () => {
    const argv = 'alltoall -np 3 --sizes 0,4k,2MiB --iterations 7 --warmup 0 --check --json';
    const launcher = '--eager-limit=1K --deny-pull --verbose --grace 3';
    expect(
      parseOptions(`${argv} ${launcher}`.split(' '), { ONECOPY_BENCH_CORRUPT: '1:2:3' }),
    ).toMatchObject({
      ranks: 3,
      sizes: [0, 4096, 2_097_152],
      iterations: 7,
      warmup: 0,
      check: true,
      json: true,
      launcherArguments: ['--eager-limit', '1K', '--deny-pull', '--grace', '3', '--verbose'],
      corruption: { rank: 1, iteration: 2, offset: 3 },
    });
  });

  test('channel and mover go to the launcher, alloc to the ranks', () => {
    expect(
      parseOptions('pingpong --channel socket --mover staging --svg a.svg'.split(' '), {}),
    ).toMatchObject({
      channel: 'socket',
      svg: 'a.svg',
      launcherArguments: ['--channel', 'socket', '--deny-pull'],
    });
    expect(parseOptions(['rate', '--mover', 'heap', '--off-cache'], {})).toMatchObject({
      buffers: 'alloc',
      offCache: true,
      launcherArguments: [],
    });
    // The launcher reads it too.
    expect(parseOptions(['rate'], { ONECOPY_CHANNEL: 'socket' })).toMatchObject({
      channel: 'socket',
    });
  });

  test.each([
    ['', /which benchmark\? name one: pingpong, awaited, .* or barrier/],
    ['pingpang', /no benchmark pingpang/],
    ['pingpong alltoall', /one benchmark at a time/],
    ['pingpong -n 1', /needs at least 2 ranks/],
    ['pingpong -n two', /-n takes a whole number from 1 up, not "two"/],
    ['pingpong -n', /-n needs a value/],
    ['pingpong --sizes 8,huge', /"huge" is not a size: write 8, 64K, 1M or 2G/],
    ['pingpong --sizes 8,,64', /"" is not a size/],
    ['pingpong --iterations 0', /--iterations takes a whole number from 1 up, not "0"/],
    ['pingpong --iterations=-1', /not "-1"/],
    ['pingpong --iteration 5', /there is no option --iteration/],
    ['pingpong --check=yes', /--check takes no value/],
    ['multipair -n 3', /-n 3: multipair needs an even number of ranks/],
    ['pingpong --mover rdma', /there is no mover rdma: name cma, heap or staging/],
    ['pingpong --rivals --off-cache', /--off-cache does not go with --rivals/],
    ['pingpong --rounds 3', /--rounds needs --rivals/],
    ['allreduce --sizes 8,1001', /--sizes: 1001 is no size for allreduce, .* multiple of 8/],
    ['barrier --sizes 0', /barrier moves nothing that has a size: leave --sizes out/],
    ['reduce --rivals', /neither worker_threads nor child_process has a reduce/],
  ])('onecopy bench %s', (line, sentence) => {
    const parse = () => parseOptions(line.split(' ').filter(Boolean), {});
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(sentence);
  });

  test('sizes are read and written alike', () => {
    for (const text of ['0', '8', '1000', '1K', '64K', '1M', '3M', '2G']) {
      expect(formatSize(parseSize(text)!)).toBe(text);
    }
    expect(parseSize('1.5K')).toBeUndefined();
    expect(parseSize('99999999999G')).toBeUndefined();
  });
});

describe('statistics', () => {
  test('percentiles are samples', () => {
    const samples = Float64Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(summarise(samples)).toEqual({ min: 1, p50: 100, p99: 198, max: 200 });
    expect(summarise(Float64Array.of(5))).toEqual({ min: 5, p50: 5, p99: 5, max: 5 });
  });

  test('median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test('bandwidth is what one rank sends to others, in 1e6 bytes per second', () => {
    expect(bandwidthMBs('pingpong', 2, 1_000_000, 1000)).toBe(1000);
    expect(bandwidthMBs('alltoall', 4, 1_000_000, 1000)).toBe(3000);
    expect(bandwidthMBs('allgather', 4, 1_000_000, 1000)).toBe(3000);
  });

  test('or the message, where all have the same; or nothing', () => {
    for (const benchmark of ['bcast', 'reduce', 'allreduce'] as const) {
      expect(bandwidthMBs(benchmark, 4, 1_000_000, 1000)).toBe(1000);
    }
    expect(bandwidthMBs('barrier', 4, 0, 1000)).toBe(0);
  });
});

describe('loops', () => {
  /** Operations that take `eachMs`; what the generator asked for, and its result. */
  function play(plan: ReturnType<typeof loopsOf>, eachMs: number) {
    const counts: number[] = [];
    const steps = warmUp(plan);
    let step = steps.next();
    while (!step.done) {
      counts.push(step.value);
      step = steps.next(step.value * eachMs);
    }
    return { counts, iterations: step.value };
  }

  function sumOf(counts: readonly number[]): number {
    return counts.reduce((sum, count) => sum + count, 0);
  }

  test('fast operations are done as often as usual', () => {
    const small = play(loopsOf({ benchmark: 'pingpong' }, 8192, 2000), 0.001);
    expect(small.iterations).toBe(100_000);
    expect(sumOf(small.counts)).toBe(100_000);
    const large = play(loopsOf({ benchmark: 'pingpong' }, 8193, 2000), 0.001);
    expect(large).toEqual({
      counts: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 977],
      iterations: 1000,
    });
  });

  test('slow ones as often as time allows, but never too few to say anything', () => {
    expect(play(loopsOf({ benchmark: 'pingpong' }, 2 ** 20, 2000), 10)).toMatchObject({
      iterations: 200,
    });
    expect(play(loopsOf({ benchmark: 'pingpong' }, 2 ** 30, 2000), 5000)).toEqual({
      counts: [1, 2, 4, 3],
      iterations: 5,
    });
  });

  test('a warm-up of so many milliseconds lasts about as long, whatever the usual count', () => {
    const asked = { benchmark: 'pingpong', warmupMs: 400 } as const;
    const total = sumOf(play(loopsOf(asked, 8, 2000), 0.001).counts);
    expect(total).toBeGreaterThan(300_000);
    expect(total).toBeLessThan(500_000);
    expect(play(loopsOf(asked, 2 ** 30, 2000), 5000).counts).toEqual([1, 2, 4, 3]);
    expect(play(loopsOf({ ...asked, warmup: 2 }, 8, 2000), 0.001).counts).toEqual([1, 1]);
  });

  test('what was asked for is exact, however slow', () => {
    const asked = loopsOf({ benchmark: 'alltoall', iterations: 77, warmup: 3 }, 2 ** 30, 2000);
    expect(play(asked, 5000)).toEqual({ counts: [1, 2], iterations: 77 });
    const cold = loopsOf({ benchmark: 'alltoall', iterations: 1, warmup: 0 }, 8, 2000);
    expect(play(cold, 1)).toEqual({ counts: [], iterations: 1 });
  });
});

describe('off the cache', () => {
  const MiB = 2 ** 20;

  test('twice the last-level cache for each rank, or half of the memory for all', () => {
    expect(planOffCache(2, 32 * MiB, 8192 * MiB)).toMatchObject({ bytes: 64 * MiB, capped: false });
    expect(planOffCache(4, 480 * MiB, 4096 * MiB)).toMatchObject({
      bytes: 512 * MiB,
      capped: true,
    });
    expect(planOffCache(2).bytes).toBeGreaterThan(0);
  });

  test('large buffers walk through all of it, small ones leave a part that is only read', () => {
    expect(placesFor(MiB, 32 * MiB)).toBe(32);
    expect(placesFor(64 * MiB, 32 * MiB)).toBe(2);
    expect(placesFor(8, 32 * MiB) * placeStride(8)).toBe(8 * MiB);
  });

  test('no more small messages than there are cold places, unless they are asked for', () => {
    const cold = { benchmark: 'pingpong', offCacheBytes: 64 * MiB } as const;
    expect(loopsOf(cold, 8, 2000).iterations).toBe(2048);
    expect(loopsOf({ ...cold, benchmark: 'rate' }, 8, 2000).iterations).toBe(32);
    expect(loopsOf(cold, MiB, 2000).iterations).toBe(1000);
    expect(loopsOf({ ...cold, iterations: 9000 }, 8, 2000).iterations).toBe(9000);
  });

  test('places take turns', () => {
    const places = new Places(['a', 'b', 'c']);
    const seen = Array.from({ length: 5 }, () => {
      const { now } = places;
      places.advance();
      return now;
    });
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b']);
  });
});

describe('charts', () => {
  const records = [0, 8, 1024, 2 ** 20].map((bytes) => ({
    benchmark: 'pingpong' as const,
    ranks: 2,
    bytes,
    oursUs: 0.2 + bytes / 1e4,
    peersUs: { 'mpi & co': 0.3 + bytes / 9e3 },
  }));

  test('every series of every panel has its points, and no number is none', () => {
    const svg = drawCharts(records);
    expect(svg).toMatch(/^<svg xmlns/);
    expect(svg).toContain('>onecopy<');
    expect(svg).toContain('>mpi &amp; co<');
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    // 0 bytes have no place on a logarithmic axis; 2 series in 2 panels, and a symbol each in the legend.
    expect(svg.match(/class="line"/g)).toHaveLength(4);
    expect(svg.match(/class="symbol"/g)).toHaveLength(4 * 3 + 2);
  });

  test('a single size, ours alone, and nothing that has a size', () => {
    const alone = { benchmark: 'bcast', ranks: 4, bytes: 8, latencyUs: { mean: 1 } } as const;
    expect(drawCharts([alone])).not.toMatch(/NaN|Infinity/);
    expect(drawCharts([{ ...alone, benchmark: 'barrier', bytes: 0 }])).toContain(
      'nothing that has',
    );
  });
});

describe('check', () => {
  const message = { source: 0, dest: 1, iteration: 2 };

  test.each([0, 1, 8, 1000, 3_000_000])('%i bytes', (bytes) => {
    const view = new Uint8Array(bytes);
    fill(view, message);
    expect(verify(view, message)).toBeUndefined();
    if (bytes === 0) return;
    for (const offset of [0, bytes >> 1, bytes - 1]) {
      view[offset]! ^= 1;
      expect(verify(view, message)).toMatchObject({ offset });
      view[offset]! ^= 1;
    }
  });

  test('every message has a pattern of its own', () => {
    const view = new Uint8Array(64);
    fill(view, message);
    for (const other of [
      { ...message, source: 2 },
      { ...message, dest: 0 },
      { ...message, iteration: 3 },
      { source: 1, dest: 0, iteration: 2 },
    ]) {
      expect(verify(view, other)).toBeDefined();
    }
  });

  test('says which rank, size, iteration and byte, and what it was', () => {
    const buffer = new CheckedBuffer(16, 2);
    buffer.fill(message, 0);
    buffer.fill(message, 1);
    buffer.verify(message, 1);
    buffer.corrupt({ rank: 0, iteration: 2, offset: 19 }, 1, 2);
    buffer.verify(message, 1);
    buffer.corrupt({ rank: 0, iteration: 2, offset: 19 }, 0, 2);
    buffer.verify(message, 0);
    expect(() => buffer.verify(message, 1)).toThrow(CheckFailure);
    expect(() => buffer.verify(message, 1)).toThrow(
      /rank 1, message of 16 bytes from rank 0, iteration 2: byte 3 should be 0x.. and is 0x../,
    );
  });

  test('sees a write beyond the buffer', () => {
    const buffer = new CheckedBuffer(16);
    buffer.fill(message);
    new Uint8Array(buffer.data.buffer)[buffer.data.byteOffset + 18] = 0;
    expect(() => buffer.verify(message)).toThrow(/byte 2 after the end/);
  });
});

describe('check of a sum', () => {
  test('a flip of any byte of any summand shows, among 128 ranks', () => {
    const ranks = 128;
    const operands = Array.from({ length: ranks }, (_, rank) => {
      const view = new Float64Array(3);
      fillSummand(view, { rank, iteration: 5 });
      return view;
    });
    const sum = () =>
      operands.reduce((total, view) => total.map((value, index) => value + view[index]!));
    expect(findWrongSum(sum(), ranks, 5)).toBeUndefined();
    expect(findWrongSum(sum(), ranks, 6)).toBeDefined();
    for (const [rank, view] of operands.entries()) {
      const bytes = new Uint8Array(view.buffer);
      for (let offset = 0; offset < bytes.length; offset += 1) {
        bytes[offset]! ^= 0xff;
        expect(findWrongSum(sum(), ranks, 5)).toMatchObject({ index: offset >> 3 });
        expect(findWrongSummand(view, { rank, iteration: 5 })).toBeDefined();
        bytes[offset]! ^= 0xff;
      }
    }
  });

  test('sees a write beyond the buffer', () => {
    const numbers = new CheckedNumbers(16);
    numbers.fill({ rank: 0, iteration: 0 });
    numbers.verifySum(1, { rank: 0, iteration: 0 });
    new Uint8Array(numbers.data.buffer)[16] = 0;
    expect(() => numbers.verifySum(1, { rank: 0, iteration: 0 })).toThrow(/byte 0 after the end/);
  });
});

test('the rank that left a barrier too early is named', () => {
  const times = (...values: number[]) => Float64Array.from(values);
  const calm = { came: times(10, 40), left: times(30, 60) };
  expect(findEarlyLeaver([calm, { came: times(20, 50), left: times(25, 55) }])).toBeUndefined();
  expect(
    findEarlyLeaver([calm, { came: times(20, 41), left: times(30, 42) }, calm]),
  ).toBeUndefined();
  const hasty = { came: times(20, 35), left: times(30, 38) };
  expect(findEarlyLeaver([calm, hasty])).toEqual({ iteration: 1, leaver: 1, last: 0, ns: 2 });
});

test.each([1, 65_536, 200_000, 5_000_000])('a buffer of %i bytes begins on a page', (bytes) => {
  const view = pageAligned(Math.max(bytes, 32));
  // Large ones lie some pages into their memory.
  expect(view.byteOffset % 4096).toBe(0);
  const mark = crypto.getRandomValues(new Uint8Array(view.buffer, 0, 32));
  expect(beginsAMapping(mark)).toBe(true);
});

/** JavaScript cannot see an address, but it can look for a mark at the beginning of every mapping of the process. */
function beginsAMapping(mark: Uint8Array): boolean {
  const found = Buffer.alloc(mark.length);
  const memory = openSync('/proc/self/mem', 'r');
  try {
    return readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .flatMap((line) => /^([0-9a-f]+)-[0-9a-f]+ rw/.exec(line)?.[1] ?? [])
      .some((start) => {
        try {
          readSync(memory, found, 0, found.length, BigInt(`0x${start}`));
        } catch {
          return false;
        }
        return found.equals(mark);
      });
  } finally {
    closeSync(memory);
  }
}

test('columns stand in line', () => {
  const table = new Table([
    { title: 'size', width: 6 },
    { title: 'us', width: 5 },
  ]);
  expect([
    table.header,
    table.row(['8', formatNumber(1.234)]),
    table.row(['1M', formatNumber(1234.5)]),
  ]).toEqual(['  size     us', '     8   1.23', '    1M   1235']);
});
