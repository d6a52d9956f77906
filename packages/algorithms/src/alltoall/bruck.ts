import type { Algorithm } from '../algorithm.ts';
import { even, listed, region, ScheduleBuilder } from '../builder.ts';
import { IN, OUT, type Schedule } from '../schedule.ts';

/** Bruck et al. (1997), without the rotation at the end: Träff, Rougier, Hunold: Implementing a classic (2014). */
export const alltoallBruck: Algorithm = {
  name: 'bruck',
  operation: 'alltoall',
  ordered: true,
  steps:
    'A block that has d ranks to go travels by the bits of d: in round k all blocks whose d has bit k go 2^k ranks on, packed into one message. Every rank keeps it at place (rank − d), so in the end each block lies at the number of its source.',
  cost: '⌈log₂ p⌉ α + about ½ p ⌈log₂ p⌉ n β, and as much for packing and unpacking each',
  schedule(size: number, rank: number): Schedule {
    const b = new ScheduleBuilder(size, rank, even(size), even(size));
    // The block for rank t has d = t - rank to go and is kept at rank - d.
    const places = Array.from({ length: size }, (_, target) => modulo(2 * rank - target, size));
    b.unpack(region(IN, 0, size), listed(OUT, places));
    if (size === 1) return b.build();

    const most = blocksOnTheWay(size, 1).length;
    const outgoing = b.scratch(even(most), OUT);
    const incoming = b.scratch(even(most), OUT);
    for (let distance = 1; distance < size; distance *= 2) {
      const ways = blocksOnTheWay(size, distance);
      const travelling = listed(
        OUT,
        ways.map((way) => modulo(rank - way, size)),
      );
      b.round();
      const packed = b.pack(travelling, region(outgoing, 0, ways.length));
      b.send((rank + distance) % size, region(outgoing, 0, ways.length), [packed]);
      const received = b.recv(modulo(rank - distance, size), region(incoming, 0, ways.length));
      b.unpack(region(incoming, 0, ways.length), travelling, [packed, received]);
    }
    return b.build();
  },
};

/** All d with the bit of a round, descending: so the places `rank - d` ascend and neighbours are taken together. */
function blocksOnTheWay(size: number, distance: number): number[] {
  const ways: number[] = [];
  for (let way = size - 1; way > 0; way -= 1) if ((way & distance) !== 0) ways.push(way);
  return ways;
}

function modulo(value: number, size: number): number {
  return ((value % size) + size) % size;
}
