// Ranks that end while others wait for them in communicators: node communicators-ends.ts how. Three ranks; rank 2 ends. Each
// of the others writes a line of JSON for what it was told.
import { ANY_SOURCE, MpiError, world } from 'onecopy';

export interface Report {
  readonly rank: number;
  readonly what: string;
  readonly code: string;
  readonly peer?: number;
}

const { rank } = world;
const [how = ''] = process.argv.slice(2);

function tell(what: string, action: () => unknown): void {
  let code = 'none';
  let peer: number | undefined;
  try {
    action();
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    ({ code, peer } = error);
  }
  const report: Report = { rank, what, code, ...(peer !== undefined && { peer }) };
  console.log(JSON.stringify(report));
}

const buffer = new Uint8Array(8);
// Ranks 1 and 2 of the world, in the other order.
const pair = world.split(rank === 0 ? 0 : 1, -rank)!;
const all = world.split(0, -rank)!;

if (how === 'leaves') {
  if (rank === 1) {
    // Rank 0 is still there, but is no member.
    tell('recv', () => pair.recv(buffer, ANY_SOURCE));
    tell('irecv', () => pair.irecv(buffer, ANY_SOURCE).wait());
    tell('probe', () => pair.probe());
    tell('send', () => pair.send(buffer, 0));
    tell('dup', () => pair.dup());
    tell('createGroup', () => pair.createGroup(pair.group));
    // The others go on, also in a communicator that they make now.
    world.createGroup(world.group.incl([0, 1])).send(buffer, 0);
  } else if (rank === 0) {
    const made = world.createGroup(world.group.incl([0, 1]));
    made.recv(buffer, ANY_SOURCE);
    tell('recv in what was made', () => made.recv(buffer, ANY_SOURCE));
  }
} else {
  const creations: Readonly<Record<string, () => unknown>> = {
    dup: () => all.dup(),
    idup: () => all.idup().wait(),
    split: () => all.split(0),
    create: () => all.create(all.group),
    createGroup: () => all.createGroup(all.group),
    createCart: () => all.createCart([3]),
    createDistGraph: () => all.createDistGraph([], [], []),
  };
  if (rank === 2) process.kill(process.pid, 'SIGKILL');
  tell(how, creations[how]!);
}
