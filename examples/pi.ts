/**
 * Computes pi as the area below 4 / (1 + x²) between 0 and 1:
 *
 *     onecopy run -n 4 examples/pi.ts --strips 100000000
 *
 * The area is cut into strips, and each rank adds up its share of them. Shows `allreduce` of a number: the sum of all
 * shares, and the time of the slowest rank.
 */
import { parseArgs } from 'node:util';
import { MAX, SUM, world, wtime } from 'onecopy';
import { readOptions, wholeNumber } from './options.ts';
import { splitAt } from './parts.ts';
import { areaOfStrips } from './quadrature.ts';

const USAGE = `Usage: onecopy run -n 4 examples/pi.ts [--strips N]

  --strips N  how many strips the area is cut into (default: 10000000)`;
const MOST_STRIPS = 1e12;

const { rank, size } = world;

const strips = readOptions(USAGE, () => {
  const { values } = parseArgs({ options: { strips: { type: 'string', default: '10000000' } } });
  return wholeNumber('--strips', values.strips, 1, MOST_STRIPS);
});
if (strips !== undefined) main(strips);

function main(strips: number): void {
  // Ranks start one after the other; only what they do together is timed.
  world.barrier();
  const start = wtime();
  const share = areaOfStrips(strips, splitAt(rank, size, strips), splitAt(rank + 1, size, strips));
  const pi = world.allreduce(share, SUM);
  const seconds = world.allreduce(wtime() - start, MAX);
  if (rank !== 0) return;
  console.log(`pi      ${pi}`);
  console.log(`error   ${(pi - Math.PI).toExponential(2)}`);
  console.log(`strips  ${strips}`);
  console.log(`ranks   ${size}`);
  console.log(`time    ${seconds.toFixed(3)} s`);
}
