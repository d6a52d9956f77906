/**
 * What a number is in a text, and how to read those that begin in a part of a file. Nothing here knows of ranks.
 *
 * Numbers are separated by white space or commas, any amount of both, and written in decimal with or without an
 * exponent: 42, -0, .5, 6.02e23. Anything else is malformed, NaN and Infinity too, and so is 1e999, which a float64
 * cannot hold. A byte order mark at the start of the file is skipped.
 */
import { readAt, withFile } from './files.ts';

export interface NumbersOfPart {
  readonly numbers: Float64Array;
  /** The place in the file of the first token that is not a number; undefined where there is none. */
  readonly malformedAt: number | undefined;
}

export interface Token {
  /** Of the file, from 1. */
  readonly line: number;
  /** Its beginning, if it is long. */
  readonly text: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
// One character for each byte. All separators are ASCII, whatever the other bytes may mean.
const TOKEN = /[^ \t\n\v\f\r,]+/g;
const SEPARATOR = /[ \t\n\v\f\r,]/;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const LINE_FEED = 0x0a;

const PIECE = 1024 * 1024;
const SMALL_PIECE = 256;
const LONGEST_SHOWN = 40;

/** Undefined if the text is anything but one number. */
export function parseNumber(text: string): number | undefined {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** The numbers that begin at the bytes `from` to `to` (exclusive) of a file. Stops at what is not a number. */
export function readNumbers(path: string, from: number, to: number): NumbersOfPart {
  return withFile(path, (fd) => {
    const numbers: number[] = [];
    for (const { text, at } of tokens(fd, firstToken(fd, from), endOfTokenBefore(fd, to))) {
      const number = parseNumber(text);
      if (number === undefined) return { numbers: new Float64Array(numbers), malformedAt: at };
      numbers.push(number);
    }
    return { numbers: new Float64Array(numbers), malformedAt: undefined };
  });
}

/** What a message needs to name a token that begins at this place. */
export function tokenAt(path: string, at: number): Token {
  return withFile(path, (fd) => {
    let line = 1;
    for (let place = 0; place < at; ) {
      const bytes = readAt(fd, place, Math.min(PIECE, at - place));
      if (bytes.length === 0) break;
      for (const byte of bytes) if (byte === LINE_FEED) line += 1;
      place += bytes.length;
    }
    const length = endOfToken(fd, at) - at;
    const start = new TextDecoder().decode(readAt(fd, at, Math.min(length, LONGEST_SHOWN)));
    return { line, text: length > LONGEST_SHOWN ? `${start}…` : start };
  });
}

/** Those from `start` to `end`, neither of which is inside one. */
function* tokens(fd: number, start: number, end: number): Generator<{ text: string; at: number }> {
  // One that may go on in the next piece.
  let open = '';
  for (let at = start; at < end; ) {
    const bytes = readAt(fd, at, Math.min(PIECE, end - at));
    if (bytes.length === 0) break;
    const text = open + latin1(bytes);
    const textAt = at - open.length;
    open = '';
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      if (index + token.length === text.length) open = token;
      else yield { text: token, at: textAt + index };
    }
    at += bytes.length;
  }
  if (open !== '') yield { text: open, at: end - open.length };
}

/** The place from which on all tokens begin at `from` or later. */
function firstToken(fd: number, from: number): number {
  if (from > 0) return endOfTokenBefore(fd, from);
  const start = readAt(fd, 0, BYTE_ORDER_MARK.length);
  const hasMark = BYTE_ORDER_MARK.every((byte, i) => start[i] === byte);
  return hasMark ? BYTE_ORDER_MARK.length : 0;
}

/** Where the last token that begins before `at` ends, or a place between that and `at`. */
function endOfTokenBefore(fd: number, at: number): number {
  return at === 0 ? 0 : endOfToken(fd, at - 1);
}

/** The first place from `at` on that has a separator, or the end of the file. */
function endOfToken(fd: number, at: number): number {
  for (let place = at; ; ) {
    const bytes = readAt(fd, place, SMALL_PIECE);
    if (bytes.length === 0) return place;
    const index = latin1(bytes).search(SEPARATOR);
    if (index >= 0) return place + index;
    place += bytes.length;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
