import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  endsLine,
  LineAssembler,
  LONGEST_LINE,
  prefixLines,
} from '../packages/launcher/src/lines.ts';
import { RankPipe } from '../packages/launcher/src/rank-pipe.ts';
import { type Cursor, Sink } from '../packages/launcher/src/sink.ts';

describe('lines', () => {
  // Few values, so that newlines are frequent.
  const bytes = fc
    .array(fc.constantFrom(0x0a, 0x0d, 0x61, 0x00, 0xff), { maxLength: 60 })
    .map((values) => Buffer.from(values));

  test('come out whole, and every byte comes out once', () => {
    fc.assert(
      fc.property(fc.array(bytes), (chunks) => {
        const lines = new LineAssembler();
        const out: Buffer[] = [];
        for (const chunk of chunks) {
          if (chunk.length === 0) continue;
          const whole = lines.push(chunk);
          if (whole === undefined) continue;
          expect(endsLine(whole)).toBe(true);
          out.push(whole);
        }
        const rest = lines.take();
        expect(lines.holds).toBe(false);
        if (rest !== undefined) {
          expect(rest.includes(0x0a)).toBe(false);
          out.push(rest);
        }
        expect(Buffer.concat(out)).toEqual(Buffer.concat(chunks));
      }),
    );
  });

  test('that do not end are passed on in parts', () => {
    const lines = new LineAssembler();
    let held = 0;
    for (let i = 0; i < 40; i++) {
      const out = lines.push(Buffer.alloc(LONGEST_LINE / 16, 'x'));
      held += LONGEST_LINE / 16 - (out?.length ?? 0);
      expect(held).toBeLessThanOrEqual(LONGEST_LINE);
    }
  });

  test('get a prefix each, as if they were cut and joined again', () => {
    fc.assert(
      fc.property(bytes, fc.boolean(), (all, within) => {
        fc.pre(all.length > 0);
        const text = all.toString('latin1');
        const body = text.endsWith('\n') ? text.slice(0, -1) : text;
        const expected = body
          .split('\n')
          .map((line, index) => (index === 0 && within ? line : `[3] ${line}`))
          .join('\n');
        const got = prefixLines(all, '[3] ', within).toString('latin1');
        expect(got).toBe(expected + text.slice(body.length));
      }),
    );
  });
});

/** Takes what is written to it only when it is told to. */
class SlowReader extends Writable {
  readonly taken: Buffer[] = [];
  #waiting: (() => void) | undefined;
  #reading: boolean;

  constructor(reading: boolean) {
    super({ highWaterMark: 1000 });
    this.#reading = reading;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    if (this.#reading) done();
    else this.#waiting = done;
  }

  read(): void {
    this.#reading = true;
    this.#waiting?.();
  }

  get text(): string {
    return Buffer.concat(this.taken).toString();
  }
}

const noCursor = (): Cursor => ({ within: undefined });
const failing = (error: Error): void => {
  throw error;
};

describe('a sink', () => {
  const [a, b] = [{}, {}];

  test('never continues the line of another writer', () => {
    const out = new SlowReader(true);
    const sink = new Sink(out, true, noCursor(), failing);
    sink.write(a, '[0] ', Buffer.from('name? '));
    sink.write(b, '[1] ', Buffer.from('done\n'));
    sink.write(a, '[0] ', Buffer.from('again? '));
    sink.write(a, '[0] ', Buffer.from('yes\nthanks\n'));
    sink.write(b, '[1] ', Buffer.from('last'));
    sink.say('onecopy: the end');
    expect(out.text).toBe(
      '[0] name? \n[1] done\n[0] again? yes\n[0] thanks\n[1] last\nonecopy: the end\n',
    );
  });

  test('adds nothing to what a single rank writes', () => {
    const out = new SlowReader(true);
    const sink = new Sink(out, false, noCursor(), failing);
    sink.write(a, '[0] ', Buffer.from('begin'));
    sink.write(a, '[0] ', Buffer.from(' and end\nrest'));
    expect(out.text).toBe('begin and end\nrest');
  });

  test('knows the lines of the other one on the same terminal', () => {
    const out = new SlowReader(true);
    const cursor = noCursor();
    const [one, two] = [new Sink(out, true, cursor, failing), new Sink(out, true, cursor, failing)];
    one.write(a, '[0] ', Buffer.from('name? '));
    two.write(b, '[0] ', Buffer.from('warning\n'));
    expect(out.text).toBe('[0] name? \n[0] warning\n');
  });

  test('says when its reader is behind, and when everything is out', async () => {
    const out = new SlowReader(false);
    const sink = new Sink(out, false, noCursor(), failing);
    expect(sink.full).toBe(false);
    sink.write(a, '', Buffer.alloc(4000, 'x'));
    expect(sink.full).toBe(true);
    const events: string[] = [];
    const room = sink.room().then(() => events.push('room'));
    const flushed = sink.flushed().then(() => events.push('flushed'));
    out.read();
    await Promise.all([room, flushed]);
    expect(events.sort()).toEqual(['flushed', 'room']);
    expect(sink.full).toBe(false);
    expect(out.writableLength).toBe(0);
  });

  test('holds up nobody once it is broken', async () => {
    const out = new SlowReader(false);
    const broken: string[] = [];
    const sink = new Sink(out, false, noCursor(), (error) => broken.push(error.message));
    sink.write(a, '', Buffer.alloc(4000, 'x'));
    const waiting = Promise.all([sink.room(), sink.flushed()]);
    out.destroy(new Error('nobody reads'));
    await waiting;
    sink.write(a, '', Buffer.from('more'));
    await sink.flushed();
    expect(sink.full).toBe(false);
    expect(broken).toEqual(['nobody reads']);
  });
});

describe("a rank's pipe", () => {
  interface Ends {
    readonly pipe: RankPipe;
    readonly out: SlowReader;
    readonly inspected: Buffer[];
    write(text: string | Buffer): void;
    end(): void;
  }

  function open(reading: boolean, prefixed = false): Ends {
    const folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'pipe');
    spawnSync('mkfifo', [path]);
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const out = new SlowReader(reading);
    const sink = new Sink(out, prefixed, noCursor(), failing);
    const inspected: Buffer[] = [];
    const pipe = new RankPipe(
      readEnd,
      7,
      () => sink,
      (chunk) => inspected.push(chunk),
    );
    return {
      pipe,
      out,
      inspected,
      write: (text) => {
        writeSync(writeEnd, Buffer.from(text));
      },
      end: () => closeSync(writeEnd),
    };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  test('brings whole lines, and a rest when nobody goes on with it', async () => {
    const { pipe, out, write, end, inspected } = open(true, true);
    write('one\ntw');
    await until(() => out.text === '[7] one\n');
    write('o\n');
    await until(() => out.text === '[7] one\n[7] two\n');
    write('prompt> ');
    await until(() => out.text === '[7] one\n[7] two\n[7] prompt> ');
    write('answer\n');
    await until(() => out.text === '[7] one\n[7] two\n[7] prompt> answer\n');
    expect(Buffer.concat(inspected).toString()).toBe('one\ntwo\nprompt> answer\n');
    end();
    await pipe.drain();
  });

  test('shows a line that grows and grows in small pieces', async () => {
    const { pipe, out, write, end } = open(true);
    while (out.text === '') {
      write('.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(out.text).toMatch(/^\.+$/);
    end();
    await pipe.drain();
  });

  test('is drained to the last byte, however slow the reader, although somebody holds it', async () => {
    const { pipe, out, write, end } = open(false);
    const text = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join('');
    write(text);
    await until(() => out.taken.length > 0);
    write('rest');
    const drained = pipe.drain();
    out.read();
    await drained;
    expect(out.text).toBe(`${text}rest`);
    end();
  });

  test('is not read while the reader is behind', async () => {
    const { out, write, pipe, end } = open(false);
    const line = Buffer.from(`${'x'.repeat(1023)}\n`);
    let written = 0;
    let refused = 0;
    // Goes on until the pipe has stayed full for a while: nobody takes anything out of it.
    while (refused < 20) {
      try {
        write(line);
        written += line.length;
        refused = 0;
      } catch {
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    // The pipe's 64 KiB, what the socket has read ahead, and one piece on its way.
    expect(written).toBeLessThan(400_000);
    const drained = pipe.drain();
    out.read();
    await drained;
    expect(Buffer.concat(out.taken).length).toBe(written);
    end();
  });
});
