// The engine below the runtime, between two ranks: messages that claim to be objects and are none.

import { startEngine } from '../../native/dist/index.js';
import { ANY_SOURCE, MODE, MpiError } from '../../packages/engine/dist/index.js';
import { Random } from '../support/random.ts';

const engine = startEngine();
const random = new Random(Number(process.argv[2]));
const ROUNDS = 300;

/** Two attachments, the second of which the receiver gets without a copy. */
function message(): Buffer {
  const lengths = [16 + 16 + 40, 300, 70_000];
  const bytes = Buffer.alloc(128 + 320 + 70_000);
  bytes.writeUInt32LE(2, 4);
  bytes.writeBigUInt64LE(BigInt(lengths[0] as number), 8);
  bytes.writeBigUInt64LE(BigInt(lengths[1] as number), 16);
  bytes.writeBigUInt64LE(BigInt(lengths[2] as number), 24);
  return bytes;
}

/** The same on both ranks. */
function corrupted(): { bytes: Buffer; isWhole: boolean } {
  const bytes = message();
  const isWhole = random.below(4) === 0;
  if (isWhole) return { bytes, isWhole };
  const changes = 1 + random.below(3);
  for (let i = 0; i < changes; i++) bytes[4 + random.below(28)] = random.below(256);
  return {
    bytes: random.below(2) === 0 ? bytes : bytes.subarray(0, random.below(bytes.length)),
    isWhole,
  };
}

const receive = [
  () => engine.recvParts(0, 1, 0).parts,
  () => {
    const pending = engine.irecvParts(ANY_SOURCE, 1, 0);
    pending.operation.wait();
    return pending.take();
  },
  () => engine.mprobe(0, 1, 0).receiveParts(),
];

let refused = 0;
for (let round = 0; round < ROUNDS; round++) {
  const { bytes, isWhole } = corrupted();
  if (engine.rank === 0) {
    engine.send(bytes, 1, 1, 0, MODE.object);
    continue;
  }
  try {
    const parts = (receive[round % receive.length] as () => readonly ArrayBuffer[])();
    const sum = parts.reduce((total, { byteLength }) => total + byteLength, 0);
    if (sum > bytes.length) throw new Error(`round ${round}: more bytes than were sent`);
  } catch (error) {
    if (!(error instanceof MpiError) || error.code !== 'ERR_PROTOCOL' || isWhole) throw error;
    refused++;
  }
}
console.log(`rank ${engine.rank} done${refused > 50 ? ', many were refused' : ''}`);
engine.leave(0);
