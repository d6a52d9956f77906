// Time limits and signals between two ranks: requests-limits.ts seed. What is taken back was never seen by anybody, and
// what was matched arrives whole.
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
import { Random } from '../support/random.ts';

const { rank } = world;
const other = 1 - rank;
const seed = Number(process.argv[2]);
const random = new Random(seed, rank);
const LARGE = 1 << 20;
const ROUNDS = 40;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as MpiError).code;
  }
  return 'nothing';
}

function isAll(buffer: Uint8Array, byte: number): boolean {
  return Buffer.compare(buffer, new Uint8Array(buffer.length).fill(byte)) === 0;
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

// In calls that block, where no timer can fire. The other rank is alive, and says nothing.
if (rank === 0) {
  const into = new Uint8Array(4).fill(7);
  const limited = (): Request<Status> => world.irecv(into, 1, 1, { timeout: 15 });
  const byWait = limited();
  must(codeOf(() => byWait.wait()) === 'ERR_TIMEOUT', 'wait');
  must(codeOf(() => byWait.value) === 'ERR_TIMEOUT', 'value after wait');
  must(codeOf(() => limited().wait({ timeout: 30_000 })) === 'ERR_TIMEOUT', 'wait with a limit');
  must(codeOf(() => waitAll([limited()])) === 'ERR_TIMEOUT', 'waitAll');
  must(codeOf(() => waitAll([limited()], { timeout: 30_000 })) === 'ERR_TIMEOUT', 'waitAll, limit');
  must(codeOf(() => waitAny([limited()])) === 'ERR_TIMEOUT', 'waitAny');
  must(codeOf(() => waitSome([limited()])) === 'ERR_TIMEOUT', 'waitSome');
  const exchange = world.isendrecv(new Uint8Array(LARGE), 1, 1, into, 1, 1, { timeout: 15 });
  must(codeOf(() => waitAny([exchange])) === 'ERR_TIMEOUT', 'isendrecv');

  // The limit of the call is shorter: then the request stays active.
  const active = world.irecv(into, 1, 1, { timeout: 60_000 });
  must(codeOf(() => active.wait({ timeout: 5 })) === 'ERR_TIMEOUT', 'short wait');
  must(codeOf(() => waitAny([active], { timeout: 5 })) === 'ERR_TIMEOUT', 'short waitAny');
  must(codeOf(() => waitSome([active], { timeout: 0 })) === 'ERR_TIMEOUT', 'short waitSome');
  must(codeOf(() => waitAll([active], { timeout: 5 })) === 'ERR_TIMEOUT', 'short waitAll');
  must(testAny([active]) === undefined, 'it is not active any more');
  must(isAll(into, 7), 'the buffer was touched');
  const synchronous = [
    codeOf(() => world.ssend(into, 1, 1, { timeout: 5 })),
    codeOf(() => world.sendrecvReplace(into, 1, 1, 1, 9, { timeout: 5 })),
  ];
  must(synchronous.join() === 'ERR_TIMEOUT,ERR_TIMEOUT', synchronous.join());
  world.send(new Uint8Array(1), 1, 2);
  must(active.wait().bytes === 4, 'not what was sent');
} else {
  world.recv(new Uint8Array(1), 0, 2);
  // The eager half of the exchange that was given up may have come; nothing else has.
  const found = world.iprobe(0, 1);
  if (found !== undefined) world.recv(new Uint8Array(4), 0, 1);
  must(world.iprobe(0, 1) === undefined, 'something that was taken back can be seen');
  world.send(new Uint8Array(4), 0, 1);
}
world.barrier();

function aborted(request: Request<unknown>): Promise<boolean> {
  return request.then(
    () => false,
    (error: unknown) => {
      if (error !== 'enough') throw error;
      return true;
    },
  );
}

function soon(): Promise<void> {
  const turns = random.below(4);
  return new Promise((resolve) => {
    if (turns === 0) queueMicrotask(resolve);
    else if (turns === 1) setImmediate(resolve);
    else setTimeout(resolve, turns - 1);
  });
}

const outgoing = new Uint8Array(LARGE);
const incoming = new Uint8Array(LARGE);
let takenBack = 0;

// A signal at the sender, at any moment of the transfer.
for (let round = 0; round < ROUNDS; round++) {
  const large = round % 3 !== 0;
  const out = large ? outgoing : outgoing.subarray(0, 16);
  const into = large ? incoming : incoming.subarray(0, 16);
  out.fill(round + 1);
  into.fill(0);
  const sender = round % 2;
  if (rank === sender) {
    const controller = new AbortController();
    const limits = { signal: controller.signal };
    const request =
      round % 4 < 2 ? world.issend(out, other, 3, limits) : world.isend(out, other, 3, limits);
    void soon().then(() => controller.abort('enough'));
    const gone = await aborted(request);
    if (gone) takenBack++;
    // The receive is still there then, and this is for it.
    if (gone) world.send(new Uint8Array(0), other, 3);
    world.send(Uint8Array.of(gone ? 1 : 0), other, 4);
  } else {
    await soon();
    const status = await world.irecv(into, other, 3);
    const gone = new Uint8Array(1);
    await world.irecv(gone, other, 4);
    must((status.bytes === 0) === (gone[0] === 1), `round ${round}: ${status.bytes} bytes came`);
    const expected = gone[0] === 1 ? 0 : round + 1;
    must(isAll(into, expected), `round ${round}: other bytes`);
  }
  must(world.iprobe() === undefined, 'something is left over');
  world.barrier();
}

// The same at the receiver.
for (let round = 0; round < ROUNDS; round++) {
  const large = round % 3 !== 0;
  const out = large ? outgoing : outgoing.subarray(0, 16);
  const into = large ? incoming : incoming.subarray(0, 16);
  out.fill(round + 1);
  into.fill(0);
  if (rank === round % 2) {
    await soon();
    await world.isend(out, other, 3);
  } else {
    const controller = new AbortController();
    const request = world.irecv(into, other, 3, { signal: controller.signal });
    void soon().then(() => controller.abort('enough'));
    if (await aborted(request)) {
      takenBack++;
      must(isAll(into, 0), 'written after it was taken back');
      world.recv(into, other, 3);
    }
    must(isAll(into, round + 1), `round ${round}: other bytes`);
  }
  world.barrier();
  must(world.iprobe() === undefined, 'something is left over');
  world.barrier();
}
console.log(JSON.stringify({ rank, takenBack }));
