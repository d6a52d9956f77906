import { describe, expect, test } from 'vitest';
import { parseRunOptions, type RunOptions } from '../packages/launcher/src/options.ts';
import { nearest, UsageError } from '../packages/launcher/src/usage.ts';

function parse(...args: string[]): RunOptions {
  const options = parseRunOptions(args);
  if (options === 'help') throw new Error('help');
  return options;
}

function complaint(...args: string[]): string {
  try {
    parse(...args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('no complaint');
}

describe('onecopy run takes', () => {
  test.each([
    [['-n', '3']],
    [['-n3']],
    [['-np', '3']],
    [['-np=3']],
    [['-c', '3']],
    [['--n', '3']],
    [['-n', '2', '-np', '3']],
  ])('%j for three ranks', (args) => {
    expect(parse(...args, 'app.ts').ranks).toBe(3);
  });

  test('options up to the program, and leaves the rest to the program', () => {
    const options = parse('-n', '2', '--tag-output', 'app.ts', '-n', '9', '-np', '--', '--grace');
    expect(options).toMatchObject({ ranks: 2, tagOutput: true, program: 'app.ts' });
    expect(options.args).toEqual(['-n', '9', '-np', '--', '--grace']);
  });

  test('-- before the program', () => {
    const options = parse('-n', '2', '--', '-odd-name', '--', 'x');
    expect(options).toMatchObject({ program: '-odd-name', args: ['--', 'x'] });
  });

  test('--help anywhere before the program only', () => {
    expect(parseRunOptions(['-n', '2', '--help', 'app.ts'])).toBe('help');
    expect(parseRunOptions(['-h'])).toBe('help');
    expect(parse('-n', '2', 'app.ts', '--help').args).toEqual(['--help']);
  });

  test.each([
    ['0', 0],
    ['500', 500],
    ['8K', 8192],
    ['64k', 65_536],
    ['1M', 1_048_576],
    ['2KiB', 2048],
    ['4KB', 4096],
  ])('--eager-limit %s', (text, bytes) => {
    expect(parse('-n', '1', '--eager-limit', text, 'x').eagerLimit).toBe(bytes);
  });

  test.each([
    ['0', 0],
    ['2', 2000],
    ['.5', 500],
    ['1.25', 1250],
  ])('--grace %s', (text, ms) => {
    expect(parse('-n', '1', '--grace', text, 'x').graceMs).toBe(ms);
  });

  test('nothing but the number and the program', () => {
    expect(parse('-n', '1', 'x')).toEqual({
      ranks: 1,
      program: 'x',
      args: [],
      tagOutput: false,
      verbose: false,
      graceMs: 2000,
      eagerLimit: undefined,
      denyPull: false,
      spinUs: undefined,
    });
  });
});

describe('onecopy run says in a sentence', () => {
  test.each([
    [['app.ts'], /^Say how many ranks to start/],
    [['-n', '2'], /^Name the program to run/],
    [['-n', '2', '--'], /^Name the program to run/],
    [['-n', '2', ''], /^Name the program to run/],
    [['-n'], /^-n needs a value, such as 4\.$/],
    [['-n', 'two', 'x'], /^-n needs a whole number from 1 to 4096, but got 'two'\.$/],
    [['-n', '0', 'x'], /^-n needs a whole number/],
    [['-n', '2.5', 'x'], /^-n needs a whole number/],
    [['-n', '5000', 'x'], /^-n needs a whole number/],
    [['-np', '-1', 'x'], /^-n needs a whole number/],
    [['-n', '2', '--grace', 'long', 'x'], /^--grace needs a number of seconds/],
    [['-n', '2', '--grace', '-1', 'x'], /^--grace needs a number of seconds/],
    [['-n', '2', '--eager-limit', '8X', 'x'], /^--eager-limit needs a number of bytes/],
    [['-n', '2', '--eager-limit', '99G', 'x'], /^--eager-limit needs a number of bytes/],
    [['-n', '2', '--verbose=yes', 'x'], /^--verbose takes no value, but it was given yes\.$/],
    [
      ['-n', '2', '--tagoutput', 'x'],
      /^There is no option --tagoutput: did you mean --tag-output\?$/,
    ],
    [
      ['-n', '2', '-tag-output', 'x'],
      /^There is no option -tag-output: did you mean --tag-output\?$/,
    ],
    [['-n', '2', '--eager=8K', 'x'], /^There is no option --eager: did you mean --eager-limit\?$/],
    [['-m', '2', 'x'], /^There is no option -m: /],
    [['--oversubscribe', 'x'], /^There is no option --oversubscribe: see onecopy run --help$/],
  ])('what is wrong with %j', (args, sentence) => {
    const said = complaint(...args);
    expect(said).toMatch(sentence);
    expect(said).not.toContain('\n');
  });

  test('without being misled by what an option may inherit', () => {
    expect(complaint('--constructor', 'x')).toMatch(/^There is no option --constructor/);
    expect(complaint('--__proto__', 'x')).toMatch(/^There is no option/);
  });
});

test('nearest finds slips, beginnings, and nothing where nothing is near', () => {
  const names = ['run', 'bench', '--version'];
  expect(nearest('rnu', names)).toBe('run');
  expect(nearest('benhc', names)).toBe('bench');
  expect(nearest('--ver', names)).toBe('--version');
  expect(nearest('publish', names)).toBeUndefined();
  expect(nearest('', names)).toBeUndefined();
});
