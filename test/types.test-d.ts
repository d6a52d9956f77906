// What the types allow and refuse. Nothing here is run: the type check of the tests is the test.
import {
  ANY_SOURCE,
  ANY_TAG,
  type BufferArgument,
  type Communicator,
  DOUBLE,
  type Received,
  type Request,
  type Status,
  self,
  waitAll,
  world,
} from 'onecopy';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless the value has exactly this type. */
function expectType<T>() {
  return <V>(_value: V, ..._same: Equal<T, V> extends true ? [] : [{ not: T; but: V }]): void =>
    undefined;
}

declare const doubles: Float64Array;
declare const bytes: Buffer;
declare const shared: SharedArrayBuffer;
declare const status: Status;

export function buffers(comm: Communicator): void {
  comm.send(doubles, 1);
  comm.send(bytes, 1, 2);
  comm.send(shared, 1, 2);
  comm.send(new ArrayBuffer(8), 1);
  comm.send(new DataView(new ArrayBuffer(8)), 1);
  comm.send(new BigInt64Array(1), 1);
  comm.send({ data: doubles, count: 2 }, 1);
  comm.send({ data: bytes, datatype: DOUBLE }, 1);
  comm.send({ data: bytes, datatype: 'DOUBLE' }, 1);
  // @ts-expect-error an array is no buffer
  comm.send([1, 2, 3], 1);
  // @ts-expect-error nor is a string
  comm.send('hello', 1);
  // @ts-expect-error nor a number
  comm.send(5, 1);
  // @ts-expect-error there is no such type
  comm.send({ data: doubles, datatype: 'REAL' }, 1);
  // @ts-expect-error a class is not a datatype here
  comm.send({ data: doubles, datatype: Float64Array }, 1);
  // @ts-expect-error data is needed
  comm.send({ count: 1 }, 1);
}

export function positions(comm: Communicator): void {
  comm.recv(doubles);
  comm.recv(doubles, ANY_SOURCE, ANY_TAG);
  comm.recv(doubles, 0, 1, { timeout: 10 });
  comm.recv(doubles, 0, { timeout: 10 });
  comm.recv(doubles, { timeout: 10 });
  comm.send(doubles, 0, { timeout: 10 });
  comm.sendrecv(doubles, 0, 0, doubles);
  comm.sendrecv(doubles, 0, 0, doubles, 1, 1, { timeout: 10 });
  // @ts-expect-error a destination is needed
  comm.send(doubles);
  // @ts-expect-error ranks are numbers
  comm.send(doubles, '1');
  // @ts-expect-error options come last
  comm.recv(doubles, { timeout: 10 }, 1);
  // @ts-expect-error a signal cannot fire while the thread is blocked
  comm.recv(doubles, 0, 1, { signal: AbortSignal.timeout(10) });
  // @ts-expect-error there is no such option
  comm.recv(doubles, 0, 1, { timeOut: 10 });
  // @ts-expect-error requests have their own ways to be given up
  comm.irecv(doubles, 0, 1, { timeout: 10 });
  // @ts-expect-error alltoall has no time limit
  comm.alltoall(doubles, doubles, { timeout: 10 });
}

export async function results(comm: Communicator): Promise<void> {
  expectType<number>()(comm.rank);
  expectType<Status>()(comm.recv(doubles));
  expectType<Status | undefined>()(comm.iprobe());
  expectType<Request<void>>()(comm.isend(doubles, 0));
  expectType<Request<Status>>()(comm.irecv(doubles));
  expectType<Status>()(await comm.irecv(doubles));
  expectType<void>()(await comm.isend(doubles, 0));
  expectType<Status>()(comm.irecv(doubles).wait({ timeout: 5 }));
  expectType<Status>()(comm.irecv(doubles).value);
  const promise: Promise<Status> = comm.irecv(doubles);
  expectType<[Status, Status]>()(await Promise.all([promise, comm.irecv(doubles)]));
  expectType<number | undefined>()(status.count(Float64Array));
  expectType<number | undefined>()(status.count(DOUBLE));
  // @ts-expect-error the result of a send is nothing
  expectType<Status>()(await comm.isend(doubles, 0));
  // @ts-expect-error not an element type
  status.count(Date);
  // @ts-expect-error a status is not written
  status.bytes = 5;
}

export function allocated(comm: Communicator): void {
  expectType<Received<Float64Array<ArrayBuffer>>>()(comm.recvNew(Float64Array));
  expectType<Float64Array<ArrayBuffer>>()(comm.recvNew(Float64Array).data);
  expectType<BigInt64Array<ArrayBuffer>>()(comm.recvNew(BigInt64Array, 0, 1).data);
  expectType<Float64Array<ArrayBuffer>>()(comm.alltoall(doubles));
  expectType<Int8Array<ArrayBuffer>>()(comm.alltoall(new Int8Array(4)));
  // A Buffer gives a Uint8Array.
  expectType<Uint8Array<ArrayBuffer>>()(comm.alltoall(bytes));
  expectType<Float32Array<ArrayBuffer>>()(comm.alltoall(new Float32Array(1)));
  // @ts-expect-error not a typed-array class
  comm.recvNew(Date);
  // @ts-expect-error a class has no fresh array for raw memory
  comm.recvNew(ArrayBuffer);
  // @ts-expect-error without a receive buffer the class of the new one must be known
  comm.alltoall(new ArrayBuffer(8));
}

export function intoGiven(comm: Communicator, described: BufferArgument): void {
  expectType<Float64Array>()(comm.alltoall(doubles, doubles));
  expectType<Buffer>()(comm.alltoall(doubles, bytes));
  expectType<SharedArrayBuffer>()(comm.alltoall(doubles, shared));
  expectType<BufferArgument>()(comm.alltoall({ data: doubles, count: 2 }, described));
}

export function waiting(): void {
  const [one, two] = waitAll([world.irecv(doubles), self.isend(doubles, 0)]);
  expectType<Status>()(one);
  expectType<void>()(two);
  const many = waitAll([1, 2].map((source) => world.irecv(doubles, source)));
  expectType<Status[]>()(many);
  expectType<[]>()(waitAll([]));
  // @ts-expect-error promises are no requests
  waitAll([Promise.resolve(1)]);
  // @ts-expect-error an array of them is needed
  waitAll(world.irecv(doubles));
}

export function refused(comm: Communicator): void {
  // @ts-expect-error rank is what it is
  comm.rank = 3;
  // @ts-expect-error exit codes are numbers
  comm.abort('1');
}
