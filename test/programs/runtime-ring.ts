// The point-to-point cases of mpi4py's test_p2p_buf.py: every rank sends s elements of value s to the next one, for each
// element type and each s up to the number of ranks, into s + 1 elements of -1, the last of which must stay.
import {
  PROC_NULL,
  type Request,
  type Status,
  type TypedArray,
  type TypedArrayClass,
  waitAll,
  world,
} from 'onecopy';

const { rank, size } = world;
const dest = (rank + 1) % size;
const source = (rank - 1 + size) % size;

const CLASSES: readonly TypedArrayClass[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
];

type Way = (sendbuf: TypedArray, recvbuf: TypedArray) => Status;

const WAYS: Readonly<Record<string, Way>> = {
  'send and recv': (sendbuf, recvbuf) => {
    const sending = world.isend(sendbuf, dest, 0);
    const status = world.recv(recvbuf, source, 0);
    sending.wait();
    return status;
  },
  'send to an irecv': (sendbuf, recvbuf) => {
    const receiving = world.irecv(recvbuf, source, 0);
    world.send(sendbuf, dest, 0);
    return receiving.wait();
  },
  'isend and irecv': (sendbuf, recvbuf) => {
    const requests = [world.irecv(recvbuf, source, 0), world.isend(sendbuf, dest, 0)] as const;
    return waitAll(requests)[0];
  },
  sendrecv: (sendbuf, recvbuf) => world.sendrecv(sendbuf, dest, 0, recvbuf, source, 0),
};

function filled(type: TypedArrayClass, length: number, value: number): TypedArray {
  const array = new type(length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array.fill(BigInt(value));
  else array.fill(value);
  return array;
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

let checked = 0;
for (const type of CLASSES) {
  // What -1 becomes in this type.
  const guard = filled(type, 1, -1)[0];
  for (let s = 0; s <= size; s++) {
    for (const [name, way] of Object.entries(WAYS)) {
      const what = `${name} of ${s} elements of ${type.name}`;
      const sendbuf = filled(type, s, s);
      const recvbuf = filled(type, s + 1, -1);
      const status = way(sendbuf, recvbuf);
      check(status.source === source && status.tag === 0, `${what}: status`);
      check(status.count(type) === s, `${what}: count ${status.count(type)}`);
      check(recvbuf.subarray(0, s).join() === sendbuf.join(), `${what}: ${recvbuf.join()}`);
      check(recvbuf[s] === guard, `${what}: the guard is ${recvbuf[s]}`);
      checked++;
    }
    const untouched = filled(type, s + 1, -1);
    const nobody: Request<unknown>[] = [
      world.isend(untouched, PROC_NULL),
      world.irecv(untouched, PROC_NULL),
    ];
    world.send(untouched, PROC_NULL);
    world.recv(untouched, PROC_NULL);
    world.sendrecv(untouched, PROC_NULL, 0, untouched, PROC_NULL, 0);
    waitAll(nobody);
    check(untouched.join() === filled(type, s + 1, -1).join(), 'PROC_NULL touched the buffer');
  }
}
console.log(JSON.stringify({ rank, checked }));
