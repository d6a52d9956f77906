// Matched probes and what is done with their messages. Two ranks or more; each sends to the one above.
import {
  ANY_SOURCE,
  ANY_TAG,
  type ErrorCode,
  Message,
  MpiError,
  PROC_NULL,
  Request,
  Status,
  self,
  waitAll,
  world,
} from 'onecopy';

const { rank, size } = world;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;
const LARGE = 1 << 17;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

async function expectError(
  code: ErrorCode,
  says: RegExp,
  action: () => unknown,
  what = String(says),
): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    if (error.code === code && says.test(error.message)) return;
    throw new Error(`rank ${rank}: ${what}: ${error.code}: ${error.message}, not ${code}`);
  }
  throw new Error(`rank ${rank}: ${what}: nothing was thrown, not ${code}`);
}

function numbers(length: number, seed: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length }, (_, i) => i * 31 + seed);
}

function same(a: Int32Array, b: Int32Array, what: string): void {
  must(a.length === b.length && a.every((value, i) => value === b[i]), what);
}

async function proveUsable(): Promise<void> {
  const got = new Int32Array(1);
  world.sendrecv(Int32Array.of(rank), above, 999, got, below, 999);
  must(got[0] === below, `got ${got[0]}`);
  world.barrier();
  must(world.iprobe() === undefined, 'something is left over');
  world.barrier();
}

for (const length of [0, 1, 1000, LARGE]) {
  const content = numbers(length, below);
  const outgoing = numbers(length, rank);

  // Received out of order, by each way of receiving.
  const sends = [0, 1, 2, 3, 4].map((tag) => world.isend(outgoing, above, tag));
  const third = world.mprobe(below, 2);
  must(third instanceof Message && third instanceof Status, 'a message is a status');
  must(third.source === below && third.tag === 2, `from ${third.source}, tag ${third.tag}`);
  must(third.bytes === length * 4 && third.type === 'INT32_T', `${third.bytes} ${third.type}`);
  must(third.count(Int32Array) === length, 'the count');
  let first: Message | undefined;
  while (first === undefined) first = world.improbe(below, ANY_TAG);
  must(first.tag === 0, `the first has tag ${first.tag}`);
  must(world.improbe(below, 2) === undefined, 'tag 2 was taken');

  const into = new Int32Array(length + 3);
  const started = first.irecv(into);
  must(started instanceof Request, 'a request');
  const status = third.recv(new Int32Array(length));
  must(status.tag === 2 && status.bytes === length * 4, 'the status');
  must((await started).tag === 0, 'the status of a request');
  same(into.subarray(0, length), content, 'irecv');

  const { data, status: ofNew } = world.mprobe(ANY_SOURCE, 1).recvNew(Int32Array);
  must(ofNew.tag === 1, 'recvNew');
  same(data, content, 'recvNew');
  const bytes = world.recvNew(Uint8Array, below, 3, { timeout: 30_000 }).data;
  must(bytes.length === length * 4, 'bytes');
  // Taken, but not received yet: a receive gets what comes after it.
  const fourth = world.mprobe({ timeout: 30_000 });
  const later = world.isend(numbers(1, 77), above, 4);
  const after = new Int32Array(1);
  world.recv(after, below, 4);
  same(after, numbers(1, 77), 'a receive got the message that was taken');
  const shared = new SharedArrayBuffer(length * 4);
  fourth.irecv(shared).wait();
  same(new Int32Array(shared), content, 'a SharedArrayBuffer');
  waitAll([...sends, later]);
  await proveUsable();
}

// Once only, whatever came of it; and a buffer that is none has not received anything.
{
  const sends = [0, 1, 2, 3].map((tag) => world.isend(numbers(LARGE, rank), above, tag));
  const message = world.mprobe(below, 0);
  await expectError('ERR_BUFFER', /the string|"x"/, () => message.recv('x' as never));
  await expectError('ERR_BUFFER', /irecv/, () => message.irecv(undefined as never));
  await expectError('ERR_TYPE', /not an element type/, () => message.recvNew(7 as never));
  await expectError('ERR_ARG', /takes no options/, () =>
    (message.recv as (...all: unknown[]) => void)(new Int32Array(LARGE), { timeout: 1 }),
  );
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await expectError('ERR_DETACHED', /./, () => message.recv(gone));
  const elastic = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(8, {
    maxByteLength: 16,
  });
  await expectError('ERR_RESIZABLE', /./, () => message.irecv(new Uint8Array(elastic)));
  const into = new Int32Array(LARGE);
  message.recv(into);
  same(into, numbers(LARGE, below), 'after mistakes');
  for (const again of [
    () => message.recv(into),
    () => message.irecv(into),
    () => message.recvNew(Int32Array),
  ]) {
    await expectError('ERR_REQUEST', /received already.*Probe again/, again);
  }
  const short = world.mprobe(below, 1);
  await expectError('ERR_TRUNCATE', /524288 bytes/, () => short.recv(new Int32Array(3)));
  await expectError('ERR_REQUEST', /received already/, () => short.recv(into));
  const wrong = world.mprobe(below, 2);
  await expectError('ERR_TYPE', /INT32_T/, () => wrong.irecv(new Float32Array(LARGE)));
  await expectError('ERR_REQUEST', /received already/, () => wrong.recv(into));
  const odd = world.mprobe(below, 3);
  await expectError('ERR_TYPE', /INT32_T/, () => odd.recvNew(BigInt64Array));
  waitAll(sends);
  await proveUsable();
}

// Nobody.
for (const message of [world.mprobe(PROC_NULL), world.improbe(PROC_NULL) as Message]) {
  must(message.source === PROC_NULL && message.tag === ANY_TAG && message.bytes === 0, 'nobody');
  must(message.recv(new Uint8Array(1)).source === PROC_NULL, 'received from nobody');
  await expectError('ERR_REQUEST', /nobody/, () => message.irecv(new Uint8Array(1)));
}
must((await (world.mprobe(PROC_NULL) as Message).irecv(new Uint8Array(1))).bytes === 0, 'irecv');
must(world.recvNew(Int8Array, PROC_NULL).data.length === 0, 'recvNew');
must(world.probe(PROC_NULL, { timeout: 1 }).source === PROC_NULL, 'probe');

// Arguments: each says which call, and has done nothing.
const call = (name: string, ...args: unknown[]): unknown =>
  (world as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...args);
for (const name of ['probe', 'iprobe', 'mprobe', 'improbe']) {
  const says = new RegExp(`^${name}: `);
  await expectError('ERR_RANK', says, () => call(name, size));
  await expectError('ERR_RANK', says, () => call(name, null));
  await expectError('ERR_TAG', says, () => call(name, below, -5));
  await expectError('ERR_TAG', says, () => call(name, below, 1.5));
}
for (const name of ['iprobe', 'improbe']) {
  await expectError('ERR_ARG', /does not wait/, () => call(name, 0, 0, { timeout: 1 }));
}
const TYPED = { probe: [], mprobe: [], recvNew: [Int8Array] };
for (const [name, before] of Object.entries(TYPED)) {
  const says = new RegExp(`^${name}: `);
  await expectError('ERR_ARG', says, () => call(name, ...before, 0, 0, { timeOut: 1 }));
  await expectError('ERR_ARG', says, () => call(name, ...before, { timeout: -1 }));
  await expectError('ERR_ARG', /no signal/, () =>
    call(name, ...before, 0, { signal: AbortSignal.timeout(1) }),
  );
  await expectError('ERR_ARG', says, () => call(name, ...before, 0, 0, 5));
  const late = new RegExp(`^${name} from rank ${below}, tag 4: no such message came within 5 ms`);
  await expectError('ERR_TIMEOUT', late, () => call(name, ...before, below, 4, { timeout: 5 }));
  await expectError('ERR_TIMEOUT', /any rank, any tag/, () =>
    call(name, ...before, { timeout: 0 }),
  );
}
await expectError('ERR_TYPE', /recvNew/, () => call('recvNew', 7, below, 4));
await expectError('ERR_DEADLOCK', /itself/, () => self.mprobe());
await expectError('ERR_DEADLOCK', /itself/, () => world.mprobe(rank, 3));
// Wildcards must not find what a faster rank proves itself with.
world.barrier();
await proveUsable();

// To oneself, below and above the eager limit; a message taken from a send that waits for it.
for (const comm of [self, world]) {
  for (const length of [0, 4, LARGE]) {
    const sending = comm.isend(numbers(length, 5), comm.rank, 8);
    const message = comm.mprobe(comm.rank, 8);
    must(!sending.cancel(), 'a send whose message was taken cannot be taken back');
    const { data } = message.recvNew(Int32Array);
    same(data, numbers(length, 5), 'from oneself');
    sending.wait();
  }
}
await proveUsable();
console.log(`rank ${rank} done`);
