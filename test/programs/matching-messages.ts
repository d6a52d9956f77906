// for await over messages(). Any number of ranks from 2 on; rank 0 listens, the others send.
import {
  ANY_SOURCE,
  type ErrorCode,
  type Message,
  MpiError,
  PROC_NULL,
  self,
  waitAll,
  world,
} from 'onecopy';

const { rank, size } = world;
const LARGE = 1 << 16;
const COUNT = 300;
const senders = size - 1;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

async function expectError(code: ErrorCode, says: RegExp, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof MpiError && error.code === code && says.test(error.message)) return;
    throw error;
  }
  throw new Error(`rank ${rank}: nothing was thrown, not ${code} ${says}`);
}

function numberIn(message: Message): number {
  return message.recvNew(Int32Array).data[0] as number;
}

// Every message once, in each sender's order, until the loop is left.
if (rank > 0) {
  for (let i = 0; i < COUNT; i++) {
    const length = i % 10 === 0 ? LARGE : 1;
    await world.isend(new Int32Array(length).fill(i), 0, 1 + (i % 3));
  }
} else {
  const next = new Array<number>(size).fill(0);
  let left = COUNT * senders;
  for await (const message of world.messages()) {
    must(numberIn(message) === next[message.source]!++, `order of rank ${message.source}`);
    if (--left === 0) break;
  }
}
world.barrier();

// Two share; and what is posted first is served first, be it a receive or a step of an iteration.
if (rank === 1) {
  world.barrier();
  for (let i = 0; i < 100; i++) world.send(Int32Array.of(i), 0, 4);
} else if (rank === 0) {
  const [a, b] = [world.messages({ source: 1, tag: 4 }), world.messages({ tag: 4 })];
  const got: number[] = [];
  const take = async (from: AsyncIterator<Message, undefined>): Promise<void> => {
    const { value } = await from.next();
    got.push(numberIn(value as Message));
  };
  const steps = [take(a), take(b), take(a)];
  const buffer = new Int32Array(1);
  const receiving = world.irecv(buffer, 1, 4);
  const last = take(b);
  world.barrier();
  await Promise.all([...steps, receiving, last]);
  must(got.join() === '0,1,2,4' && buffer[0] === 3, `got ${got}, and ${buffer}`);
  let ofA = 0;
  let ofB = 0;
  const share = async (from: AsyncIterable<Message>, count: () => void): Promise<void> => {
    for await (const message of from) {
      got.push(numberIn(message));
      count();
      if (got.length === 99) {
        await a.return?.();
        await b.return?.();
      }
    }
  };
  await Promise.all([share(a, () => ofA++), share(b, () => ofB++)]);
  const sorted = [...got].sort((x, y) => x - y).join();
  must(
    sorted ===
      Array.from({ length: 100 }, (_, i) => i)
        .filter((i) => i !== 3)
        .join(),
    sorted,
  );
  must(ofA > 20 && ofB > 20, `${ofA} and ${ofB}`);
} else {
  world.barrier();
}
world.barrier();

// An abort ends the step that waits, with its reason; return() ends it without. A message that was matched before is given
// to the step all the same.
if (rank === 0) {
  const reason = new Error('enough');
  const aborted = (from: AsyncIterator<Message>): Promise<unknown> =>
    from.next().catch((error: unknown) => error);
  const controller = new AbortController();
  const idle = world.messages({ tag: 5, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 5);
  must((await aborted(idle)) === reason, 'the reason of an abort');
  must((await idle.next()).done === true, 'over after an abort');
  must((await aborted(world.messages({ signal: AbortSignal.abort(reason) }))) === reason, 'before');

  const returned = world.messages({ tag: 5 });
  const waiting = returned.next();
  await returned.return?.();
  must((await waiting).done === true && (await returned.next()).done === true, 'returned');

  const later = new AbortController();
  const streams = [
    world.messages({ tag: 6, signal: later.signal }),
    world.messages({ tag: 6 }),
  ] as const;
  const steps = streams.map((stream) => stream.next());
  // The messages are matched while this call waits for the one behind them.
  world.send(new Int8Array(0), 1, 7);
  world.recv(new Int8Array(0), 1, 7);
  later.abort(reason);
  await streams[1].return?.();
  for (const [i, step] of (await Promise.all(steps)).entries()) {
    must(numberIn(step.value as Message) === i, 'a message was lost');
  }
  must((await aborted(streams[0])) === reason, 'the reason after the message');
  must((await streams[1].next()).done === true, 'over after the message');
} else if (rank === 1) {
  world.recv(new Int8Array(0), 0, 7);
  const matched = [0, 1].map((i) => world.isend(Int32Array.of(i), 0, 6));
  world.send(new Int8Array(0), 0, 7);
  waitAll(matched);
}
world.barrier();

// A listener that has enough to do leaves the event loop to others.
if (rank === 1) {
  const sends = Array.from({ length: 5000 }, (_, i) => world.isend(Int32Array.of(i), 0, 8));
  world.send(Int32Array.of(-1), 0, 9);
  waitAll(sends);
} else if (rank === 0) {
  world.recv(new Int32Array(1), 1, 9);
  let turns = 0;
  let got = 0;
  const counting = setInterval(() => turns++, 0);
  for await (const message of world.messages({ source: 1, tag: 8 })) {
    must(numberIn(message) === got, 'order');
    if (++got === 5000) break;
  }
  clearInterval(counting);
  must(turns > 3, `${turns} turns of the event loop`);
}
world.barrier();

// Nobody, oneself, and mistakes.
for await (const message of world.messages({ source: PROC_NULL })) must(message === null, 'nobody');
self.isend(Int32Array.of(11), 0, 3);
for await (const message of self.messages()) {
  must(numberIn(message) === 11, 'from oneself');
  break;
}
const listen = (options: unknown): unknown => world.messages(options as never);
await expectError('ERR_RANK', /^messages: source/, () => listen({ source: size }));
await expectError('ERR_TAG', /^messages: /, () => listen({ tag: -7 }));
await expectError('ERR_ARG', /^messages: takes an object/, () => listen(3));
await expectError('ERR_ARG', /no option timeout.*AbortSignal.timeout/, () =>
  listen({ timeout: 1 }),
);
await expectError('ERR_ARG', /not an AbortSignal/, () => listen({ signal: 5 }));
world.barrier();

// Once all others have left, the iteration is over; of one that has left, too.
if (rank === 0) {
  let got = 0;
  for await (const message of world.messages({ source: 1 })) got += numberIn(message);
  must(got === 1, `${got} from rank 1`);
  for await (const message of world.messages({ source: ANY_SOURCE })) got += numberIn(message);
  must(got === senders, `${got} messages at the end`);
} else {
  world.send(new Int32Array(LARGE).fill(1), 0, rank);
}
console.log(`rank ${rank} done`);
