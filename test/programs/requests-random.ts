// Random traffic completed in random ways: requests-random.ts seed rounds. Each rank sends a window to every rank and
// receives one from each, by all kinds of sends, persistent ones among them, and by all kinds of waits in turns.
import {
  type Completed,
  type PersistentRequest,
  type Request,
  type Status,
  startAll,
  testAll,
  testAny,
  testSome,
  waitAll,
  waitAny,
  waitSome,
  world,
} from 'onecopy';
import { Random } from '../support/random.ts';

const { rank, size } = world;
const [seed = 0, rounds = 0] = process.argv.slice(2).map(Number);
const random = new Random(seed, rank);
const WINDOW = 6;
const LENGTHS = [0, 1, 40, 64, 1000, 8192, 8193, 40_000, 200_000];

interface Expected {
  readonly request: Request<Status>;
  readonly source: number;
  readonly into: Uint8Array;
  readonly length: number;
  readonly tag: number;
}

/** The same on both sides. */
function lengthOf(round: number, source: number, dest: number, i: number): number {
  return LENGTHS[new Random(seed, round, source, dest, i).below(LENGTHS.length)] as number;
}

function content(round: number, source: number, i: number): number {
  return (round * 31 + source * 7 + i) % 255;
}

let messages = 0;
for (let round = 0; round < rounds; round++) {
  const open: Request<unknown>[] = [];
  const expected: Expected[] = [];
  const prepared: PersistentRequest<unknown>[] = [];
  const shuffled = <T>(list: T[]): T[] => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
    return list;
  };
  const peers = Array.from({ length: size }, (_, each) => each);
  const receive = (): void => {
    for (const source of shuffled([...peers])) {
      for (let i = 0; i < WINDOW; i++) {
        const length = lengthOf(round, source, rank, i);
        const into = new Uint8Array(length + 3).fill(255);
        const tag = i % 2;
        let request: Request<Status>;
        if (random.below(3) === 0) {
          const receiving = world.recvInit(into, source, tag);
          request = receiving.start();
          receiving.free();
        } else {
          request = world.irecv(into, source, tag);
        }
        expected.push({ request, source, into, length, tag });
        open.push(request);
      }
    }
  };
  const send = (): void => {
    for (const dest of shuffled([...peers])) {
      const batch: PersistentRequest<void>[] = [];
      for (let i = 0; i < WINDOW; i++) {
        const buffer = new Uint8Array(lengthOf(round, rank, dest, i)).fill(content(round, rank, i));
        // The order to one rank is that of the starts.
        if (batch.length > 0 && random.below(2) === 0) {
          open.push(...startAll(batch));
          prepared.push(...batch.splice(0));
        }
        if (batch.length > 0 || random.below(3) === 0) {
          batch.push(
            random.below(2) === 0
              ? world.sendInit(buffer, dest, i % 2)
              : world.ssendInit(buffer, dest, i % 2),
          );
        } else {
          const issend = random.below(2) === 0;
          open.push(issend ? world.issend(buffer, dest, i % 2) : world.isend(buffer, dest, i % 2));
        }
      }
      open.push(...startAll(batch));
      prepared.push(...batch);
    }
  };
  if (random.below(2) === 0) {
    receive();
    send();
  } else {
    send();
    receive();
  }

  // Some are awaited while all are waited for in other ways.
  const awaited = open.filter(() => random.below(5) === 0).map((request) => request.then(() => 1));
  const left = shuffled([...open]);
  const take = (found: readonly Completed<unknown>[]): void => {
    for (const { index, value } of [...found].reverse()) {
      if (left[index]?.value !== value) throw new Error('the value of another request');
      left.splice(index, 1);
    }
  };
  while (left.length > 0) {
    const some = random.below(4) === 0 ? left.slice(0, 1 + random.below(left.length)) : left;
    switch (random.below(7)) {
      case 0: {
        const found = waitAny(some);
        if (found !== undefined) take([found]);
        break;
      }
      case 1:
        take(waitSome(some, { timeout: 60_000 }));
        break;
      case 2: {
        const found = testAny(some);
        if (found !== undefined) take([found]);
        break;
      }
      case 3:
        take(testSome(some));
        break;
      case 4:
        if (testAll(some)) take(some.map(({ value }, index) => ({ index, value })));
        break;
      case 5:
        await some[0];
        take(testSome(some));
        break;
      default:
        if (random.below(10) === 0) {
          waitAll(some);
          take(some.map(({ value }, index) => ({ index, value })));
        } else {
          await new Promise((resolve) => setImmediate(resolve));
        }
    }
  }
  await Promise.all(awaited);
  const sofar = new Map<string, number>();
  for (const { request, source, into, length, tag } of expected) {
    const { value } = request;
    if (value.source !== source || value.tag !== tag || value.bytes > into.length)
      throw new Error(`round ${round}: ${JSON.stringify(value)}`);
    // Messages of one source and tag come in the order in which they were sent.
    const key = `${source} ${tag}`;
    const i = tag + 2 * (sofar.get(key) ?? 0);
    sofar.set(key, (sofar.get(key) ?? 0) + 1);
    if (value.bytes !== length) throw new Error(`round ${round}: ${value.bytes}, not ${length}`);
    const byte = content(round, source, i);
    if (!into.every((each, at) => each === (at < length ? byte : 255)))
      throw new Error(`round ${round}, from ${source}, message ${i}: other bytes`);
    messages++;
  }
  for (const each of prepared) each.free();
}
world.barrier();
if (world.iprobe() !== undefined) throw new Error('something is left over');
world.barrier();
console.log(JSON.stringify({ rank, messages }));
