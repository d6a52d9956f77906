import { describe, expect, test } from 'vitest';
import { parseRunOptions, type RunOptions } from '../packages/launcher/src/options.ts';
import { nearest, UsageError } from '../packages/launcher/src/usage.ts';

function parse(...args: string[]): RunOptions {
  return parseIn({}, ...args);
}

function parseIn(env: NodeJS.ProcessEnv, ...args: string[]): RunOptions {
  const options = parseRunOptions(args, env);
  if (options === 'help') throw new Error('help');
  return options;
}

function complaint(...args: string[]): string {
  return complaintIn({}, ...args);
}

function complaintIn(env: NodeJS.ProcessEnv, ...args: string[]): string {
  try {
    parseIn(env, ...args);
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
      channel: undefined,
      denyPull: false,
      spinUs: undefined,
    });
  });
});

describe('the environment stands for', () => {
  const env = { ONECOPY_CHANNEL: 'socket', ONECOPY_EAGER_LIMIT: '8K', ONECOPY_SPIN_US: '0' };

  test('options that are left out', () => {
    expect(parseIn(env, '-n', '1', 'x')).toMatchObject({
      channel: 'socket',
      eagerLimit: 8192,
      spinUs: 0,
    });
    const none = { ONECOPY_CHANNEL: '', ONECOPY_EAGER_LIMIT: '', ONECOPY_SPIN_US: '' };
    expect(parseIn(none, '-n', '1', 'x')).toEqual(parse('-n', '1', 'x'));
  });

  test('nothing that is given, right or wrong', () => {
    const given = ['--channel', 'ring', '--eager-limit', '0', '--spin-us', '50'];
    const expected = { channel: 'ring', eagerLimit: 0, spinUs: 50 };
    expect(parseIn(env, '-n', '1', ...given, 'x')).toMatchObject(expected);
    const wrong = { ONECOPY_CHANNEL: 'pipe', ONECOPY_EAGER_LIMIT: 'x', ONECOPY_SPIN_US: '-1' };
    expect(parseIn(wrong, '-n', '1', ...given, 'x')).toMatchObject(expected);
  });

  test.each([
    [
      { ONECOPY_CHANNEL: 'pipe' },
      /^ONECOPY_CHANNEL is ring \(shared memory\) or socket, not 'pipe'\.$/,
    ],
    [{ ONECOPY_CHANNEL: 'Ring' }, /^ONECOPY_CHANNEL is ring/],
    [
      { ONECOPY_EAGER_LIMIT: 'little' },
      /^ONECOPY_EAGER_LIMIT needs a number of bytes up to 2G, such as 8K or 1M, but got 'little'\.$/,
    ],
    [{ ONECOPY_EAGER_LIMIT: '3G' }, /^ONECOPY_EAGER_LIMIT needs a number of bytes/],
    [
      { ONECOPY_SPIN_US: '1.5' },
      /^ONECOPY_SPIN_US needs a whole number from 0 to 1000000, but got '1\.5'\.$/,
    ],
    [{ ONECOPY_SPIN_US: '1000001' }, /^ONECOPY_SPIN_US needs a whole number/],
  ])('nothing when it is wrong, in a sentence: %j', (wrong, sentence) => {
    const said = complaintIn(wrong, '-n', '1', 'x');
    expect(said).toMatch(sentence);
    expect(said).not.toContain('\n');
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
    [
      ['-n', '2', '--channel', 'pipe', 'x'],
      /^--channel is ring \(shared memory\) or socket, not 'pipe'\.$/,
    ],
    [['-n', '2', '--channel'], /^--channel needs a value, such as socket\.$/],
    [['-n', '2', '--spin-us', 'long', 'x'], /^--spin-us needs a whole number from 0 to 1000000/],
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
