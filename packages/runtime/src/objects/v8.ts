/** Values as V8 writes them for structuredClone. */
import { Deserializer, Serializer } from 'node:v8';
import { dataCloneError, survey } from './survey.ts';
import { LEAST_ATTACHED } from './views.ts';

/** V8's own: that of Node copies views one by one, and does not know what memory they share. */
class ExactSerializer extends Serializer {
  /** Called by V8 to make the error for what cannot be cloned; `new` is not needed for that. */
  readonly _getDataCloneError = (message: string): Error =>
    dataCloneError(message.replace(/ could not be cloned\.$/, ''));
}

/** @returns the attachments, and what V8 wrote */
export function serialize(value: unknown): { attachments: Uint8Array[]; bytes: Uint8Array } {
  const serializer = new ExactSerializer();
  const attachments: Uint8Array[] = [];
  serializer.writeHeader();
  for (const buffer of survey(value, false).memories.keys()) {
    const changes = (buffer as { resizable?: boolean }).resizable === true;
    if (changes || buffer.byteLength < LEAST_ATTACHED) continue;
    serializer.transferArrayBuffer(attachments.length, buffer);
    attachments.push(new Uint8Array(buffer));
  }
  serializer.writeValue(value);
  return { attachments, bytes: serializer.releaseBuffer() };
}

/** @throws Error if the bytes are not what `serialize` gives */
export function deserialize(bytes: Uint8Array, attachments: readonly ArrayBuffer[]): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  for (const [index, buffer] of attachments.entries()) {
    deserializer.transferArrayBuffer(index, buffer);
  }
  return deserializer.readValue();
}
