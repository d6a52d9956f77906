import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countWords, type TextFile, textBytes } from '../examples/words.ts';
import { root, runOnecopy } from './support/command.ts';

const example = join(root, 'examples/wordcount.ts');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The serial reference: reads every file at once and knows nothing of parts. */
function reference(paths: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    for (const word of readFileSync(path, 'utf8').split(/[^\p{L}\p{N}]+/u)) {
      const key = word.toLowerCase();
      if (key !== '') counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

/** What the example prints, from the reference. */
function expected(paths: readonly string[]): string {
  const counts = reference(paths);
  const values = [...counts.values()];
  const rows: Array<readonly [number, string]> = [
    [paths.length, 'files'],
    [paths.reduce((sum, path) => sum + readFileSync(path).length, 0), 'bytes'],
    [values.reduce((sum, count) => sum + count, 0), 'words'],
    [counts.size, 'distinct words'],
    ...[...counts]
      .map(([word, count]) => [count, word] as const)
      .sort(([m, a], [n, b]) => n - m || (a < b ? -1 : 1))
      .slice(0, 10),
  ];
  const width = Math.max(...rows.map(([count]) => String(count).length));
  return rows.map(([count, name]) => `${String(count).padStart(width)}  ${name}\n`).join('');
}

function write(name: string, content: string | Uint8Array): TextFile {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return { path, bytes: Buffer.byteLength(content) };
}

const runs = [1, 2, 3, 5];

async function wordcount(ranks: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runOnecopy(['run', '-n', String(ranks), example, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe('a part of some files', () => {
  // Letters of one to four bytes, digits, a mark between letters, byte order marks, and bytes that are no character.
  const samples: Record<string, string | Uint8Array> = {
    words: 'The quick, brown fox: the QUICK one. 42 foxes',
    letters: 'naïve Größe ΣΊΣΥΦΟΣ 漢字かな 𝒜𝔘𝔗 ß ǅ x',
    marks: '\ufeffa\ufeffb e\u0301 \u0130stanbul',
    broken: Buffer.from(
      'ab\x80cd \xe2\x82 ef\xc3 gh\x80\x80\x80\x80\x80\x80ij\xf0\x9f\x98kl \xe2\x82',
      'latin1',
    ),
    long: `${'ä'.repeat(600)} ${'𝒜'.repeat(200)}`,
    nothing: '',
    blank: ' \n\t ',
  };

  test.each(Object.keys(samples))('has each word once, wherever %s are split', (name) => {
    const file = write('sample', samples[name]!);
    const wanted = reference([file.path]);
    for (let split = 0; split <= file.bytes; split++) {
      const counts = new Map<string, number>();
      for (const [from, to] of [
        [0, split],
        [split, file.bytes],
      ] as const) {
        for (const [word, count] of countWords([file], from, to)) {
          counts.set(word, (counts.get(word) ?? 0) + count);
        }
      }
      expect([...counts].sort(), `split at ${split}`).toEqual([...wanted].sort());
    }
  });

  test('may be a single byte, a whole file, or several', () => {
    const names = ['words', 'letters', 'nothing', 'marks'];
    const files = names.map((name) => write(name, samples[name]!));
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const wanted = [...reference(files.map(({ path }) => path))].sort();
    for (const step of [1, 2, 3, 7, 50, total]) {
      const counts = new Map<string, number>();
      for (let from = 0; from < total; from += step) {
        for (const [word, count] of countWords(files, from, Math.min(from + step, total))) {
          counts.set(word, (counts.get(word) ?? 0) + count);
        }
      }
      expect([...counts].sort(), `parts of ${step}`).toEqual(wanted);
    }
  });
});

test('text is what begins as UTF-8 without a NUL byte', () => {
  const isText = (content: string | Uint8Array): boolean => {
    const { path, bytes } = write('file', content);
    return textBytes(path, bytes) === bytes;
  };
  expect(isText('')).toBe(true);
  expect(isText('plain')).toBe(true);
  expect(isText('ä'.repeat(5000)), 'a character on the last byte looked at').toBe(true);
  expect(isText(`x${'ä'.repeat(5000)}`)).toBe(true);
  expect(isText('a\0b')).toBe(false);
  expect(isText(Buffer.from('caf\xe9', 'latin1'))).toBe(false);
  expect(isText(Buffer.from('caf\xc3', 'latin1'))).toBe(false);
  expect(isText(`${'x'.repeat(9000)}\0`), 'further on').toBe(true);
  expect(textBytes(join(folder, 'nowhere'), 1)).toBe(-1);
});

/** Letters of four bytes, so many that no split of `runs` lies between two of them, in words of many. */
function allSplitsInWords(): string {
  const inCharacter = (bytes: number): boolean =>
    runs.every((parts) =>
      Array.from({ length: parts - 1 }, (_, part) =>
        Math.floor((bytes * (part + 1)) / parts),
      ).every((at) => at % 4 !== 0),
    );
  let rest = 0;
  let letters = 500;
  while (!inCharacter(4 * letters + rest)) {
    rest = (rest + 1) % 4;
    if (rest === 0) letters += 1;
  }
  const text = Array.from({ length: letters }, (_, i) => (i % 50 === 13 ? '𝄞' : '𝒜'));
  return `${text.join('')}${'x'.repeat(rest)}`;
}

describe.each(runs)('on %i ranks wordcount', (ranks) => {
  test('counts a word and a character on every split once', async () => {
    const content = allSplitsInWords();
    const buffer = Buffer.from(content);
    for (const parts of runs) {
      for (let part = 1; part < parts; part++) {
        const at = Math.floor((buffer.length * part) / parts);
        const begin = at - (at % 4);
        expect(at, 'in a character').toBeGreaterThan(begin);
        expect(buffer.subarray(begin - 4, begin + 8).toString(), 'in a word').toBe('𝒜𝒜𝒜');
      }
    }
    const { path } = write('text', content);
    expect(await wordcount(ranks, folder)).toBe(expected([path]));
  });

  test('finds the text below folders, in files of all sizes', async () => {
    const big = Array.from({ length: 60_000 }, (_, i) => `Wort${i % 997}, größer ${i}\n`).join('');
    const paths = [
      write('one/a', 'The cat\n').path,
      write('one/b/c', big).path,
      write('one/b/empty', '').path,
      write('one/d', 'the end without newline').path,
      write('two/e', 'THE dog').path,
    ];
    write('one/binary', 'a\0b');
    write('one/latin1', Buffer.from('caf\xe9', 'latin1'));
    symlinkSync('a', join(folder, 'one/link'));
    const out = await wordcount(ranks, join(folder, 'one'), join(folder, 'two/e'));
    expect(out).toBe(expected(paths));
  });

  test('counts the sources of this project as a serial program does', async () => {
    const folders = ['packages/launcher/src', 'native/core', 'examples'];
    const copies = folders.map((name) => join(folder, name));
    // Copied, since somebody may be editing them.
    for (const [i, copy] of copies.entries())
      cpSync(join(root, folders[i]!), copy, { recursive: true });
    const paths = copies.flatMap((copy) =>
      readdirSync(copy, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    );
    expect(paths.length).toBeGreaterThan(20);
    expect(await wordcount(ranks, ...copies)).toBe(expected(paths));
  });

  test('has nothing to count in an empty folder', async () => {
    expect(await wordcount(ranks, folder)).toBe(expected([]));
  });
});

describe('wordcount says', () => {
  test('how it is used', async () => {
    const { code, stderr } = await runOnecopy(['run', '-n', '2', example]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: onecopy run');
  });

  test('which folder it cannot list', async () => {
    const { code, stderr } = await runOnecopy(['run', '-n', '2', example, join(folder, 'nowhere')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/rank 0 .* called abort with code 2 \(cannot list .*nowhere: ENOENT/);
  });
});
