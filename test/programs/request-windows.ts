// Windows of small messages from each rank to the next, by isend and irecv: some receives are posted before their message
// comes, some after it, some are waited for one by one, and operators of collective operations run in between.
import { ANY_SOURCE, Op, type Request, type Status, waitAll, world } from 'onecopy';

const { rank, size } = world;
const next = (rank + 1) % size;
const previous = (rank + size - 1) % size;
const WINDOW = 64;
const ROUNDS = 400;

const sum = Op.create<Float64Array>((left, inout) => {
  for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
});

let atOnce = 0;
function isComplete(request: Request<Status>): boolean {
  try {
    return request.value !== undefined;
  } catch {
    return false;
  }
}

for (let round = 0; round < ROUNDS; round++) {
  const how = round % 4;
  const out = Array.from({ length: WINDOW }, (_, i) => Float64Array.of(rank, round, i));
  const into = out.map(() => new Float64Array(3));
  const sends: Request<void>[] = [];
  const receives: Request<Status>[] = [];
  // In some rounds a window is under way before anybody receives, in some after all receives are posted.
  const send = (): void => {
    for (const [i, buffer] of out.entries()) sends.push(world.isend(buffer, next, i % 3));
  };
  const receive = (): void => {
    for (const [i, buffer] of into.entries()) {
      const source = how === 3 && i % 7 === 0 ? ANY_SOURCE : previous;
      const request = world.irecv(buffer, source, i % 3);
      if (isComplete(request)) atOnce++;
      receives.push(request);
    }
  };
  if (how === 0) receive();
  if (how === 1) world.barrier();
  send();
  if (how === 2) world.barrier();
  const sums = how === 3 ? world.iallreduce(Float64Array.of(rank + 1), sum) : undefined;
  if (how !== 0) receive();
  let statuses: Status[];
  if (how === 1) statuses = receives.map((request) => request.wait());
  else if (how === 2) statuses = await Promise.all(receives);
  else statuses = waitAll(receives);
  waitAll(sends);
  const total = sums?.wait()[0];
  if (total !== undefined && total !== (size * (size + 1)) / 2)
    throw new Error(`a sum of ${total}`);
  for (let i = 0; i < WINDOW; i++) {
    const { source, tag, bytes, type } = statuses[i] as Status;
    if (source !== previous || tag !== i % 3 || bytes !== 24 || type !== 'DOUBLE')
      throw new Error(`round ${round}, message ${i}: ${source} ${tag} ${bytes} ${type}`);
    const [who, when, which] = into[i] as Float64Array;
    if (who !== previous || when !== round || which !== i)
      throw new Error(`round ${round}, message ${i}: got ${who} ${when} ${which}`);
  }
}

// A buffer that is transferred away while others of its window are complete already.
if (size === 2) {
  const into = Array.from({ length: 8 }, () => new Float64Array(1));
  const receives = into.map((buffer) => world.irecv(buffer, next, 5));
  const gone = into[5] as Float64Array<ArrayBuffer>;
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  world.barrier();
  waitAll(into.map((_, i) => world.isend(Float64Array.of(i), next, 5)));
  const codes = receives.map((request) => {
    try {
      return request.wait().bytes;
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  if (codes.join() !== '8,8,8,8,8,ERR_DETACHED,8,8') throw new Error(`${codes}`);
  if (into.some((buffer, i) => i !== 5 && buffer[0] !== i)) throw new Error('a wrong number');
  world.barrier();
}
world.barrier();
if (world.iprobe() !== undefined) throw new Error('something is left over');
world.barrier();
console.log(JSON.stringify({ rank, atOnce }));
