/**
 * The form of a message that carries an object: a head of codec (u32), number of attachments (u32), length of the head
 * (u64), length of each attachment (u64), all little-endian, and what the codec wrote; then the attachments, each at the
 * next multiple of 64 bytes. `native/addon/parts.h` reads the same.
 */

const PREFIX = 16;
const ALIGNMENT = 64;
const padding = new Uint8Array(ALIGNMENT);

/** The head of a message, with its own memory. */
export function makeHead(
  codec: number,
  attachments: readonly Uint8Array[],
  encoded: Uint8Array,
): Uint8Array {
  const table = PREFIX + 8 * attachments.length;
  const head = Buffer.allocUnsafeSlow(table + encoded.length);
  head.writeUInt32LE(codec, 0);
  head.writeUInt32LE(attachments.length, 4);
  writeLength(head, head.length, 8);
  for (const [index, { byteLength }] of attachments.entries()) {
    writeLength(head, byteLength, PREFIX + 8 * index);
  }
  head.set(encoded, table);
  return head;
}

/** What is sent, piece by piece. */
export function makeMessage(head: Uint8Array, attachments: readonly Uint8Array[]): Uint8Array[] {
  const pieces = [head];
  let end = head.length;
  for (const attachment of attachments) {
    const gap = padded(end) - end;
    if (gap > 0) pieces.push(padding.subarray(0, gap));
    pieces.push(attachment);
    end += gap + attachment.length;
  }
  return pieces;
}

/** @throws Error if it is not the head of a message with so many attachments */
export function readHead(
  head: Uint8Array,
  attachments: number,
): { codec: number; encoded: Uint8Array } {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const table = PREFIX + 8 * attachments;
  if (head.length < table || view.getUint32(4, true) !== attachments) {
    throw new Error('its beginning makes no sense');
  }
  return { codec: view.getUint32(0, true), encoded: head.subarray(table) };
}

/**
 * The head and the attachments of a message in one piece, copied.
 *
 * @throws Error if it makes no sense
 */
export function splitMessage(message: Uint8Array): ArrayBuffer[] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const count = message.length < PREFIX ? -1 : view.getUint32(4, true);
  const headLength = count < 0 ? 0 : readLength(view, 8);
  if (count < 0 || count > (message.length - PREFIX) / 8 || headLength < PREFIX + 8 * count) {
    throw new Error('its beginning makes no sense');
  }
  const lengths = [headLength];
  for (let index = 0; index < count; index++) lengths.push(readLength(view, PREFIX + 8 * index));
  let end = 0;
  const parts = lengths.map((length) => {
    const start = padded(end);
    end = start + length;
    if (end > message.length) throw new Error('its parts are longer than the whole');
    return Uint8Array.prototype.slice.call(message, start, end).buffer as ArrayBuffer;
  });
  if (end !== message.length) throw new Error('its parts are shorter than the whole');
  return parts;
}

function padded(end: number): number {
  return Math.ceil(end / ALIGNMENT) * ALIGNMENT;
}

// Lengths are below 2^53, so two halves are exact.
function writeLength(head: Buffer, length: number, at: number): void {
  head.writeUInt32LE(length % 2 ** 32, at);
  head.writeUInt32LE(Math.floor(length / 2 ** 32), at + 4);
}

function readLength(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
