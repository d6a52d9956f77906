// What must be refused, or go on, between two ranks: inside operators, and after the rank has left.
import {
  MAX,
  type MpiError,
  Op,
  type Request,
  startAll,
  testAll,
  testAny,
  testSome,
  waitAll,
  waitAny,
  waitSome,
  world,
} from 'onecopy';

const { rank } = world;
const other = 1 - rank;
const one = (): Uint8Array => new Uint8Array(1);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as MpiError).code;
  }
  return 'nothing';
}

const controller = new AbortController();
const receiving = world.irecv(one(), other, 1);
const persistent = world.recvInit(one(), other, 2);
const limited = world.irecv(one(), other, 9, { signal: controller.signal });
const reason = new RangeError('within');

const calls: readonly (() => unknown)[] = [
  () => world.ssend(one(), other, 1),
  () => world.ssend(one(), other, 1, { timeout: 10 }),
  () => world.issend(one(), other, 1),
  () => world.isend(one(), other, 1, { timeout: 10 }),
  () => world.isendrecv(one(), other, 1, one(), other, 1),
  () => world.sendrecvReplace(one(), other, 1, other, 1),
  () => world.isendrecvReplace(one(), other, 1, other, 1),
  () => world.sendInit(one(), other, 1),
  () => world.ssendInit(one(), other, 1),
  () => world.recvInit(one(), other, 1),
  () => persistent.start(),
  () => startAll([persistent]),
  () => waitAny([receiving]),
  () => waitSome([receiving], { timeout: 10 }),
  () => waitAll([receiving]),
  () => testAny([receiving]),
  () => testSome([receiving]),
  () => testAll([receiving]),
];

let codes: readonly string[] = [];
const sum = Op.create<Float64Array>((left, inout) => {
  codes = calls.map(codeOf);
  // What it ends cannot be taken back here; it is, once the operator has returned.
  controller.abort(reason);
  for (let i = 0; i < inout.length; i++) inout[i] = (inout[i] as number) + (left[i] as number);
});
const total = world.allreduce(Float64Array.of(1), sum);
if (total[0] !== 2) throw new Error(`a sum of ${total[0]}`);
const somewhere = world.allreduce(codes.length, MAX);
if (somewhere !== calls.length) throw new Error('the operator was called nowhere');
if (codes.some((code) => code !== 'ERR_REENTRANT')) throw new Error(codes.join());
if (codes.length === 0) controller.abort(reason);
const caught = await limited.then(
  () => undefined,
  (error: unknown) => error,
);
if (caught !== reason) throw new Error(`ended with ${caught}`);

// All of it is as it was.
if (persistent.active) throw new Error('it was started');
const started = persistent.start();
world.barrier();
world.send(one(), other, 1);
world.send(one(), other, 2);
const open: Request<{ tag: number }>[] = [receiving, started];
while (open.length > 0) {
  for (const { index, value } of waitSome(open).reverse()) {
    if (value.tag !== (open[index] === receiving ? 1 : 2)) throw new Error(`tag ${value.tag}`);
    open.splice(index, 1);
  }
}
if (world.iprobe() !== undefined) throw new Error('something is left over');
world.barrier();

// After the end.
const sending = world.sendInit(one(), other, 1);
process.on('exit', () => {
  const after = [
    () => world.ssend(one(), other, 1),
    () => world.issend(one(), other, 1).wait(),
    () => world.isendrecv(one(), other, 1, one(), other, 1).wait(),
    () => world.sendrecvReplace(one(), other, 1, other, 1),
    () => sending.start().wait(),
    () => waitAny([world.irecv(one(), other, 1)]),
    () => waitAll(startAll([persistent])),
  ].map(codeOf);
  console.log(`rank ${rank} after: ${[...new Set(after)].join()}`);
});
console.log(`rank ${rank} done`);
