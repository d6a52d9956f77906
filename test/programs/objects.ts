// Objects between three ranks: every kind of value, from named and any sources, to oneself, in order with buffers.
import { ANY_SOURCE, MpiError, PROC_NULL, waitAll, world } from 'onecopy';
import { isSame, KINDS } from '../support/object-kinds.ts';

const { rank, size } = world;
const right = (rank + 1) % size;
const left = (rank + size - 1) % size;
const CODECS = ['msgpack', 'v8'] as const;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

function failure(call: () => unknown): MpiError {
  try {
    call();
  } catch (error) {
    if (error instanceof MpiError) return error;
    throw error;
  }
  throw new Error(`rank ${rank}: ${call} did not throw`);
}

function mustFail(code: string, words: RegExp, call: () => unknown): void {
  const error = failure(call);
  must(error.code === code && words.test(error.message), `${error.code}: ${error.message}`);
}

async function rejection(promise: Promise<unknown>): Promise<MpiError> {
  const outcome = await promise.catch((error: unknown) => error);
  if (outcome instanceof MpiError) return outcome;
  throw new Error(`rank ${rank}: no failure but ${String(outcome)}`);
}

/** In all the ways that an object can be sent and received, around the ring of ranks. */
async function every(value: () => unknown, check: (got: unknown, how: string) => void) {
  for (const codec of CODECS) {
    const sending = world.isendObject(value(), right, 5, { codec });
    const { value: blocking, status } = world.recvObject(left, 5);
    sending.wait();
    check(blocking, `recvObject, ${codec}`);
    must(status.source === left && status.tag === 5 && status.bytes > 16, 'the status is wrong');

    const receiving = world.irecvObject(ANY_SOURCE, 6);
    world.sendObject(value(), right, 6, { codec });
    check((await receiving).value, `irecvObject, ${codec}`);

    const late = world.irecvObject(left);
    world.sendObject(value(), right, 7, { codec, timeout: 60_000 });
    check(late.wait().value, `wait, ${codec}`);

    const [, own] = waitAll([
      world.isendObject(value(), rank, 8, { codec }),
      world.irecvObject(rank, 8),
    ]);
    check(own.value, `self, ${codec}`);
    const request = world.isendObject(value(), right, 9, { codec });
    check(world.recvObject(left, 9, { timeout: 60_000 }).value, `timeout, ${codec}`);
    while (!request.test());
  }
}

async function kinds(): Promise<void> {
  for (const { name, example } of KINDS) {
    const value = example();
    const exact = structuredClone(value);
    await every(
      () => value,
      (got, how) => {
        // What the other codec makes of it is the business of test/objects-page.test.ts.
        if (how.endsWith('v8')) must(isSame(got, exact), `${name}: ${how}`);
      },
    );
  }
}

async function sizes(): Promise<void> {
  for (const length of [0, 1, 7, 1000, 1023, 1024, 8_000, 8_192, 65_536, 100_000]) {
    const value = { text: 'x'.repeat(length), array: new Float64Array(length).fill(length + 0.5) };
    await every(
      () => value,
      (got, how) => must(isSame(got, value), `length ${length}: ${how}`),
    );
  }
}

async function attachments(): Promise<void> {
  const arrays = Array.from({ length: 100 }, (_, i) => new Uint16Array(4_000 + 331 * i).fill(i));
  const shared = new ArrayBuffer(1 << 20);
  const value: Record<string, unknown> = {
    arrays,
    again: new Map<unknown, unknown>(arrays.map((array, i) => [array, i])),
    set: new Set(arrays),
    views: [new Float64Array(shared, 8, 1000), new DataView(shared, 3, 70_001), shared],
  };
  value.self = value;
  await every(
    () => value,
    (got, how) => must(isSame(got, value), `attachments: ${how}`),
  );
}

function huge(): void {
  // More than one slice and one huge page; kept small enough for three ranks on a small machine.
  const value = { data: new Uint8Array(200_000_000) };
  value.data[199_999_999] = 7;
  if (rank === 0) world.sendObject(value, 1, 1);
  if (rank !== 1) return;
  const got = world.recvObject<typeof value>(0, 1).value.data;
  must(got.length === 200_000_000 && got[199_999_999] === 7 && got[0] === 0, 'the huge array');
}

/** Objects and buffers of one tag come in the order of their sends; a sender's memory is free after its call. */
async function order(): Promise<void> {
  const array = new Int32Array(10_000);
  if (rank !== 0) {
    for (let i = 0; i < 20; i++) {
      array.fill(i);
      if (i % 3 === 0) world.send(array, 0, 4);
      else world.sendObject({ i, array }, 0, 4);
    }
    return;
  }
  const next = new Array<number>(size).fill(0);
  for (let i = 0; i < 20 * (size - 1); i++) {
    const { source } = world.probe(ANY_SOURCE, 4);
    const at = next[source] as number;
    next[source] = at + 1;
    let got = array;
    if (at % 3 === 0) world.recv(array, source, 4);
    else got = world.recvObject<{ array: Int32Array<ArrayBuffer> }>(source, 4).value.array;
    must(got.length === 10_000 && got.every((item) => item === at), `message ${at} of ${source}`);
  }
}

/** Nobody waits for what a receive has refused. */
async function refusals(): Promise<void> {
  const array = new Float64Array(100_000);
  const value = { array };
  for (const big of [true, false]) {
    const sent = big ? value : { a: 1 };
    const buffer = big ? array : new Float64Array(1);
    if (rank === 0) {
      world.sendObject(sent, 1, 1);
      world.isendObject(sent, 1, 1).wait();
      world.sendObject(sent, 1, 1, { codec: 'v8' });
      world.sendObject(sent, 1, 1);
      world.send(buffer, 1, 2);
      world.send(buffer, 1, 2);
      world.send(buffer, 1, 2);
    } else if (rank === 1) {
      mustFail('ERR_TYPE', /rank 0 sent an object.*recvObject/, () => world.recv(array, 0, 1));
      const waiting = await rejection(world.irecv(array, 0, 1));
      must(waiting.code === 'ERR_TYPE', waiting.message);
      mustFail('ERR_TYPE', /sent an object/, () => world.recvNew(Float64Array, 0, 1));
      mustFail('ERR_TYPE', /sent an object/, () => world.recv(new Uint8Array(0), 0, 1));
      mustFail('ERR_TYPE', /sent DOUBLE elements and no object/, () => world.recvObject(0, 2));
      mustFail('ERR_TYPE', /no object/, () => world.recvObject(0, 2, { timeout: 60_000 }));
      const pending = await rejection(world.irecvObject(0, 2));
      must(pending.code === 'ERR_TYPE' && pending.peer === 0, pending.message);
    }
    world.barrier();
  }
}

async function misuse(): Promise<void> {
  for (const bad of [() => 1, Symbol('x'), { a: [() => 1] }, new Map([[1, Promise.resolve()]])]) {
    for (const codec of CODECS) {
      for (const send of [
        () => world.sendObject(bad, right, 1, { codec }),
        () => world.isendObject(bad, right, 1, { codec }),
      ]) {
        const error = failure(send);
        must(error.code === 'ERR_ARG' && /cannot be encoded/.test(error.message), error.message);
        must((error.cause as Error).name === 'DataCloneError', String(error.cause));
      }
    }
  }
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  mustFail('ERR_ARG', /SharedArrayBuffer/, () => world.sendObject([shared], right));
  const gone = new Uint8Array(8);
  structuredClone(0, { transfer: [gone.buffer] });
  mustFail('ERR_ARG', /detached/, () => world.sendObject([gone], right));
  mustFail('ERR_ARG', /broken/, () =>
    world.sendObject(
      {
        get a() {
          throw new Error('broken');
        },
      },
      right,
    ),
  );
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  mustFail('ERR_ARG', /cannot be encoded/, () => world.sendObject(deep, right));
  const any = world as unknown as Record<string, (...values: unknown[]) => unknown>;
  for (const call of ['sendObject', 'isendObject'] as const) {
    mustFail('ERR_RANK', /destination 9/, () => any[call]?.(1, 9));
    mustFail('ERR_RANK', /wildcard/, () => any[call]?.(1, ANY_SOURCE));
    mustFail('ERR_TAG', /tag -5/, () => any[call]?.(1, 0, -5));
    mustFail('ERR_ARG', /no codec "json"/, () => any[call]?.(1, 0, { codec: 'json' }));
    mustFail('ERR_ARG', /no option colour/, () => any[call]?.(1, 0, 0, { colour: 1 }));
    mustFail('ERR_ARG', /object of options/, () => any[call]?.(1, 0, 0, 7));
  }
  mustFail('ERR_ARG', /signal/, () => any.sendObject?.(1, 0, { signal: AbortSignal.abort() }));
  for (const call of ['recvObject', 'irecvObject'] as const) {
    mustFail('ERR_RANK', /source 9/, () => any[call]?.(9));
    mustFail('ERR_TAG', /tag -5/, () => any[call]?.(0, -5));
    mustFail('ERR_ARG', /no option codec/, () => any[call]?.(0, 0, { codec: 'v8' }));
  }
  mustFail('ERR_DEADLOCK', /recvObject/, () => world.recvObject(rank, 77));
  mustFail('ERR_TIMEOUT', /recvObject from rank/, () => world.recvObject(left, 77, { timeout: 1 }));
  const late = await rejection(world.irecvObject(left, 77, { timeout: 1 }));
  must(late.code === 'ERR_TIMEOUT' && /irecvObject/.test(late.message), late.message);
  const reason = new Error('enough');
  const aborts = new AbortController();
  const stopped = world.isendObject({ a: new Float64Array(100_000) }, right, 76, {
    signal: aborts.signal,
  });
  aborts.abort(reason);
  must((await stopped.catch((error: unknown) => error)) === reason, 'a signal was not heard');
  const refused = world.isendObject(1, right, 76, { signal: aborts.signal, codec: 'v8' });
  must((await refused.catch((error: unknown) => error)) === reason, 'an old signal was not heard');
  const cancelled = world.irecvObject(left, 77);
  must(cancelled.cancel(), 'a receive that nobody has matched was not cancelled');
  must((await rejection(cancelled)).code === 'ERR_CANCELLED', 'cancelled');
  world.barrier();
  must(world.iprobe(ANY_SOURCE) === undefined, 'a call that threw has sent something');
  world.barrier();

  world.sendObject(1, PROC_NULL);
  world.isendObject(1, PROC_NULL).wait();
  must(world.recvObject(PROC_NULL).status.source === PROC_NULL, 'nobody has sent something');
  must(world.irecvObject(PROC_NULL).wait().value === undefined, 'nobody has sent a value');

  // Taken back: what was sent before it was matched, attachments and all.
  const unsent = world.isendObject({ a: new Float64Array(100_000) }, right, 78);
  must(unsent.cancel(), 'a send that nobody has matched was not cancelled');
  mustFail('ERR_TIMEOUT', /sendObject to rank/, () =>
    world.sendObject({ a: new Float64Array(100_000) }, right, 78, { timeout: 1 }),
  );
  world.barrier();
  for (const tag of [76, 78]) {
    must(world.iprobe(left, tag) === undefined, 'what was taken back has come');
  }
}

/** Memory that was received is given back when nobody has it any more, by blocking calls alone. */
function memory(): void {
  const value = { array: new Float64Array(1 << 20) };
  for (let i = 0; i < 100; i++) {
    if (rank === 0) world.sendObject(value, 1, 1);
    if (rank === 1) world.recvObject(0, 1);
  }
  const { rss } = process.memoryUsage();
  must(rss < 700 * 2 ** 20, `800 MB were received, and ${rss >> 20} MiB are still in use`);
}

await kinds();
await sizes();
await attachments();
await order();
await refusals();
await misuse();
if (process.argv[2] === 'large') {
  memory();
  huge();
}
world.barrier();
console.log(`rank ${rank} done`);
