import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOT, PlateRows } from '../examples/jacobi.ts';
import { assign, farthestPoints, moveCentroids, newTotals } from '../examples/lloyd.ts';
import { parseNumber, readNumbers, tokenAt } from '../examples/numbers.ts';
import { notNegative, wholeNumber } from '../examples/options.ts';
import { partSizes, splitAt } from '../examples/parts.ts';
import { parsePoints } from '../examples/points.ts';
import { areaOfStrips } from '../examples/quadrature.ts';
import {
  chooseSplitters,
  cutAtSplitters,
  isSorted,
  mergeRuns,
  sampleKeys,
  samplingDistance,
  toLines,
} from '../examples/sorting.ts';
import { type Outcome, root, runOnecopy } from './support/command.ts';
import { Random } from './support/random.ts';

const iris = join(root, 'examples/data/iris.csv');
const runs = [1, 2, 3, 5];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function run(name: string, ranks: number, ...args: string[]): Promise<Outcome> {
  return runOnecopy(['run', '-n', String(ranks), join(root, 'examples', name), ...args]);
}

/** What an example that goes well prints. */
async function outputOf(name: string, ranks: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(name, ranks, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Lines of a name and what it is. */
function fields(output: string): Record<string, string> {
  const lines = output.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => [/\w+/.exec(line)![0], line.replace(/^\w+ +/, '')]),
  );
}

test('parts are even, and all of the whole', () => {
  for (const parts of [1, 2, 3, 7]) {
    for (const total of [0, 1, 6, 7, 8, 100, 2 ** 52 + 1]) {
      const sizes = partSizes(parts, total);
      expect(splitAt(0, parts, total)).toBe(0);
      expect(splitAt(parts, parts, total)).toBe(total);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(sizes, 'the longer ones first').toEqual([...sizes].sort((a, b) => b - a));
    }
  }
});

describe('pi', () => {
  /** Added up the other way round. */
  function reference(strips: number): number {
    let area = 0;
    for (let strip = strips - 1; strip >= 0; strip--) {
      area += 4 / (1 + ((2 * strip + 1) / (2 * strips)) ** 2) / strips;
    }
    return area;
  }

  test('is the area of all strips', () => {
    expect(areaOfStrips(1, 0, 1)).toBe(3.2);
    expect(areaOfStrips(1000, 400, 400)).toBe(0);
    expect(areaOfStrips(1e6, 0, 1e6)).toBeCloseTo(Math.PI, 11);
    expect(areaOfStrips(1000, 0, 300) + areaOfStrips(1000, 300, 1000)).toBeCloseTo(
      reference(1000),
      12,
    );
  });

  test.each([...runs.map((ranks) => [ranks, 1_000_003] as const), [5, 2] as const])(
    'on %i ranks, of %i strips',
    async (ranks, strips) => {
      const { pi, error, ...rest } = fields(
        await outputOf('pi.ts', ranks, '--strips', `${strips}`),
      );
      expect(Number(pi)).toBeCloseTo(reference(strips), 12);
      expect(error).toBe((Number(pi) - Math.PI).toExponential(2));
      expect(rest).toMatchObject({ strips: String(strips), ranks: String(ranks) });
      expect(rest.time).toMatch(/^\d+\.\d{3} s$/);
    },
  );
});

interface Heated {
  readonly cells: readonly number[][];
  readonly steps: number;
  readonly change: number;
}

/** The serial reference: makes a new plate in each step and looks at the change after every `check` of them. */
function heated(
  rows: number,
  columns: number,
  most: number,
  check: number,
  tolerance: number,
): Heated {
  let cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));
  const at = (row: number, column: number): number => (row < 0 ? HOT : (cells[row]?.[column] ?? 0));
  for (let steps = 1; ; steps++) {
    const before = cells;
    const after = cells.map((line, i) =>
      line.map((_, j) => (at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1)) / 4),
    );
    cells = after;
    if (steps % check !== 0 && steps < most) continue;
    const changes = after.flatMap((line, i) =>
      line.map((cell, j) => Math.abs(cell - before[i]![j]!)),
    );
    const change = Math.max(...changes);
    if (change <= tolerance || steps === most) return { cells, steps, change };
  }
}

describe('heat2d', () => {
  test('of a whole plate is that of the serial reference', () => {
    const plate = new PlateRows(7, 0, 9);
    for (let step = 0; step < 40; step++) plate.step();
    const { cells, change } = heated(9, 7, 40, 40, 0);
    expect([...plate.toArray()]).toEqual(cells.flat());
    expect(plate.largestChange()).toBe(change);
    expect([...plate.sums()]).toEqual(cells.map((row) => row.reduce((sum, cell) => sum + cell, 0)));
  });

  test('has a checksum that parts add up to, of every cell and its place', () => {
    const checksum = (...parts: Array<readonly [number, number]>): number =>
      parts
        .map(([first, last]) => {
          const plate = new PlateRows(5, first, last);
          for (let row = 1; row <= plate.rows; row++) plate.row(row).fill(1 / (first + row));
          return plate.checksum();
        })
        .reduce((sum, part) => (sum + part) >>> 0, 0);
    const whole = checksum([0, 8]);
    expect(checksum([0, 3], [3, 4], [4, 4], [4, 8])).toBe(whole);

    const plate = new PlateRows(5, 0, 8);
    const seen = new Set([plate.checksum()]);
    for (let row = 1; row <= 8; row++) {
      for (let column = 0; column < 5; column++) {
        plate.row(row)[column] = Number.MIN_VALUE;
        seen.add(plate.checksum());
        plate.row(row)[column] = 0;
      }
    }
    expect(seen.size).toBe(41);
  });

  const sizes = [
    { rows: 37, columns: 23, steps: 5000, check: 7, tolerance: 0.01 },
    // Fewer rows than ranks; ends between two looks at the changes.
    { rows: 3, columns: 4, steps: 25, check: 10, tolerance: 0 },
  ] as const;

  describe.each(sizes)('$rows x $columns', ({ rows, columns, steps, check, tolerance }) => {
    const expected = heated(rows, columns, steps, check, tolerance);

    test.each(runs)('on %i ranks is the same to the last bit', async (ranks) => {
      const output = join(folder, 'plate.csv');
      const options = { rows, columns, steps, check, tolerance, output };
      const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
      const { time, ...printed } = fields(await outputOf('heat2d.ts', ranks, ...args));

      expect(readFileSync(output, 'utf8')).toBe(
        expected.cells.map((row) => `${row.join(',')}\n`).join(''),
      );
      const plate = new PlateRows(columns, 0, rows);
      for (const [i, row] of expected.cells.entries()) plate.row(i + 1).set(row);
      const sum = plate.sums().reduce((total, row) => total + row, 0);
      expect(printed).toEqual({
        plate: `${rows} x ${columns} cells on ${ranks} ranks`,
        steps: String(expected.steps),
        residual: `${expected.change}${expected.change > tolerance ? ', not converged' : ''}`,
        mean: String(sum / (rows * columns)),
        checksum: plate.checksum().toString(16).padStart(8, '0'),
      });
      expect(time).toMatch(/^\d+\.\d{3} s$/);
    });
  });

  test('converges with what it does by default', async () => {
    const { plate, residual } = fields(await outputOf('heat2d.ts', 4));
    expect(plate).toBe('120 x 120 cells on 4 ranks');
    expect(Number(residual)).toBeLessThanOrEqual(0.001);
  });
});

/** The serial reference: the hottest cell after so many steps. */
function hottestOf(length: number, steps: number): number {
  const at = (x: number, y: number, z: number): number => {
    const inside = (i: number): number => (i + length) % length;
    return (inside(x) * length + inside(y)) * length + inside(z);
  };
  let cells = new Float64Array(length ** 3);
  cells[0] = 1000;
  for (let step = 0; step < steps; step++) {
    const before = cells;
    cells = before.map((_, i) => {
      const z = i % length;
      const y = Math.floor(i / length) % length;
      const x = Math.floor(i / length ** 2);
      const across = before[at(x - 1, y, z)]! + before[at(x + 1, y, z)]!;
      const along = before[at(x, y - 1, z)]! + before[at(x, y + 1, z)]!;
      return (across + along + (before[at(x, y, z - 1)]! + before[at(x, y, z + 1)]!)) / 6;
    });
  }
  return cells.reduce((most, cell) => Math.max(most, cell));
}

describe('halo3d', () => {
  test.each([
    [1, '1 x 1 x 1'],
    [3, '3 x 1 x 1'],
    [4, '2 x 2 x 1'],
    [8, '2 x 2 x 2'],
  ])('on %i ranks is the same to the last bit', async (ranks, grid) => {
    const output = await outputOf('halo3d.ts', ranks, '--cells=9', '--steps=7');
    const { time, ...printed } = fields(output);
    expect(printed).toMatchObject({ ranks: grid, hottest: String(hottestOf(9, 7)) });
    expect(time).toMatch(/^\d+\.\d{3} s$/);
  });

  test('with layers of all lengths, by each way that bytes go', async () => {
    const args = ['--cells=70', '--steps=3'];
    const file = join(root, 'examples/halo3d.ts');
    const expected = String(hottestOf(70, 3));
    for (const options of [[], ['--deny-pull'], ['--eager-limit', '0'], ['--channel', 'socket']]) {
      const { stdout, stderr } = await runOnecopy(['run', '-n', '4', ...options, file, ...args]);
      expect(fields(stdout).hottest, stderr).toBe(expected);
    }
  });
});

/** The serial reference: sorts all of the text's numbers at once. */
function sortedLines(text: string): string {
  const numbers = text.split(/[\s,]+/).flatMap((token) => (token === '' ? [] : [Number(token)]));
  const negativeZeros = numbers.filter((number) => Object.is(number, -0)).map(() => '-0');
  const others = numbers.filter((number) => !Object.is(number, -0)).sort((a, b) => a - b);
  const firstAfter = others.findIndex((number) => number >= 0);
  const at = firstAfter < 0 ? others.length : firstAfter;
  const lines = [
    ...others.slice(0, at).map(String),
    ...negativeZeros,
    ...others.slice(at).map(String),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Numbers of all kinds: many equal ones, zeros of both signs, exponents; with separators of all kinds. */
function randomNumbers(count: number, seed: number): string {
  const random = new Random(seed);
  const kinds = [
    () => String(random.below(20) - 10),
    () => '-0',
    () => '+0.0',
    () => `${random.next() / 1e3 - 2e6}`,
    () => `${random.below(2000) / 1000}e${random.below(600) - 300}`,
    () => `-${random.next()}E+0${random.below(9)}`,
    () => `.${random.below(1000)}`,
  ];
  const separators = [' ', '\n', ',', ', ', '\r\n', '\t', ' ,\n\n'];
  let text = '';
  for (let i = 0; i < count; i++) text += random.pick(kinds)() + random.pick(separators);
  return text;
}

describe('samplesort', () => {
  test.each([
    ['42', 42],
    ['-0', -0],
    ['+1.50', 1.5],
    ['5.', 5],
    ['.5', 0.5],
    ['6.02e23', 6.02e23],
    ['1E-400', 0],
    ['-1e+2', -100],
  ])('takes %s for a number', (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });

  test.each([
    'NaN',
    'nan',
    'Infinity',
    '-inf',
    '1e999',
    '0x10',
    '1_000',
    '1e',
    'e5',
    '.',
    '-',
    '1.2.3',
    '--1',
    '1;2',
    '١',
    '',
  ])('does not take %j for a number', (text) => {
    expect(parseNumber(text)).toBeUndefined();
  });

  test.each([
    ['many kinds', randomNumbers(40, 1)],
    ['a byte order mark', '\ufeff1 2'],
    ['separators only', ' ,\n, '],
    ['nothing', ''],
    ['long ones', `1${'0'.repeat(300)} ${'0'.repeat(700)}.5,7`],
  ])('reads each number once, wherever a file with %s is split', (_, text) => {
    const path = write('numbers', text);
    const bytes = Buffer.byteLength(text);
    const expected = sortedLines(text.replace('\ufeff', ''));
    for (let split = 0; split <= bytes; split++) {
      const parts = [readNumbers(path, 0, split), readNumbers(path, split, bytes)];
      expect(parts.map(({ malformedAt }) => malformedAt)).toEqual([undefined, undefined]);
      const numbers = Float64Array.from(parts.flatMap((part) => [...part.numbers])).sort();
      expect([...toLines(numbers)].join(''), `split at ${split}`).toBe(expected);
    }
  });

  test('finds what is not a number in the part where it begins, and the line it is in', () => {
    const text = '1 2\n3 4\r\n\n5,six.and.more,7\n';
    const path = write('numbers', text);
    const at = text.indexOf('six');
    for (let split = 0; split <= text.length; split++) {
      const [left, right] = [readNumbers(path, 0, split), readNumbers(path, split, text.length)];
      expect([left.malformedAt, right.malformedAt]).toEqual(
        split > at ? [at, undefined] : [undefined, at],
      );
    }
    expect(tokenAt(path, at)).toEqual({ line: 4, text: 'six.and.more' });
    expect(tokenAt(write('long', `\n${'x'.repeat(1000)}`), 1)).toEqual({
      line: 2,
      text: `${'x'.repeat(40)}…`,
    });
  });

  // As the ranks do it, one after the other.
  function sortInParts(parts: Float64Array[]): Float64Array[] {
    const ranks = parts.length;
    const total = parts.reduce((sum, { length }) => sum + length, 0);
    for (const part of parts) part.sort();
    const distance = samplingDistance(total, ranks);
    const samples = parts.flatMap((part, rank) => [...sampleKeys(part, rank, distance)]);
    const splitters = chooseSplitters(Float64Array.from(samples), ranks);
    const counts = parts.map((part, rank) => cutAtSplitters(part, rank, splitters));
    return parts.map((_, to) => {
      const received = parts.flatMap((part, from) => {
        const start = counts[from]!.slice(0, to).reduce((sum, count) => sum + count, 0);
        return [...part.subarray(start, start + counts[from]![to]!)];
      });
      return mergeRuns(
        Float64Array.from(received),
        counts.map((count) => count[to]!),
      );
    });
  }

  const random = new Random(2);
  const inputs: Record<string, (i: number) => number> = {
    'all kinds of numbers': () => random.next() - 2 ** 31,
    'equal numbers': () => 7,
    'zeros of both signs': () => (random.below(2) === 0 ? 0 : -0),
    'few different numbers': () => random.below(4),
    'sorted numbers': (i) => i,
    'numbers sorted backwards': (i) => -i,
  };

  test.each(Object.entries(inputs))('gives all ranks about as many of %s', (_, number) => {
    for (const ranks of [1, 2, 3, 5, 8]) {
      for (const total of [1, 2, 7, 100, 5000]) {
        for (const isUneven of [false, true]) {
          const all = Float64Array.from({ length: total }, (_, i) => number(i));
          const sizes = isUneven
            ? partSizes(ranks, total).map((_, rank) => (rank === ranks - 1 ? total : 0))
            : partSizes(ranks, total);
          const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b, 0));
          const parts = sizes.map((size, i) => all.slice(ends[i]! - size, ends[i]));
          const sorted = sortInParts(parts);
          const joined = sorted.flatMap((part) => [...part]);
          expect(joined).toEqual([...all.sort()]);
          const distance = samplingDistance(total, ranks);
          for (const { length } of sorted) {
            expect(length).toBeLessThanOrEqual(
              distance * Math.ceil(total / distance / ranks) + ranks * (distance - 1),
            );
          }
        }
      }
    }
  });

  test('merges any number of runs, and knows what is sorted', () => {
    for (const lengths of [[0], [3], [0, 0, 4], [1, 2, 3, 4, 5], [6, 0, 1, 0]]) {
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const runsOf = (): Float64Array =>
        Float64Array.from(lengths.flatMap((length) => Array.from({ length }, (_, i) => i - 2)));
      const merged = mergeRuns(runsOf(), lengths);
      expect([...merged]).toEqual([...runsOf().sort()]);
      expect(isSorted(merged, -2)).toBe(true);
      if (total > 0) expect(isSorted(merged, -1)).toBe(false);
    }
    expect(isSorted(Float64Array.of(-0, 0), -0)).toBe(true);
    expect(isSorted(Float64Array.of(0, -0), -1)).toBe(false);
    expect(isSorted(Float64Array.of(-0), 0)).toBe(false);
    expect(isSorted(Float64Array.of(), 5)).toBe(true);
  });

  describe.each(runs)('on %i ranks', (ranks) => {
    test('prints the measurements of iris flowers', async () => {
      const output = await outputOf('samplesort.ts', ranks);
      expect(output).toBe(sortedLines(readFileSync(iris, 'utf8')));
      expect(output.match(/\n/g)).toHaveLength(600);
    });

    test('writes a larger file', async () => {
      const text = randomNumbers(200_000, ranks);
      const output = join(folder, 'sorted');
      const args = [write('numbers', text), '--output', output];
      expect(await outputOf('samplesort.ts', ranks, ...args)).toBe(
        `sorted 200000 numbers into ${output}\n`,
      );
      expect(readFileSync(output, 'utf8') === sortedLines(text)).toBe(true);
    });

    test('sorts fewer numbers than there are ranks', async () => {
      expect(await outputOf('samplesort.ts', ranks, write('few', '3 -0 1e2\n0'))).toBe(
        '-0\n0\n3\n100\n',
      );
    });
  });

  test('has nothing to sort in an empty file', async () => {
    const path = write('numbers', '');
    expect(await outputOf('samplesort.ts', 3, path)).toBe('');
    expect(await outputOf('samplesort.ts', 1, path, '--output', path)).toContain(
      'sorted 0 numbers',
    );
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  test('sorts a file in its place', async () => {
    const path = write('numbers', '10 9 8 7 6 5 4 3 2 1, 3 1 2');
    await outputOf('samplesort.ts', 3, path, '--output', path);
    expect(readFileSync(path, 'utf8')).toBe('1\n1\n2\n2\n3\n3\n4\n5\n6\n7\n8\n9\n10\n');
  });
});

interface Clusters {
  readonly centroids: number[][];
  readonly assignments: number[];
  readonly sizes: number[];
  readonly squares: number;
  readonly rounds: number;
}

/** The serial reference. */
function clustered(points: readonly number[][], clusters: number): Clusters {
  const distance = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
  let centroids = [points[0]!];
  while (centroids.length < clusters) {
    const nearest = points.map((point) => Math.min(...centroids.map((c) => distance(point, c))));
    centroids.push(points[nearest.indexOf(Math.max(...nearest))]!);
  }
  let assignments: number[] = [];
  for (let rounds = 1; ; rounds++) {
    const before = assignments;
    assignments = points.map((point) => {
      const distances = centroids.map((centroid) => distance(point, centroid));
      return distances.indexOf(Math.min(...distances));
    });
    const members = centroids.map((_, k) => points.filter((_, i) => assignments[i] === k));
    if (assignments.every((cluster, i) => cluster === before[i])) {
      const squares = points.map((point, i) => distance(point, centroids[assignments[i]!]!));
      return {
        centroids,
        assignments,
        sizes: members.map(({ length }) => length),
        squares: squares.reduce((sum, square) => sum + square, 0),
        rounds,
      };
    }
    centroids = members.map((own, k) =>
      own.length === 0
        ? centroids[k]!
        : own[0]!.map((_, d) => own.reduce((sum, point) => sum + point[d]!, 0) / own.length),
    );
  }
}

/** Points around some middles, as an array and as a file with names and a column that is not a number. */
function randomPoints(count: number, seed: number): { points: number[][]; text: string } {
  const random = new Random(seed);
  const fraction = (): number => random.next() / 2 ** 32;
  const middles = Array.from({ length: 6 }, () => [
    fraction() * 50,
    fraction() * 50,
    fraction() * 50,
  ]);
  const points = Array.from({ length: count }, () =>
    random.pick(middles).map((x) => x + 12 * (fraction() + fraction() - 1)),
  );
  const lines = points.map(([x, y, z], i) => `${x},point ${i},${y}, ${z}`);
  return { points, text: `x,"name",y,z\r\n${lines.join('\r\n')}\r\n\r\n` };
}

describe('kmeans', () => {
  test('reads points in lines, with names or without', () => {
    const points = { coordinates: Float64Array.of(1, -2, 3, 0.5), count: 2, dimensions: 2 };
    expect(parsePoints('1,-2\n3,.5\n')).toEqual(points);
    expect(parsePoints('\ufeff\nx , y\r\n\r\n 1, -2e0\r\n3.0,5e-1')).toEqual(points);
    expect(parsePoints('name,x,y\nA,-2,1\nB,.5,3', [3, 2])).toEqual(points);
    expect(parsePoints('7')).toEqual({ coordinates: Float64Array.of(7), count: 1, dimensions: 1 });
  });

  test.each([
    ['', undefined, 'there are no points'],
    ['x,y\n', undefined, 'there are no points'],
    ['1,2\n3,four\n', undefined, "line 2: 'four' is not a number"],
    ['1,two\n3,4\n', undefined, "line 1: 'two' is not a number"],
    ['x\ny\n1\n', undefined, "line 2: 'y' is not a number"],
    ['x,y\n1,\n', undefined, "line 2: '' is not a number"],
    ['x,y\n1,NaN\n', undefined, "line 2: 'NaN' is not a number"],
    ['1,2\n\n3\n', undefined, 'line 3 has 1 values, the first line has 2'],
    ['1,2\n', [1, 3], 'line 1 has 2 values, and so no column 3'],
  ])('refuses %j', (text, columns, message) => {
    expect(() => parsePoints(text, columns)).toThrow(message);
  });

  test('begins with points that are far from each other', () => {
    const points = Float64Array.of(1, 1, 2, 9, 9, 5);
    expect([...farthestPoints(points, 1, 3)]).toEqual([1, 9, 5]);
    expect([...farthestPoints(points, 1, 9)], 'all that are different').toEqual([1, 9, 5, 2]);
    expect([...farthestPoints(Float64Array.of(0, 0, 3, 4, 6, 8), 2, 2)]).toEqual([0, 0, 6, 8]);
  });

  test('leaves the centroid of an empty cluster, and takes the first of two equally near ones', () => {
    const centroids = Float64Array.of(0, 2, 50);
    const assignments = new Int32Array(3).fill(-1);
    const totals = newTotals(3, 1);
    assign(Float64Array.of(1, 3, 5), 1, centroids, assignments, totals);
    expect([...assignments]).toEqual([0, 1, 1]);
    expect([...totals.all]).toEqual([1, 8, 0, 1, 2, 0, 3, 1 + 1 + 9]);
    moveCentroids(centroids, totals);
    expect([...centroids]).toEqual([1, 4, 50]);
    assign(Float64Array.of(1, 3, 5), 1, centroids, assignments, totals);
    expect(totals.summary[0]).toBe(0);
  });

  const flowers = readFileSync(iris, 'utf8').trimEnd();
  const irisPoints = flowers.split('\n').map((line) => line.split(',').map(Number));
  const { points: manyPoints, text: manyText } = randomPoints(3000, 3);

  function expectClusters(json: string, points: readonly number[][], clusters: number): void {
    const { centroids, squares, ...printed } = JSON.parse(json) as Clusters;
    const reference = clustered(points, clusters);
    expect(printed).toEqual({
      points: points.length,
      dimensions: points[0]!.length,
      converged: true,
      rounds: reference.rounds,
      sizes: reference.sizes,
      assignments: reference.assignments,
    });
    const difference = centroids
      .flat()
      .map((x, i) => Math.abs(x - reference.centroids.flat()[i]!))
      .reduce((a, b) => Math.max(a, b));
    expect(difference).toBeLessThan(1e-9);
    expect(centroids.map(({ length }) => length)).toEqual(centroids.map(() => points[0]!.length));
    expect(squares).toBeCloseTo(reference.squares, 6);
  }

  describe.each(runs)('on %i ranks', (ranks) => {
    test('finds what a serial program finds in the iris flowers', async () => {
      expectClusters(await outputOf('kmeans.ts', ranks, '--json'), irisPoints, 3);
    });

    test('finds what a serial program finds in chosen columns of many points', async () => {
      const args = ['--clusters=6', '--columns=1,3,4', '--json', write('points.csv', manyText)];
      expectClusters(await outputOf('kmeans.ts', ranks, ...args), manyPoints, 6);
    });
  });

  test('finds a cluster for each of fewer points than ranks', async () => {
    const path = write('points.csv', '1\n2\n4\n');
    expectClusters(await outputOf('kmeans.ts', 5, '--json', path), [[1], [2], [4]], 3);
  });

  test('prints a table', async () => {
    // The sum of squares that everybody's k-means reaches for these flowers.
    expect(await outputOf('kmeans.ts', 2)).toBe(`points   150, of 4 coordinates
rounds   4
squares  78.8514

size  centroid
  50  5.0060  3.4280  1.4620  0.2460
  38  6.8500  3.0737  5.7421  2.0711
  62  5.9016  2.7484  4.3935  1.4339
`);
    expect(await outputOf('kmeans.ts', 2, '--rounds=2')).toContain('rounds   2, not converged\n');
  });
});

describe('a wrong command line is refused', () => {
  test('with what an option takes', () => {
    expect(wholeNumber('--steps', '12', 1, 12)).toBe(12);
    for (const text of ['0', '13', '-1', '1.5', '1e1', '0x1', '', ' 1', 'x']) {
      expect(() => wholeNumber('--steps', text, 1, 12)).toThrow(
        `--steps takes a whole number from 1 to 12, not '${text}'`,
      );
    }
    expect(notNegative('--tolerance', '1e-3')).toBe(0.001);
    expect(notNegative('--tolerance', '0')).toBe(0);
    for (const text of ['-1', 'NaN', 'Infinity', '', ' ', 'x', '1 2']) {
      expect(() => notNegative('--tolerance', text)).toThrow(
        `--tolerance takes a number that is not negative, not '${text}'`,
      );
    }
  });

  test.each([
    ['pi.ts', ['--strip', '5'], /^Unknown option '--strip'/],
    ['heat2d.ts', ['--rows=0'], /^--rows takes a whole number from 1 to 100000, not '0'$/],
    ['halo3d.ts', ['--cells=1'], /^--cells takes a whole number from 3 to 1000, not '1'$/],
    ['samplesort.ts', ['a', 'b'], /^There can be only one FILE to sort\.$/],
    ['kmeans.ts', ['--columns=1,x'], /^--columns takes a whole number from 1 to 1000000, not 'x'$/],
  ])('%s %j', async (name, args, message) => {
    const { code, stdout, stderr } = await run(name, 3, ...args);
    const [first, empty, usage] = stderr.split('\n');
    expect(first).toMatch(message);
    expect(empty).toBe('');
    expect(usage).toMatch(new RegExp(`^Usage: onecopy run -n \\d examples/${name}`));
    expect(stderr.match(/Usage/g), 'once for all ranks').toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('and --help says how it is done', async () => {
    expect(await outputOf('heat2d.ts', 2, '--help')).toMatch(/^Usage: .*\n\n {2}--rows N/);
  });
});

describe('all ranks give up, and one says', () => {
  /** The line before the launcher's own: there is nothing else, no rank's stack either. */
  async function complaintOf(name: string, ranks: number, ...args: string[]): Promise<string> {
    const { code, stderr } = await run(name, ranks, ...args);
    const [complaint, launcher, ...rest] = stderr.trimEnd().split('\n');
    expect(launcher).toMatch(/^onecopy: rank 0 \(pid \d+\) exited with code 2/);
    expect({ code, rest }).toEqual({ code: 2, rest: [] });
    return complaint!;
  }

  test.each([1, 3])('which is the first wrong token, on %i ranks', async (ranks) => {
    const good = randomNumbers(1000, 4);
    const line = good.split('\n').length + 1;
    const path = write('numbers', `${good}\n1 NaN 2\n${good} 3x ${good}`);
    expect(await complaintOf('samplesort.ts', ranks, path)).toBe(
      `${path}, line ${line}: 'NaN' is not a number that can be sorted`,
    );
  });

  test.each([
    ['samplesort.ts', 'nowhere', /^cannot read nowhere: ENOENT/],
    ['samplesort.ts', 'examples', /^cannot read examples: it is not a regular file$/],
    ['kmeans.ts', 'nowhere', /^cannot read nowhere: ENOENT/],
    ['kmeans.ts', 'examples/words.ts', /^examples\/words\.ts, line \d+/],
  ])('what is wrong: %s %s', async (name, path, message) => {
    expect(await complaintOf(name, 3, path)).toMatch(message);
  });

  test('that there are too few points', async () => {
    const path = write('points.csv', '1,2\n1,2\n3,4\n1,2\n');
    expect(await complaintOf('kmeans.ts', 3, path)).toBe(
      `${path} has only 2 different points, too few for 3 clusters`,
    );
  });

  test.each([
    ['samplesort.ts', []],
    ['heat2d.ts', ['--rows=3', '--columns=3', '--steps=1']],
  ])('that the output of %s cannot be written', async (name, args) => {
    const path = join(folder, 'nowhere/output');
    const complaint = await complaintOf(name, 3, ...args, '--output', path);
    expect(complaint).toContain(`cannot write ${path}: ENOENT`);
    expect(existsSync(path)).toBe(false);
  });
});
