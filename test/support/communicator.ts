// The communicators that tests of other things can run on: ONECOPY_TEST_COMMUNICATOR names one.
import { type Communicator, world } from 'onecopy';

export const COMMUNICATORS = ['world', 'dup', 'reversed', 'odd and even'] as const;
export type CommunicatorName = (typeof COMMUNICATORS)[number];

const MAKERS: Readonly<Record<CommunicatorName, () => Communicator>> = {
  world: () => world,
  dup: () => world.dup(),
  reversed: () => world.split(0, -world.rank)!,
  'odd and even': () => world.split(world.rank % 2)!,
};

export function communicatorUnderTest(): Communicator {
  const name = (process.env.ONECOPY_TEST_COMMUNICATOR ?? 'world') as CommunicatorName;
  return MAKERS[name]();
}
