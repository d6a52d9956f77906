// What the types allow and refuse. Nothing here is run: the type check of the tests is the test.
import {
  ANY_SOURCE,
  ANY_TAG,
  type AttributeKey,
  alloc,
  type BasicDatatype,
  BFLOAT16,
  type BufferArgument,
  type CartCommunicator,
  Communicator,
  type Comparison,
  type Completed,
  Datatype,
  type DistGraphCommunicator,
  DOUBLE,
  dimsCreate,
  finalized,
  Group,
  IN_PLACE,
  type InPlace,
  initialized,
  libraryVersion,
  type Message,
  MPI_SUBVERSION,
  MPI_VERSION,
  Op,
  type PersistentRequest,
  pack,
  packSize,
  processorName,
  type Received,
  type ReceivedObject,
  type Request,
  type Status,
  SUM,
  self,
  startAll,
  type TypedArray,
  testAll,
  testAny,
  testSome,
  UNDEFINED,
  unpack,
  waitAll,
  waitAny,
  waitSome,
  world,
  wtick,
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

export function environment(): void {
  expectType<number>()(wtick());
  expectType<number>()(MPI_VERSION);
  expectType<number>()(MPI_SUBVERSION);
  expectType<string>()(processorName());
  expectType<string>()(libraryVersion());
  expectType<boolean>()(initialized());
  expectType<boolean>()(finalized());
}

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
  comm.irecv(doubles, 0, 1, { timeout: 10 });
  comm.irecv(doubles, { signal: AbortSignal.timeout(10) });
  comm.isend(doubles, 0, { timeout: 10, signal: undefined });
  // @ts-expect-error nothing can fire it while the thread is blocked
  comm.ssend(doubles, 0, 1, { signal: AbortSignal.timeout(10) });
  // @ts-expect-error nor here
  comm.sendrecvReplace(doubles, 0, 1, 0, 1, { signal: AbortSignal.timeout(10) });
  // @ts-expect-error there is no such option
  comm.issend(doubles, 0, 1, { retry: 3 });
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

export async function probed(comm: Communicator): Promise<void> {
  expectType<Status>()(comm.probe(0, 1, { timeout: 10 }));
  expectType<Status>()(comm.probe({ timeout: 10 }));
  expectType<Message>()(comm.mprobe());
  expectType<Message>()(comm.mprobe(ANY_SOURCE, { timeout: 10 }));
  expectType<Message | undefined>()(comm.improbe(0, ANY_TAG));
  const message = comm.mprobe(0, 1);
  expectType<number>()(message.source);
  expectType<number | undefined>()(message.count(Float64Array));
  expectType<Status>()(message.recv(doubles));
  expectType<Request<Status>>()(message.irecv({ data: doubles, count: 2 }));
  expectType<Received<Float64Array<ArrayBuffer>>>()(message.recvNew(Float64Array));
  comm.recvNew(Float64Array, 0, { timeout: 10 });
  comm.recvNew(Float64Array, { timeout: 10 });
  const { signal } = new AbortController();
  for await (const one of comm.messages({ source: 0, tag: 1, signal })) {
    expectType<Message>()(one);
  }
  // @ts-expect-error a probe that does not wait has no time limit
  comm.improbe(0, 1, { timeout: 10 });
  // @ts-expect-error a signal cannot fire while the thread is blocked
  comm.mprobe(0, 1, { signal });
  // @ts-expect-error an iteration ends by its signal
  comm.messages({ timeout: 10 });
  // @ts-expect-error a message was sent already: receiving it has no time limit
  message.recv(doubles, { timeout: 10 });
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

export function waitingForSome(comm: Communicator): void {
  const mixed = [world.irecv(doubles), comm.iallreduce(1, SUM)] as const;
  expectType<Completed<number | Status> | undefined>()(waitAny(mixed));
  expectType<Completed<Status>[]>()(waitSome([world.irecv(doubles)], { timeout: 5 }));
  expectType<Completed<void> | undefined>()(testAny([self.issend(doubles, 0)]));
  expectType<Completed<number | Status>[]>()(testSome([...mixed]));
  expectType<boolean>()(testAll(mixed));
  expectType<number | undefined>()(waitAny([comm.iallreduce(1, SUM)])?.value);
  // @ts-expect-error promises are no requests
  waitAny([Promise.resolve(1)]);
  // @ts-expect-error they do not wait, so there is no time limit
  testAny(mixed, { timeout: 5 });
}

export async function persistent(comm: Communicator): Promise<void> {
  const sending = comm.sendInit(doubles, 0, 1);
  const receiving = comm.recvInit(bytes);
  expectType<PersistentRequest<void>>()(sending);
  expectType<PersistentRequest<void>>()(comm.ssendInit(doubles, 0));
  expectType<PersistentRequest<Status>>()(receiving);
  expectType<Request<Status>>()(receiving.start());
  expectType<boolean>()(receiving.active);
  const [sent, received] = startAll([sending, receiving]);
  expectType<Request<void>>()(sent);
  expectType<Status>()(await received);
  expectType<Request<void>[]>()(startAll([sending].map((each) => each)));
  // @ts-expect-error what can be awaited is the request of a round
  const promise: PromiseLike<void> = sending;
  void promise;
  // @ts-expect-error those are waited for by the requests of their rounds
  waitAll([sending]);
  // @ts-expect-error and what is started is no request of a round
  startAll([comm.irecv(doubles)]);
  sending.free();
}

export async function exchanged(comm: Communicator): Promise<void> {
  expectType<void>()(comm.ssend(doubles, 0, { timeout: 5 }));
  expectType<Request<Status>>()(comm.isendrecv(doubles, 0, 1, bytes));
  expectType<Status>()(comm.sendrecvReplace(doubles, 0, 1, 0, 1, { timeout: 5 }));
  expectType<Status>()(await comm.isendrecvReplace(doubles, 0, 1, 0, 1, { timeout: 5 }));
}

export function refused(comm: Communicator): void {
  // @ts-expect-error rank is what it is
  comm.rank = 3;
  // @ts-expect-error exit codes are numbers
  comm.abort('1');
}

declare const ints: Int32Array;
declare const longs: BigInt64Array;
declare const floatOrDouble: Float32Array | Float64Array;
declare const numberOrArray: number | Float64Array;

export async function reductions(comm: Communicator): Promise<void> {
  expectType<number>()(comm.allreduce(3.5, SUM));
  expectType<bigint>()(comm.allreduce(3n, SUM));
  expectType<Float64Array<ArrayBuffer>>()(comm.allreduce(doubles, SUM));
  expectType<BigInt64Array<ArrayBuffer>>()(comm.allreduce(longs, SUM));
  expectType<Uint8Array<ArrayBuffer>>()(comm.allreduce(bytes, SUM));
  expectType<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>()(
    comm.allreduce(floatOrDouble, SUM),
  );
  expectType<Float64Array>()(comm.allreduce(doubles, doubles, SUM));
  expectType<Float64Array>()(comm.allreduce(IN_PLACE, doubles, SUM));
  expectType<Request<number>>()(comm.iallreduce(3.5, SUM));
  expectType<Request<bigint>>()(comm.iallreduce(3n, SUM));
  expectType<Request<Float64Array<ArrayBuffer>>>()(comm.iallreduce(doubles, SUM));
  expectType<Request<Float64Array>>()(comm.iallreduce(IN_PLACE, doubles, SUM));
  expectType<number>()(await comm.iallreduce(1, SUM));
  expectType<Float64Array>()(comm.iallreduce(doubles, doubles, SUM).wait());

  // Off the root there is nothing.
  expectType<number | undefined>()(comm.reduce(1, SUM));
  expectType<bigint | undefined>()(comm.reduce(1n, SUM, 1));
  expectType<Int32Array<ArrayBuffer> | undefined>()(comm.reduce(ints, SUM, 1));
  expectType<Int32Array | undefined>()(comm.reduce(ints, ints, SUM, 1));
  expectType<Int32Array | undefined>()(comm.reduce(ints, undefined, SUM));
  expectType<Int32Array | undefined>()(comm.reduce(IN_PLACE, ints, SUM));
  expectType<Request<number | undefined>>()(comm.ireduce(1, SUM));
  expectType<Request<bigint | undefined>>()(comm.ireduce(1n, SUM));
  expectType<Request<Int32Array<ArrayBuffer> | undefined>>()(comm.ireduce(ints, SUM));
  expectType<Request<Int32Array | undefined>>()(comm.ireduce(IN_PLACE, ints, SUM, 2));

  expectType<number>()(comm.scan(1, SUM));
  expectType<bigint>()(comm.scan(1n, SUM));
  expectType<Int32Array<ArrayBuffer>>()(comm.scan(ints, SUM));
  expectType<Int32Array>()(comm.scan(IN_PLACE, ints, SUM));
  expectType<Request<number>>()(comm.iscan(1, SUM));
  expectType<Request<Int32Array>>()(comm.iscan(ints, ints, SUM));
  // Nor for rank 0 of exscan, unless it has given a buffer.
  expectType<number | undefined>()(comm.exscan(1, SUM));
  expectType<bigint | undefined>()(comm.exscan(1n, SUM));
  expectType<Int32Array<ArrayBuffer> | undefined>()(comm.exscan(ints, SUM));
  expectType<Int32Array>()(comm.exscan(ints, ints, SUM));
  expectType<Request<number | undefined>>()(comm.iexscan(1, SUM));
  expectType<Request<Int32Array>>()(comm.iexscan(IN_PLACE, ints, SUM));

  expectType<Int32Array<ArrayBuffer>>()(comm.reduceScatterBlock(ints, SUM));
  expectType<Int32Array>()(comm.reduceScatterBlock(IN_PLACE, ints, SUM));
  expectType<Request<Int32Array<ArrayBuffer>>>()(comm.ireduceScatterBlock(ints, SUM));
  expectType<Request<Int32Array>>()(comm.ireduceScatterBlock(ints, ints, SUM));

  // @ts-expect-error an operator is needed
  comm.allreduce(doubles);
  // @ts-expect-error a function is none
  comm.allreduce(doubles, Math.max);
  // @ts-expect-error nor is a name
  comm.allreduce(doubles, 'SUM');
  // @ts-expect-error a number is not received into a buffer
  comm.allreduce(3.5, doubles, SUM);
  // @ts-expect-error the classes must be the same
  comm.allreduce(doubles, ints, SUM);
  // @ts-expect-error in place of what?
  comm.allreduce(IN_PLACE, SUM);
  // @ts-expect-error a number is not in place of anything
  comm.allreduce(IN_PLACE, 5, SUM);
  // @ts-expect-error either a number or an array
  comm.allreduce(numberOrArray, SUM);
  // @ts-expect-error an array of numbers is no typed array
  comm.allreduce([1, 2, 3], SUM);
  // @ts-expect-error raw memory has no elements to combine
  comm.allreduce(new ArrayBuffer(8), SUM);
  // @ts-expect-error without root
  comm.allreduce(doubles, SUM, 0);
  // @ts-expect-error no time limit
  comm.allreduce(doubles, doubles, SUM, { timeout: 5 });
  // @ts-expect-error a number is no block for each rank
  comm.reduceScatterBlock(1, SUM);
  // @ts-expect-error the result may be missing off the root
  expectType<number>()(comm.reduce(1, SUM));
  // @ts-expect-error ranks are numbers
  comm.reduce(doubles, SUM, '0');
}

export function datatypes(comm: Communicator): void {
  const column = Datatype.vector(3, 1, 4, DOUBLE);
  expectType<Datatype>()(column);
  expectType<Datatype>()(Datatype.contiguous(2, 'COMPLEX'));
  expectType<Datatype>()(Datatype.hvector(3, 1, 32, column));
  expectType<Datatype>()(Datatype.indexed([1], Int32Array.of(0), column));
  expectType<Datatype>()(Datatype.hindexedBlock(1, [0], BFLOAT16));
  expectType<Datatype>()(Datatype.subarray([4, 4], [2, 2], [0, 0], DOUBLE, { order: 'Fortran' }));
  expectType<Datatype>()(Datatype.struct([1, 1], [0, 8], [DOUBLE, 'INT32_T']));
  expectType<Datatype>()(Datatype.resized(Datatype.dup(column), 0, 8));
  expectType<number>()(column.extent + column.trueLb);
  expectType<string>()(column.name);
  expectType<number | undefined>()(comm.recv({ data: bytes, datatype: column }, 0).count(column));
  expectType<number | undefined>()(comm.probe().elements(column));
  comm.sendrecv({ data: bytes, datatype: column }, 0, 0, { data: doubles, datatype: column });
  expectType<Uint8Array<ArrayBuffer>>()(pack({ data: doubles, datatype: column }));
  expectType<number>()(pack(doubles, bytes, 8));
  expectType<number>()(unpack(bytes, { data: doubles, datatype: column }, 8));
  expectType<number>()(packSize(3, column));
  // @ts-expect-error a class is not a datatype
  Datatype.contiguous(2, Float64Array);
  // @ts-expect-error what a structure sends is no type of its own
  Datatype.contiguous(2, 'MIXED');
  // @ts-expect-error there is no such order
  Datatype.subarray([4], [2], [0], DOUBLE, { order: 'C++' });
  // @ts-expect-error datatypes never change
  column.size = 3;
  // @ts-expect-error packed data are bytes
  unpack(doubles, doubles);
}

export function operators(comm: Communicator): void {
  expectType<Op>()(
    Op.create((left, inout, datatype) => {
      expectType<TypedArray>()(left);
      expectType<TypedArray>()(inout);
      expectType<BasicDatatype>()(datatype);
    }),
  );
  const longest = Op.create<Float64Array>(
    (left, inout) => {
      for (let i = 0; i < inout.length; i++) inout[i] = Math.hypot(left[i]!, inout[i]!);
    },
    { commute: true },
  );
  expectType<Float64Array<ArrayBuffer>>()(comm.allreduce(doubles, longest));
  expectType<boolean>()(longest.commute);
  // @ts-expect-error not a function
  Op.create('sum');
  // @ts-expect-error there is no such option
  Op.create(() => undefined, { commutative: true });
  // @ts-expect-error only create makes one
  new Op('SUM', true, 'SUM');
}

export async function movements(comm: Communicator, described: BufferArgument): Promise<void> {
  expectType<void>()(comm.barrier());
  expectType<Request<void>>()(comm.ibarrier());
  expectType<Float64Array>()(comm.bcast(doubles));
  expectType<SharedArrayBuffer>()(comm.bcast(shared, 1));
  expectType<BufferArgument>()(comm.bcast(described));
  expectType<Request<Buffer>>()(comm.ibcast(bytes, 1));
  // @ts-expect-error to broadcast a number use bcastObject
  comm.bcast(5);
  // @ts-expect-error nothing is in place of a broadcast
  comm.bcast(IN_PLACE);

  expectType<Float64Array<ArrayBuffer>>()(comm.allgather(1));
  expectType<Int32Array<ArrayBuffer>>()(comm.allgather(ints));
  expectType<Int32Array>()(comm.allgather(ints, ints));
  expectType<Buffer>()(comm.allgather(ints, bytes));
  expectType<Int32Array>()(comm.allgather(IN_PLACE, ints));
  expectType<Request<Float64Array<ArrayBuffer>>>()(comm.iallgather(1));
  expectType<Request<Int32Array>>()(comm.iallgather(IN_PLACE, ints));
  // @ts-expect-error a bigint is no float64
  comm.allgather(1n);
  // @ts-expect-error in place of what?
  comm.allgather(IN_PLACE);
  // @ts-expect-error all ranks get it, there is no root
  comm.allgather(ints, 0);

  expectType<Float64Array<ArrayBuffer> | undefined>()(comm.gather(1));
  expectType<Int32Array<ArrayBuffer> | undefined>()(comm.gather(ints, 1));
  expectType<Int32Array | undefined>()(comm.gather(ints, ints, 1));
  expectType<Int32Array | undefined>()(comm.gather(IN_PLACE, ints));
  expectType<Request<Float64Array<ArrayBuffer> | undefined>>()(comm.igather(1, 1));
  expectType<Request<Int32Array | undefined>>()(comm.igather(IN_PLACE, ints));
  // @ts-expect-error off the root there is nothing
  expectType<Int32Array<ArrayBuffer>>()(comm.gather(ints));

  expectType<Int32Array>()(comm.scatter(ints, ints));
  expectType<Int32Array>()(comm.scatter(undefined, ints, 1));
  expectType<InPlace>()(comm.scatter(ints, IN_PLACE));
  expectType<Request<Int32Array>>()(comm.iscatter(undefined, ints));
  // @ts-expect-error where to?
  comm.scatter(ints);
  // @ts-expect-error it is the receive buffer that may be in place
  comm.scatter(IN_PLACE, ints);

  expectType<Float64Array>()(comm.alltoall(IN_PLACE, doubles));
  expectType<Request<Float64Array<ArrayBuffer>>>()(comm.ialltoall(doubles));
  expectType<Request<Buffer>>()(comm.ialltoall(doubles, bytes));
  // @ts-expect-error in place of what?
  comm.alltoall(IN_PLACE);
  expectType<Int32Array>()(await comm.iallgather(ints, ints));
}

export function blocks(comm: Communicator): void {
  const counts = [1, 2];
  const into = { data: ints, counts };
  expectType<Int32Array>()(comm.allgatherv(ints, into));
  expectType<Int32Array>()(comm.allgatherv(IN_PLACE, { data: ints, counts: Int32Array.of(1, 2) }));
  expectType<Int32Array>()(comm.allgatherv(ints, { ...into, displs: Uint8Array.of(0, 4) }));
  expectType<Int32Array | undefined>()(comm.gatherv(ints, into, 1));
  expectType<Int32Array | undefined>()(comm.gatherv(IN_PLACE, into));
  comm.gatherv(ints, undefined, 1);
  expectType<Int32Array>()(comm.scatterv(into, ints));
  expectType<Int32Array>()(comm.scatterv(undefined, ints, 1));
  expectType<InPlace>()(comm.scatterv(into, IN_PLACE));
  expectType<Int32Array>()(comm.alltoallv(into, into));
  expectType<Int32Array>()(comm.alltoallv(IN_PLACE, into));
  expectType<Request<Int32Array>>()(comm.iallgatherv(ints, into));
  expectType<Request<Int32Array | undefined>>()(comm.igatherv(ints, into));
  expectType<Request<Int32Array>>()(comm.iscatterv(into, ints));
  expectType<Request<Int32Array>>()(comm.ialltoallv(into, into));
  // @ts-expect-error without a receive buffer nobody knows the lengths
  comm.allgatherv(ints);
  // @ts-expect-error counts are needed
  comm.allgatherv(ints, { data: ints });
  // @ts-expect-error counts are numbers
  comm.allgatherv(ints, { data: ints, counts: [1n, 2n] });
  // @ts-expect-error a buffer alone says nothing about its blocks
  comm.alltoallv(ints, into);
}

export function values(comm: Communicator): void {
  const value = { text: 'x' };
  type Value = typeof value;
  expectType<Value>()(comm.bcastObject(value));
  expectType<Value | undefined>()(comm.bcastObject(comm.rank === 0 ? value : undefined, 0));
  expectType<Value[] | undefined>()(comm.gatherObject(value, 1));
  expectType<Value[]>()(comm.allgatherObject(value));
  expectType<Value>()(comm.scatterObject([value, value]));
  expectType<Value>()(comm.scatterObject<Value>(undefined, 1));
  expectType<string>()(comm.allreduceObject('x', (a: string, b: string) => a + b));
  // @ts-expect-error the values of all ranks, in an array
  comm.scatterObject(value);
  // @ts-expect-error an operator of numbers combines no objects
  comm.allreduceObject(value, SUM);
}

export function objects(comm: Communicator): void {
  type Value = { text: string };
  const value: Value = { text: 'x' };
  expectType<void>()(comm.sendObject(value, 1));
  expectType<void>()(comm.sendObject(value, 1, 2, { codec: 'v8', timeout: 5 }));
  comm.sendObject(undefined, 1, { timeout: 5 });
  expectType<Request<void>>()(comm.isendObject(value, 1, 2, { codec: 'msgpack' }));
  comm.isendObject(value, 1, { codec: 'v8', timeout: 5, signal: new AbortController().signal });
  expectType<ReceivedObject<unknown>>()(comm.recvObject());
  expectType<ReceivedObject<Value>>()(comm.recvObject<Value>(ANY_SOURCE, ANY_TAG));
  expectType<Value>()(comm.recvObject<Value>(0, { timeout: 5 }).value);
  expectType<Status>()(comm.recvObject({ timeout: 5 }).status);
  expectType<Request<ReceivedObject<Value>>>()(comm.irecvObject<Value>(0, 1));
  comm.irecvObject(0, { timeout: 5, signal: new AbortController().signal });
  // @ts-expect-error there is no such codec
  comm.sendObject(value, 1, { codec: 'json' });
  // @ts-expect-error nothing can fire a signal while the thread is blocked
  comm.sendObject(value, 1, { signal: new AbortController().signal });
  // @ts-expect-error the receiver learns the codec from the message
  comm.recvObject(0, 1, { codec: 'v8' });
  // @ts-expect-error a destination is needed
  comm.sendObject(value);
}

export function allocation(comm: Communicator): void {
  const array = alloc(Float64Array, 10);
  expectType<Float64Array<ArrayBuffer> & Disposable>()(array);
  expectType<BigInt64Array<ArrayBuffer> & Disposable>()(alloc(BigInt64Array, 1));
  comm.send(array, 1);
  comm.send(array.subarray(1), 1);
  array[Symbol.dispose]();
  // @ts-expect-error a subarray is not what was allocated
  array.subarray(1)[Symbol.dispose]();
  // @ts-expect-error an array of no typed class
  alloc(Array, 10);
  // @ts-expect-error a Buffer is not made so
  alloc(Buffer, 10);
  // @ts-expect-error lengths are numbers
  alloc(Float64Array, '10');
  // @ts-expect-error a length is needed
  alloc(Float64Array);
}

export function communicators(comm: Communicator, cart: CartCommunicator, group: Group): void {
  expectType<Communicator>()(comm.dup());
  expectType<Request<Communicator>>()(comm.idup());
  expectType<Communicator | undefined>()(comm.split(0));
  expectType<Communicator | undefined>()(comm.split(UNDEFINED, 3));
  expectType<Communicator | undefined>()(comm.splitType('shared'));
  expectType<Communicator | undefined>()(comm.splitType(UNDEFINED));
  expectType<Communicator | undefined>()(comm.create(group));
  expectType<Communicator>()(comm.createGroup(group, 1));
  expectType<Comparison>()(comm.compare(cart));
  expectType<Group>()(comm.group);
  expectType<CartCommunicator | undefined>()(comm.createCart([2, 2], { periods: true }));
  expectType<CartCommunicator>()(cart.sub([true, false]));
  expectType<CartCommunicator>()(cart.dup());
  expectType<Request<CartCommunicator>>()(cart.idup());
  expectType<number[]>()(cart.coords());
  expectType<number[]>()(dimsCreate(12, 2));
  expectType<DistGraphCommunicator>()(comm.createDistGraph([0], [1], [1], { weights: [1] }));
  const { source, dest } = cart.shift(0, 1);
  cart.sendrecv(doubles, dest, 0, doubles, source);
  // @ts-expect-error a color is a number
  comm.split('red');
  // @ts-expect-error there is no such type
  comm.splitType('numa');
  // @ts-expect-error a communicator is no group
  comm.create(comm);
  // @ts-expect-error one value for each dimension
  comm.createCart([2], { periods: [1] });
  // @ts-expect-error that is not the option
  comm.createCart([2], { periodic: true });
  // @ts-expect-error only grids have coordinates
  comm.coords();
  // @ts-expect-error groups are taken from communicators
  new Group(0, 1, undefined);
}

export function attributes(comm: Communicator): void {
  const key: AttributeKey<string> = Communicator.createKey<string>({
    copy: (value) => {
      expectType<string>()(value);
      return value;
    },
  });
  comm.setAttr(key, 'value');
  expectType<string | undefined>()(comm.getAttr(key));
  expectType<boolean>()(comm.deleteAttr(key));
  // @ts-expect-error the key is for texts
  comm.setAttr(key, 1);
  // @ts-expect-error a key is no name
  comm.getAttr('name');
  // @ts-expect-error a copy has the type of the value
  Communicator.createKey<string>({ copy: () => 1 });
}
