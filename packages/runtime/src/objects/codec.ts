/** How values become messages, for sends and for collective operations. */
import { MpiError } from '@onecopy/engine';
import { attachmentsOf, perforate, regionsOf, restore } from './holes.ts';
import { pack, unpack } from './msgpack.ts';
import { makeHead, makeMessage, readHead, splitMessage } from './parts.ts';
import { survey } from './survey.ts';
import { deserialize, serialize } from './v8.ts';

/**
 * What encodes a value: `msgpack` is fast and compact, and gives in some cases something else than structuredClone
 * (docs/objects.md lists them); `v8` is exact, and slower.
 */
export type ObjectCodec = 'msgpack' | 'v8';

/** As the message names it. */
const CODECS = { plain: 1, perforated: 2, v8: 3 } as const;

/**
 * The pieces that a value is sent in: the first has memory of its own, the others are the value's.
 *
 * @throws MpiError `ERR_ARG` if it cannot be encoded
 */
export function encodeParts(call: string, value: unknown, codec: ObjectCodec): Uint8Array[] {
  try {
    return codec === 'v8' ? encodeExactly(value) : encodeFast(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MpiError(
      'ERR_ARG',
      `${call}: the value cannot be encoded: ${reason} Nothing was sent`,
      {
        cause,
      },
    );
  }
}

function encodeExactly(value: unknown): Uint8Array[] {
  const { attachments, bytes } = serialize(value);
  return makeMessage(makeHead(CODECS.v8, attachments, bytes), attachments);
}

function encodeFast(value: unknown): Uint8Array[] {
  const { memories, odd, shared } = survey(value, true);
  const regions = regionsOf(memories);
  if (regions.length === 0 && !odd) return [makeHead(CODECS.plain, [], pack(value, shared))];
  const attachments = attachmentsOf(regions);
  const head = makeHead(CODECS.perforated, attachments, pack(perforate(value, regions), true));
  return makeMessage(head, attachments);
}

/**
 * @param parts the head and the attachments, which become part of the value
 * @param from the sender's rank, for messages
 * @throws MpiError `ERR_PROTOCOL` if they are not what `encodeParts` makes
 */
export function decodeParts(call: string, parts: readonly ArrayBuffer[], from: number): unknown {
  try {
    const [head = new ArrayBuffer(0), ...attachments] = parts;
    const { codec, encoded } = readHead(new Uint8Array(head), attachments.length);
    switch (codec) {
      case CODECS.plain:
        return unpack(encoded);
      case CODECS.perforated:
        return restore(unpack(encoded), attachments);
      case CODECS.v8:
        return deserialize(encoded, attachments);
      default:
        throw new Error(`there is no codec ${codec}`);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MpiError(
      'ERR_PROTOCOL',
      `${call}: the value from rank ${from} cannot be decoded: ${reason}. ` +
        'Do both ranks run the same version of onecopy?',
      { peer: from, cause },
    );
  }
}

/** The same in one piece, copied. */
export function encode(call: string, value: unknown): Uint8Array {
  const pieces = encodeParts(call, value, 'msgpack');
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
}

export function decode(call: string, message: Uint8Array, from: number): unknown {
  let parts: ArrayBuffer[];
  try {
    parts = splitMessage(message);
  } catch (cause) {
    throw new MpiError('ERR_PROTOCOL', `${call}: the value from rank ${from} cannot be decoded`, {
      peer: from,
      cause,
    });
  }
  return decodeParts(call, parts, from);
}
