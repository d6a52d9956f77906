/**
 * Lets heat spread through a block of matter whose opposite sides are neighbours:
 *
 *     onecopy run -n 8 examples/halo3d.ts --cells 96 --steps 100
 *
 * The block is split over the ranks in three dimensions, so before each step every rank gives its six neighbours its
 * outermost layer of cells. None of the layers is contiguous in memory and all are of different kinds (planes, rows, single
 * cells at a distance): `Datatype.subarray` says where each lies, and nothing is copied by hand. The result does not
 * depend on the number of ranks.
 */
import { parseArgs } from 'node:util';
import { MAX, world, wtime } from 'onecopy';
import { gridOf, Part } from './block.ts';
import { readOptions, wholeNumber } from './options.ts';

const USAGE = `Usage: onecopy run -n 8 examples/halo3d.ts [options]

  --cells N  cells along each side of the block (default: 48)
  --steps N  how many steps (default: 50)`;

const { rank, size } = world;

interface Options {
  readonly cells: number;
  readonly steps: number;
}

const options = readOptions(USAGE, (): Options => {
  const { values } = parseArgs({
    options: {
      cells: { type: 'string', default: '48' },
      steps: { type: 'string', default: '50' },
    },
  });
  const grid = gridOf(size);
  return {
    cells: wholeNumber('--cells', values.cells, Math.max(...grid), 1000),
    steps: wholeNumber('--steps', values.steps, 1, 1e9),
  };
});
function main({ cells, steps }: Options): void {
  const part = new Part(cells);
  const start = wtime();
  for (let i = 0; i < steps; i++) {
    part.exchange();
    part.step();
  }
  const seconds = wtime() - start;
  const hottest = world.allreduce(part.hottest, MAX);
  if (rank !== 0) return;
  const bytes = part.faces.reduce((sum, { own }) => sum + own.size, 0);
  console.log(`ranks    ${gridOf(size).join(' x ')}`);
  console.log(`halo     ${bytes} bytes a step`);
  console.log(`hottest  ${hottest}`);
  console.log(`time     ${seconds.toFixed(3)} s`);
}

if (options !== undefined) main(options);
