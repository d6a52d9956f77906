// Failures of requests in lists, seen and unseen: requests-unseen.ts how. Two ranks, 0 receives.
import {
  type MpiError,
  type Request,
  type Status,
  testAny,
  waitAll,
  waitAny,
  waitSome,
  world,
} from 'onecopy';

const { rank } = world;
const [how = ''] = process.argv.slice(2);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as MpiError).code;
  }
  return 'nothing';
}

const LOOK: Readonly<Record<string, (requests: Request<Status>[]) => unknown>> = {
  /** Both failures are thrown. */
  any: (requests) => {
    for (let i = 0; i < 2; i++) {
      try {
        waitAny(requests);
      } catch (error) {
        console.log((error as MpiError).code);
        requests.splice((error as MpiError).index as number, 1);
      }
    }
  },
  /** Who is told of one failure of waitAll is told of all. */
  all: (requests) => console.log(codeOf(() => waitAll(requests))),
  /** One is thrown, and nobody has seen the other, though it is known here. */
  some: (requests) => console.log(codeOf(() => waitSome(requests))),
  /** Nor this. */
  tested: (requests) => {
    while (codeOf(() => testAny(requests)) === 'nothing');
    console.log('tested');
  },
};

if (rank === 0) {
  const requests = [world.irecv(new Uint8Array(1), 1, 1), world.irecv(new Uint8Array(1), 1, 2)];
  world.barrier();
  world.recv(new Uint8Array(1), 1, 3);
  LOOK[how]?.(requests);
} else {
  world.barrier();
  world.send(new Uint8Array(2), 0, 1);
  world.send(new Uint8Array(2), 0, 2);
  world.send(new Uint8Array(1), 0, 3);
}
