// docs/objects.md: what arrives otherwise than structuredClone would copy it.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeParts,
  encodeParts,
  type ObjectCodec,
} from '../packages/runtime/src/objects/codec.ts';
import { splitMessage } from '../packages/runtime/src/objects/parts.ts';
import { isSame, KINDS, type Kind } from './support/object-kinds.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const path = join(import.meta.dirname, '../docs/objects.md');

function through(value: unknown, codec: ObjectCodec): unknown {
  const pieces = encodeParts('test', value, codec);
  return decodeParts('test', splitMessage(Buffer.concat(pieces)), 0);
}

function differs(kind: Kind): boolean {
  return !isSame(structuredClone(kind.example()), through(kind.example(), 'msgpack'));
}

function shown(value: unknown): string {
  const text = inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY, depth: 3 });
  return `\`${text.replaceAll('|', '\\|').replaceAll('\n', ' ')}\``;
}

function page(): string {
  const rows = KINDS.filter(differs).map(({ name, example }) => {
    const values = [structuredClone(example()), through(example(), 'msgpack')];
    return `| ${name} | ${values.map(describeValue).join(' | ')} |`;
  });
  const same = KINDS.filter((kind) => !differs(kind)).map(({ name }) => `- ${name}`);
  return `${[
    '# Objects',
    '',
    'What `sendObject` and the collective operations on objects give the receiver, beside what `structuredClone` gives.',
    "Written by `node scripts/objects-docs.mjs`. With `{ codec: 'v8' }`, which `sendObject` and `isendObject` take, nothing",
    'differs, but for classes of Node.js itself (Blob, KeyObject, MessagePort and the like), which cannot be sent.',
    '',
    '## Other than with structuredClone',
    '',
    '| | structuredClone | onecopy |',
    '| --- | --- | --- |',
    ...rows,
    '',
    'A SharedArrayBuffer is refused, as functions, symbols, promises, weak references and proxies are. A proxy for a plain',
    'object or array is taken for one. A resizable ArrayBuffer arrives as one of fixed length.',
    '',
    '## The same',
    '',
    ...same,
  ].join('\n')}\n`;
}

function describeValue(value: unknown): string {
  if (value instanceof Error) return describeError(value);
  if (!ArrayBuffer.isView(value)) return shown(value);
  const beside = value.buffer.byteLength - value.byteLength;
  return `${shown(value)}${beside === 0 ? '' : ' in a longer ArrayBuffer'}`;
}

function describeError(error: Error): string {
  const stack = error.stack?.includes('unpack')
    ? 'the stack of where it was received'
    : 'its stack';
  const cause = error.cause === undefined ? '' : `, cause \`${inspect(error.cause)}\``;
  return `\`${error.name}: ${error.message}\`${cause}, ${stack}`;
}

/** As the repository has its pages. */
function formatted(text: string): string {
  const biome = join(import.meta.dirname, '../node_modules/@biomejs/biome/bin/biome');
  const { stdout } = spawnSync(
    process.execPath,
    [biome, 'format', '--stdin-file-path=docs/objects.md'],
    { input: text, encoding: 'utf8' },
  );
  return stdout;
}

const written = formatted(page());
if (process.env.ONECOPY_WRITE_PAGES === '1') writeFileSync(path, written);

test('docs/objects.md says what is the case (else run scripts/objects-docs.mjs)', () => {
  expect(readFileSync(path, 'utf8')).toBe(written);
});

describe(`every value of a kind does what its example does (seed ${seed}):`, () => {
  test.each(KINDS)('$name', (kind) => {
    const different = differs(kind);
    fc.assert(
      fc.property(kind.values, (value) => {
        const same = isSame(structuredClone(value), through(value, 'msgpack'));
        // Where the example differs, others may not: an empty string has no lone surrogates.
        expect(same || different, inspect(value)).toBe(true);
      }),
      { seed, numRuns: 200 },
    );
  });
  test.each(KINDS)('$name with the codec v8', (kind) => {
    fc.assert(
      fc.property(kind.values, (value) => isSame(structuredClone(value), through(value, 'v8'))),
      { seed, numRuns: 200 },
    );
  });
});
