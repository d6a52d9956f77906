/**
 * Counts the words of all text below some folders:
 *
 *     onecopy run -n 4 examples/wordcount.ts node_modules
 *
 * The files, put one after the other, are split by bytes, so that one big file keeps all ranks busy as well as many
 * small ones. Each rank counts the words that begin in its part; rank 0 puts the tables together.
 */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { abort, world } from 'onecopy';
import { countWords, type TextFile, textBytes, type WordCounts } from './words.ts';

const [PATHS, SIZES, ALL_SIZES, WORDS, COUNTS] = [1, 2, 3, 4, 5];
const MOST_FREQUENT = 10;

const { rank, size } = world;

const folders = process.argv.slice(2);
if (folders.length === 0) {
  if (rank === 0) {
    console.error('Usage: onecopy run -n 4 examples/wordcount.ts FOLDER...');
    process.exitCode = 2;
  }
} else {
  main();
}

function main(): void {
  const files = findTextFiles();
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const counts = countWords(files, splitAt(rank, total), splitAt(rank + 1, total));
  if (rank !== 0) {
    sendCounts(counts);
    return;
  }
  for (let other = 1; other < size; other++) addCounts(counts, other);
  print(files.length, total, counts);
}

/** Where the part of a rank begins. */
function splitAt(part: number, total: number): number {
  return Math.floor((total * part) / size);
}

/** All ranks get the same list. Rank 0 lists the folders; who of the files is text, the ranks find out together. */
function findTextFiles(): TextFile[] {
  const paths = sharePaths();
  const sizes = new Float64Array(paths.length);
  for (let i = rank; i < paths.length; i += size) {
    const path = paths[i]!;
    sizes[i] = textBytes(path, statSync(path).size);
  }
  shareSizes(sizes);
  return paths.flatMap((path, i) => (sizes[i]! < 0 ? [] : [{ path, bytes: sizes[i]! }]));
}

function sharePaths(): string[] {
  if (rank !== 0) {
    const { data } = world.recvNew(Uint8Array, 0, PATHS);
    return splitText(data);
  }
  const paths = [...new Set(folders.flatMap(listFiles))];
  const bytes = joinText(paths);
  for (let other = 1; other < size; other++) world.send(bytes, other, PATHS);
  return paths;
}

/** In the order of their names. Links are not followed, or files would be counted twice. */
function listFiles(folder: string): string[] {
  try {
    if (lstatSync(folder).isFile()) return [folder];
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    return abort(2, `cannot list ${folder}: ${(error as Error).message}`);
  }
}

/** Each rank has filled in every size-th element, from its own on. */
function shareSizes(sizes: Float64Array): void {
  if (rank !== 0) {
    world.send(sizes, 0, SIZES);
    world.recv(sizes, 0, ALL_SIZES);
    return;
  }
  const theirs = new Float64Array(sizes.length);
  for (let other = 1; other < size; other++) {
    world.recv(theirs, other, SIZES);
    for (let i = other; i < sizes.length; i += size) sizes[i] = theirs[i]!;
  }
  for (let other = 1; other < size; other++) world.send(sizes, other, ALL_SIZES);
}

function sendCounts(counts: WordCounts): void {
  world.send(joinText([...counts.keys()]), 0, WORDS);
  world.send(Float64Array.from(counts.values()), 0, COUNTS);
}

function addCounts(counts: WordCounts, other: number): void {
  const words = splitText(world.recvNew(Uint8Array, other, WORDS).data);
  const { data } = world.recvNew(Float64Array, other, COUNTS);
  for (const [i, word] of words.entries()) counts.set(word, (counts.get(word) ?? 0) + data[i]!);
}

/** Neither a path nor a word contains the NUL character. */
function joinText(parts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(parts.join('\0'));
}

function splitText(bytes: Uint8Array): string[] {
  return bytes.length === 0 ? [] : new TextDecoder().decode(bytes).split('\0');
}

function print(files: number, bytes: number, counts: WordCounts): void {
  const words = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const rows = [
    ['files', files],
    ['bytes', bytes],
    ['words', words],
    ['distinct words', counts.size],
    ...byCount.slice(0, MOST_FREQUENT),
  ] as const;
  const width = Math.max(...rows.map(([, number]) => String(number).length));
  for (const [name, number] of rows) console.log(`${String(number).padStart(width)}  ${name}`);
}
