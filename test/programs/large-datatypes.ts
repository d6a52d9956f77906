// Messages of more than 2^31 bytes whose pieces lie apart in the array of one rank, and together in that of the other.
// node large-datatypes.ts seed block… : lengths of the pieces, each with a gap of a quarter behind it. Two ranks.
import { BYTE, Datatype, world } from 'onecopy';
import { Stamps } from '../support/stamps.ts';

const [seed = '', ...blocks] = process.argv.slice(2);
const { rank } = world;
const other = 1 - rank;

for (const [round, block] of blocks.map(Number).entries()) {
  const stride = block + block / 4;
  const count = Math.ceil((2 ** 31 + 1) / block);
  const length = count * block;
  const datatype = Datatype.hvector(count, block, stride, BYTE);
  const stamps = new Stamps(length, Number(seed) + round);
  const layout = (byte: number): number => Math.floor(byte / block) * stride + (byte % block);
  const span = layout(length - 1) + 1;
  // The first rank has the pieces in the first round, the second in the next.
  const isApart = rank === round % 2;
  const array = new Uint8Array(isApart ? span : length);
  const described = isApart ? { data: array, count: 1, datatype } : array;
  if (rank === 0) {
    stamps.write(array, round, isApart ? layout : undefined);
    world.send(described, other, round);
  } else {
    const { bytes } = world.recv(described, other, round);
    if (bytes !== length) throw new Error(`${bytes} bytes came, not ${length}`);
    stamps.check(array, round, isApart ? layout : undefined);
    console.log(JSON.stringify({ block, bytes }));
  }
}
