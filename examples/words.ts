/**
 * What a word is, and how to count those that begin in a part of some files. Nothing here knows of ranks.
 *
 * A word is a run of Unicode letters and digits, in lower case. A file is text if its first 8 KiB are UTF-8 without a
 * NUL byte; bytes further on that are not UTF-8 separate words. No word goes from one file into the next.
 */
import { readAt, withFile } from './files.ts';

export interface TextFile {
  readonly path: string;
  readonly bytes: number;
}

/** How often each word was seen. */
export type WordCounts = Map<string, number>;

const WORD = /[\p{L}\p{N}]+/gu;
const WORD_AT_START = /^[\p{L}\p{N}]+/u;
const WORD_AT_END = /[\p{L}\p{N}]$/u;

const LOOKED_AT = 8 * 1024;
const PIECE = 1024 * 1024;
const SMALL_PIECE = 256;
const LONGEST_CHARACTER = 4;

/** The bytes of the file if it is text, else -1. */
export function textBytes(path: string, bytes: number): number {
  try {
    const start = withFile(path, (fd) => readAt(fd, 0, LOOKED_AT));
    if (start.includes(0)) return -1;
    // A character may be cut where we stopped looking, but not where the file ends.
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: bytes > LOOKED_AT });
    return bytes;
  } catch {
    // Not UTF-8, or not for us to read.
    return -1;
  }
}

/** Counts the words that begin at the bytes `from` to `to` (exclusive) of the files, as if they were one. */
export function countWords(files: readonly TextFile[], from: number, to: number): WordCounts {
  const counts: WordCounts = new Map();
  let start = 0;
  for (const { path, bytes } of files) {
    const [begin, end] = [Math.max(from - start, 0), Math.min(to - start, bytes)];
    if (begin < end) withFile(path, (fd) => countInFile(fd, begin, end, counts));
    start += bytes;
  }
  return counts;
}

function countInFile(fd: number, from: number, to: number, counts: WordCounts): void {
  // A character belongs to the part that its first byte is in.
  const [start, end] = [characterAt(fd, from), characterAt(fd, to)];
  // The end of a word that the part before ours counts.
  let foreign = start > 0 && WORD_AT_END.test(textBefore(fd, start));
  // A word that may go on.
  let open = '';

  for (const piece of textOf(fd, start, end, PIECE)) {
    let text = open + piece;
    open = '';
    if (foreign) {
      const rest = text.slice(WORD_AT_START.exec(text)?.[0].length ?? 0);
      foreign = rest === '';
      text = rest;
    }
    for (const { 0: word, index } of text.matchAll(WORD)) {
      if (index + word.length === text.length) open = word;
      else count(counts, word);
    }
  }
  if (open !== '') count(counts, open + endOfWord(fd, end));
}

/** What is left of a word that goes on at `from`, where our part ends. */
function endOfWord(fd: number, from: number): string {
  let word = '';
  for (const text of textOf(fd, from, Number.POSITIVE_INFINITY, SMALL_PIECE)) {
    const part = WORD_AT_START.exec(text)?.[0] ?? '';
    word += part;
    if (part.length < text.length) break;
  }
  return word;
}

function count(counts: WordCounts, word: string): void {
  const key = word.toLowerCase();
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The bytes from `start` to `end` as text, in pieces that cut no character. */
function* textOf(fd: number, start: number, end: number, piece: number): Generator<string> {
  // A byte order mark inside a file is a character like others.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = start; at < end; ) {
    const bytes = readAt(fd, at, Math.min(piece, end - at));
    if (bytes.length === 0) break;
    at += bytes.length;
    const text = decoder.decode(bytes, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/** The first place from `at` on where a character begins; the end of the file is such a place. */
function characterAt(fd: number, at: number): number {
  if (at === 0) return 0;
  for (let place = at; ; place += LONGEST_CHARACTER) {
    const bytes = readAt(fd, place, LONGEST_CHARACTER);
    const index = bytes.findIndex((byte) => !continuesCharacter(byte));
    if (index >= 0) return place + index;
    if (bytes.length < LONGEST_CHARACTER) return place + bytes.length;
  }
}

/** The last characters before a place where one begins. */
function textBefore(fd: number, at: number): string {
  const from = Math.max(at - LONGEST_CHARACTER, 0);
  const bytes = readAt(fd, from, at - from);
  const first = bytes.findIndex((byte) => !continuesCharacter(byte));
  return first < 0 ? '' : new TextDecoder().decode(bytes.subarray(first));
}

function continuesCharacter(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}
