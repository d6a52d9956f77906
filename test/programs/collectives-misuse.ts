// Collective operations called wrongly, each followed by proof that the communicator is as it was:
// node collectives-misuse.ts [scenario…]. For three ranks; rank 2 is the odd one.
import {
  BAND,
  type ErrorCode,
  IN_PLACE,
  LAND,
  MpiError,
  Op,
  type Request,
  SUM,
  type TypedArray,
  world,
} from 'onecopy';

const { rank, size } = world;
const odd = rank === 2;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function checkError(error: unknown, codes: readonly ErrorCode[], says: RegExp, what: string): void {
  if (!(error instanceof MpiError)) {
    throw new Error(`rank ${rank}, ${what}: expected ${codes}, got ${String(error)}`, {
      cause: error,
    });
  }
  if (codes.includes(error.code) && says.test(error.message)) return;
  throw new Error(
    `rank ${rank}, ${what}: expected ${codes.join(' or ')} with ${says}, got ${error.code}: ${error.message}`,
    { cause: error },
  );
}

function expectError(code: ErrorCode, says: RegExp, action: () => unknown): void {
  checkError(errorOf(action), [code], says, String(action));
}

function proveUsable(what: string): void {
  must(world.usable, `${what}: the communicator is said to be unusable`);
  for (const count of [1, 20_000]) {
    const sums = world.allreduce(new Float64Array(count).fill(rank + 1), SUM);
    must(
      sums.every((sum) => sum === (size * (size + 1)) / 2),
      `${what}: a wrong sum after it`,
    );
  }
  const request = world.iallgather(Int32Array.of(rank));
  must(String(request.wait()) === '0,1,2', `${what}: a wrong gather after it`);
  must(world.iprobe() === undefined, `${what}: a message is left over`);
  world.barrier();
}

/** Who must get an error; others may. `all`: nobody can do without the odd one's data. */
type Who = 'all' | 'odd' | 'root';

/** A call that cannot be right, since the ranks do not agree; root 0. */
function disagree(
  what: string,
  who: Who,
  codes: readonly ErrorCode[],
  says: RegExp,
  call: () => unknown,
): void {
  const error = errorOf(call);
  const mustFail = who === 'all' || (who === 'odd' ? odd : rank === 0);
  if (error !== undefined || mustFail) checkError(error, codes, says, what);
  if (error !== undefined) must(/stays usable/.test((error as Error).message), `${what}: ${error}`);
  proveUsable(what);
}

// ------------------------------------------------------------------------------------------------ ranks that disagree

const SMALL = 2;
const LARGE = 20_000;

/** Elements of the odd rank, and of the others. */
const LENGTHS = [
  [SMALL + 1, SMALL],
  [SMALL - 1, SMALL],
  [0, SMALL],
  [LARGE + 1, LARGE],
  [LARGE - 1, LARGE],
  [LARGE, SMALL],
  [SMALL, LARGE],
] as const;

type Numbers = Float64Array | Int32Array | Float32Array;

const CALLS: readonly (readonly [string, Who, (x: Numbers) => unknown])[] = [
  ['bcast', 'odd', (x) => world.bcast(x)],
  ['allreduce', 'all', (x) => world.allreduce(x, SUM)],
  ['iallreduce', 'all', (x) => world.iallreduce(x, SUM).wait()],
  ['reduce', 'root', (x) => world.reduce(x, SUM)],
  ['allgather', 'all', (x) => world.allgather(x)],
  ['gather', 'root', (x) => world.gather(x)],
  ['scatter', 'odd', (x) => scatterBlocks(x)],
  ['alltoall', 'odd', (x) => world.alltoall(blocks(x))],
  ['scan', 'odd', (x) => world.scan(x, SUM)],
  ['exscan', 'odd', (x) => world.exscan(x, SUM)],
  ['reduceScatterBlock', 'all', (x) => world.reduceScatterBlock(blocks(x), SUM)],
];

function blocks(x: Numbers): Numbers {
  return new (x.constructor as Float64ArrayConstructor)(x.length * size);
}

function scatterBlocks(x: Numbers): unknown {
  return world.scatter(rank === 0 ? blocks(x) : undefined, x);
}

/** What rank 2 calls, and what the others do. */
type Pair = readonly [string, () => unknown, () => unknown];

function differ(pairs: readonly Pair[]): void {
  for (const [what, ours, theirs] of pairs) {
    const error = errorOf(odd ? ours : theirs);
    if (error !== undefined)
      checkError(error, ['ERR_COLLECTIVE'], /has called|failed on rank/, what);
    const failed = world.allgather(error === undefined ? 0 : 1);
    must(failed.includes(1), `rank 2 calls ${what}: nobody noticed`);
    proveUsable(what);
  }
}

const COUNTS_SAY =
  /(bytes where this rank's arguments mean .*counts that agree|failed on rank [0-2] with ERR_|has called)/s;

const SCENARIOS: Readonly<Record<string, () => void | Promise<void>>> = {
  counts() {
    for (const [name, who, call] of CALLS) {
      for (const [ours, theirs] of LENGTHS) {
        const what = `${name}, ${ours} elements on rank 2, ${theirs} elsewhere`;
        const x = new Float64Array(odd ? ours : theirs);
        disagree(what, who, ['ERR_COUNT', 'ERR_TRUNCATE', 'ERR_COLLECTIVE'], COUNTS_SAY, () =>
          call(x),
        );
      }
    }
  },

  'counts of v-variants'() {
    for (const length of [SMALL, LARGE]) {
      const counts = [length, length, length];
      const data = new Float64Array(3 * length);
      const codes = ['ERR_COUNT', 'ERR_TRUNCATE'] as const;
      for (const own of [length - 1, length + 1]) {
        const x = new Float64Array(odd ? own : length);
        disagree(`gatherv of ${own}`, 'root', codes, COUNTS_SAY, () =>
          world.gatherv(x, rank === 0 ? { data, counts } : undefined),
        );
        disagree(`scatterv of ${own}`, 'odd', codes, COUNTS_SAY, () =>
          world.scatterv(rank === 0 ? { data, counts } : undefined, x),
        );
        // Rank 2 expects another length of rank 0 than rank 0 sends.
        const other = odd ? [own, length, length] : counts;
        const room = new Float64Array(3 * length + 1);
        disagree(`alltoallv of ${own}`, 'odd', codes, COUNTS_SAY, () =>
          world.alltoallv({ data: room.slice(), counts }, { data: room, counts: other }),
        );
      }
    }
  },

  types() {
    for (const [name, who, call] of CALLS) {
      for (const length of [SMALL, LARGE]) {
        const what = `${name} of ${length}, Int32Array on rank 2, Float32Array elsewhere`;
        const x = odd ? new Int32Array(length) : new Float32Array(length);
        const says =
          /(passed \w+ elements and this rank \w+.*same class|failed on rank [0-2] with ERR_TYPE)/s;
        disagree(what, who, ['ERR_TYPE'], says, () => call(x));
      }
    }
  },

  operations() {
    const x = new Float64Array(SMALL);
    const y = new Float64Array(LARGE);
    const pairs: readonly Pair[] = [
      ['bcast, others allgather', () => world.bcast(x), () => world.allgather(x)],
      ['gather, others reduce', () => world.gather(x), () => world.reduce(x, SUM)],
      ['allgather, others allreduce', () => world.allgather(y), () => world.allreduce(y, SUM)],
      ['allreduce, others bcast', () => world.allreduce(x, SUM), () => world.bcast(x, 2)],
      ['alltoall, others scan', () => world.alltoall(blocks(x)), () => world.scan(x, SUM)],
      [
        'iallgather, others iallreduce',
        () => world.iallgather(x).wait(),
        () => world.iallreduce(x, SUM).wait(),
      ],
    ];
    differ(pairs);
  },

  /** What rank 2 has to send goes to a rank that expects nothing from it. */
  'operations that pass each other'() {
    const x = new Float64Array(SMALL);
    differ([
      [
        'ireduce, others iallreduce',
        () => world.ireduce(x, SUM).wait(),
        () => world.iallreduce(x, SUM).wait(),
      ],
    ]);
  },

  /** A barrier may be done without any message. */
  'barrier against others'() {
    const x = new Float64Array(SMALL);
    const y = new Float64Array(LARGE);
    differ([
      ['barrier, others allreduce', () => world.barrier(), () => world.allreduce(x, SUM)],
      ['allreduce, others barrier', () => world.allreduce(x, SUM), () => world.barrier()],
      ['bcast as root, others barrier', () => world.bcast(x, 2), () => world.barrier()],
      ['large bcast as root, others barrier', () => world.bcast(y, 2), () => world.barrier()],
    ]);
  },

  // ------------------------------------------------------------------------------------------------- wrong arguments

  arguments() {
    const x = new Float64Array(3);
    const ints = new Int32Array(3);
    const bad = (code: ErrorCode, says: RegExp, action: () => unknown): void =>
      expectError(code, says, action);
    bad('ERR_RANK', /bcast: root 3 is not a rank of world, which has ranks 0 to 2/, () =>
      world.bcast(x, 3),
    );
    bad('ERR_RANK', /root -1/, () => world.reduce(x, SUM, -1));
    bad('ERR_RANK', /root 1.5/, () => world.gather(x, 1.5));
    bad('ERR_RANK', /root 3/, () => world.igather(x, 3));
    bad('ERR_RANK', /root NaN/, () => world.scatter(x, x, Number.NaN));
    bad('ERR_RANK', /root "1"/, () => world.bcast(x, '1' as never));
    bad('ERR_OP', /LAND is not defined for DOUBLE elements.*integer array/, () =>
      world.allreduce(x, LAND),
    );
    bad('ERR_OP', /BAND/, () => world.ireduce(new Float32Array(3), BAND));
    bad('ERR_OP', /BAND is not defined for a number.*bigint/, () => world.allreduce(1, BAND));
    bad('ERR_OP', /such as SUM.*not undefined/, () => world.allreduce(x, undefined as never));
    bad('ERR_OP', /Op\.create/, () => world.allreduce(x, Math.max as never));
    bad('ERR_OP', /Op\.create.*"sum"/, () => Op.create('sum' as never));
    bad('ERR_ARG', /options.*commute/, () => Op.create(() => undefined, true as never));
    bad('ERR_ARG', /does not fit into 64 bits/, () => world.allreduce(2n ** 63n, SUM));
    bad('ERR_ARG', /does not fit/, () => world.iscan(-(2n ** 63n) - 1n, SUM));
    bad('ERR_ARG', /cannot be received into/, () => world.allreduce(1 as never, x, SUM));
    bad('ERR_BUFFER', /an array of 3/, () => world.reduceScatterBlock(1 as never, SUM));
    bad('ERR_BUFFER', /overlap.*IN_PLACE/, () => world.allreduce(x, x, SUM));
    bad('ERR_BUFFER', /overlap.*IN_PLACE/, () => {
      const memory = new Float64Array(5);
      world.scan(memory.subarray(0, 3), memory.subarray(2, 5), SUM);
    });
    bad('ERR_BUFFER', /overlap.*IN_PLACE/, () => world.alltoall(x, x));
    bad('ERR_BUFFER', /overlap.*IN_PLACE/, () => world.iallgather(x.subarray(1, 2), x));
    bad('ERR_BUFFER', /overlap.*IN_PLACE/, () => {
      world.alltoallv({ data: x, counts: [1, 1, 1] }, { data: x, counts: [1, 1, 1] });
    });
    bad('ERR_COUNT', /24.*16|16.*24/, () => world.allreduce(x, new Float64Array(2), SUM));
    bad('ERR_TYPE', /must be the same/, () => world.allreduce(x, new Int32Array(6) as never, SUM));
    bad('ERR_TYPE', /must be the same/, () => world.allgather(Float64Array.of(1), ints));
    bad('ERR_COUNT', /multiple of 3/, () => world.allgather(x, new Float64Array(10)));
    bad('ERR_COUNT', /multiple of 3/, () => world.reduceScatterBlock(new Float64Array(4), SUM));
    bad('ERR_COUNT', /must be equal/, () => world.allgather(x, new Float64Array(6)));
    bad('ERR_BUFFER', /./, () => world.allreduce([1, 2, 3] as never, SUM));
    bad('ERR_BUFFER', /./, () => world.bcast('text' as never));
    bad('ERR_BUFFER', /./, () => world.allreduce(IN_PLACE, undefined as never, SUM));
    bad('ERR_BUFFER', /only the root, rank 1, may pass IN_PLACE/, () => {
      if (rank !== 1) world.gather(IN_PLACE, x, 1);
      else throw new MpiError('ERR_BUFFER', 'only the root, rank 1, may pass IN_PLACE');
    });
    bad('ERR_ARG', /an argument too many.*timeout/s, () => {
      (world.allreduce as (...args: unknown[]) => unknown).call(world, x, x, SUM, { timeout: 5 });
    });
    bad('ERR_ARG', /an argument too many/, () => {
      (world.alltoall as (...args: unknown[]) => unknown).call(world, x, ints, { timeout: 5 });
    });
    proveUsable('arguments');
  },

  blocks() {
    const x = new Float64Array(2);
    const data = new Float64Array(6);
    const counts = [2, 2, 2];
    const into = (given: object): object => ({ data, counts, ...given });
    const bad = (code: ErrorCode, says: RegExp, given: object, send: unknown = x): void => {
      expectError(code, says, () => world.allgatherv(send as TypedArray, into(given) as never));
      expectError(code, says, () => world.iallgatherv(send as TypedArray, into(given) as never));
      if (rank === 0)
        expectError(code, says, () => world.gatherv(send as TypedArray, into(given) as never));
    };
    bad('ERR_COUNT', /counts of the receive buffer must be 3 numbers, .* not 2/, {
      counts: [2, 2],
    });
    bad('ERR_COUNT', /must be 3 numbers, .* not 4/, { counts: [2, 2, 2, 0] });
    bad('ERR_COUNT', /must be 3 numbers, .* not 6/, { counts: 6 });
    bad('ERR_COUNT', /whole numbers.* rank 1 it is -2/, { counts: [2, -2, 2] });
    bad('ERR_COUNT', /whole numbers.* rank 2 it is 0.5/, { counts: [2, 2, 0.5] });
    bad('ERR_COUNT', /whole numbers.* rank 0 it is NaN/, { counts: [Number.NaN, 2, 2] });
    bad('ERR_COUNT', /whole numbers.* rank 2 it is undefined/, { counts: [2, 2, undefined] });
    bad('ERR_COUNT', /whole numbers.* rank 2 it is "2"/, { counts: [2, 2, '2'] });
    bad('ERR_COUNT', /block 2 .* ends at element 7.* 6 elements/, { counts: [2, 2, 3] });
    bad('ERR_COUNT', /block 1 .* ends at element 7/, { displs: [0, 5, 2] });
    bad('ERR_COUNT', /displs.*must be 3 numbers/, { displs: [0, 2] });
    bad('ERR_COUNT', /displs.*rank 0 it is -1/, { displs: [-1, 2, 4] });
    bad('ERR_COUNT', /blocks 0 and 1 .* overlap/, { displs: [0, 1, 4] });
    bad('ERR_COUNT', /block 2/, { counts: [2, 2, Number.MAX_SAFE_INTEGER] });
    bad('ERR_COUNT', /must be equal/, {}, new Float64Array(1));
    bad('ERR_TYPE', /must be the same/, {}, new Int32Array(4));
    expectError('ERR_BUFFER', /send buffer/, () =>
      world.allgatherv(undefined as never, into({}) as never),
    );
    expectError('ERR_BUFFER', /{ data, counts, displs\? }/, () =>
      world.allgatherv(x, data as never),
    );
    expectError('ERR_BUFFER', /{ data, counts, displs\? }/, () =>
      world.alltoallv(data as never, data as never),
    );
    // A block that is sent may be sent twice.
    const block = new Float64Array(1);
    const sent =
      rank === 0
        ? { data: Float64Array.of(7, 8), counts: [1, 1, 1], displs: [1, 1, 0] }
        : undefined;
    world.scatterv(sent, block);
    must(block[0] === (rank === 2 ? 7 : 8), `scatterv of overlapping blocks gave ${block[0]}`);
    proveUsable('blocks');
  },

  resizable() {
    const memory = new (ArrayBuffer as never as new (n: number, o: object) => ArrayBuffer)(24, {
      maxByteLength: 48,
    });
    const follows = new Float64Array(memory);
    const x = new Float64Array(3);
    const bad = (action: () => unknown): void => expectError('ERR_RESIZABLE', /resiz/i, action);
    bad(() => world.ibcast(follows));
    bad(() => world.iallreduce(IN_PLACE, follows, SUM));
    bad(() => world.iallreduce(follows, x, SUM));
    bad(() => world.iallreduce(x, follows, SUM));
    bad(() => world.iallgatherv(Float64Array.of(1), { data: follows, counts: [1, 1, 1] }));
    // Who blocks cannot resize it meanwhile.
    follows.fill(rank);
    world.allreduce(IN_PLACE, follows, SUM);
    must(String(follows) === '3,3,3', `in place of a resizable buffer: ${follows}`);
    proveUsable('resizable');
  },

  // ------------------------------------------------------------------------------------------------------- operators

  async throws() {
    for (const text of ['too much', '', 'größer ✓ '.repeat(500)]) {
      for (const length of [1, LARGE]) {
        for (const commute of [true, false]) {
          const own = new RangeError(text);
          let called = false;
          const op = Op.create(
            () => {
              called = true;
              throw own;
            },
            { commute },
          );
          const x = new Float64Array(length);
          const y = new Float64Array(length * size);
          const check = (what: string, error: unknown, always: boolean): void => {
            const where = `${what} of ${length}, ${commute ? '' : 'not '}commutative`;
            if (called) must(error === own, `${where}: not the operator's own error but ${error}`);
            else if (error !== undefined || always) {
              const says = new RegExp(
                `operator has thrown on rank [0-2].*${text.slice(0, 100)}.*stays usable`,
                's',
              );
              checkError(error, ['ERR_OP'], says, where);
              must(world.rank !== (error as MpiError).peer, `${where}: blames itself`);
            }
            called = false;
            proveUsable(where);
          };
          check(
            'allreduce',
            errorOf(() => world.allreduce(x, op)),
            true,
          );
          check('iallreduce', await rejection(world.iallreduce(x, op)), true);
          check(
            'wait',
            errorOf(() => world.iallreduce(x, op).wait()),
            true,
          );
          check(
            'reduce',
            errorOf(() => world.reduce(x, op, 1)),
            rank === 1,
          );
          check(
            'scan',
            errorOf(() => world.scan(x, op)),
            rank === 2,
          );
          check('exscan', await rejection(world.iexscan(x, op)), rank === 2);
          check(
            'reduceScatterBlock',
            errorOf(() => world.reduceScatterBlock(y, op)),
            true,
          );
        }
      }
    }
    // What is thrown need not be an error.
    const op = Op.create(() => {
      throw 'a string';
    });
    checkError(
      errorOf(() => world.allreduce(1, op)),
      ['ERR_OP'],
      /has thrown.*a string/,
      'a string',
    );
    proveUsable('a string');
    // Two at once, the first of which fails.
    const bad = Op.create(() => {
      throw new Error('bad');
    });
    const first = world.iallreduce(new Float64Array(LARGE), bad);
    const second = world.iallreduce(new Float64Array(LARGE).fill(1), SUM);
    must(
      second.wait().every((sum) => sum === size),
      'the operation after a failed one is wrong',
    );
    must(/bad/.test(String(await rejection(first))), 'the first one did not fail');
    proveUsable('two at once');
  },

  /** Whatever an operator calls is refused, and if it does not mind, it goes on. */
  reentrant() {
    const y = new Float64Array(1);
    const calls: readonly (() => unknown)[] = [
      () => world.barrier(),
      () => world.ibarrier(),
      () => world.allreduce(1, SUM),
      () => world.iallreduce(y, SUM),
      () => world.send(y, rank),
      () => world.isend(y, 0),
      () => world.irecv(y, 0),
      () => world.recv(y, 0),
      () => world.sendrecv(y, 0, 0, y),
      () => world.iprobe(),
      () => world.probe(),
    ];
    for (const length of [1, LARGE]) {
      const x = new Float64Array(length).fill(1);
      for (const call of calls) {
        let codes: unknown[] = [];
        const minds = Op.create(() => {
          call();
        });
        const error = errorOf(() => world.allreduce(x, minds));
        must(error instanceof MpiError, `${call} inside an operator: ${error}`);
        const { code } = error as MpiError;
        must(code === 'ERR_REENTRANT' || code === 'ERR_OP', `${call} inside an operator: ${error}`);
        proveUsable(`${call}`);
        const persists = Op.create<Float64Array>((left, inout) => {
          codes.push((errorOf(call) as MpiError | undefined)?.code);
          for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
        });
        const sums = world.allreduce(x, persists);
        must(
          codes.every((each) => each === 'ERR_REENTRANT'),
          `${call} inside: ${codes.slice(0, 3)}`,
        );
        must(
          sums.every((sum) => sum === size),
          `${call} inside: a wrong sum`,
        );
        codes = [];
        proveUsable(`${call}`);
      }
    }
  },

  /** A request that an operator asks for is refused to it, and goes on. */
  'requests inside'() {
    for (const ask of ['test', 'wait'] as const) {
      const into = new Float64Array(1);
      const pending = world.irecv(into, (rank + 2) % size, 77);
      const codes: unknown[] = [];
      const op = Op.create<Float64Array>((left, inout) => {
        codes.push((errorOf(() => pending[ask]()) as MpiError | undefined)?.code);
        inout[0]! += left[0]!;
      });
      must(world.allreduce(1, op) === size, 'a wrong sum');
      must(
        codes.every((code) => code === 'ERR_REENTRANT'),
        `${ask} inside: ${codes}`,
      );
      world.send(Float64Array.of(rank + 1), (rank + 1) % size, 77);
      pending.wait();
      must(into[0] === ((rank + 2) % size) + 1, `${ask} inside: received ${into[0]}`);
      proveUsable(ask);
    }
  },

  /** An operator that gives memory away: an error or a result, and no crash. */
  async detached() {
    for (const length of [8, LARGE]) {
      for (const blocking of [true, false]) {
        const x = new Float64Array(length).fill(1);
        const into = new Float64Array(length);
        const thief = Op.create<Float64Array>((left, inout) => {
          for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
          if (x.buffer.byteLength > 0) transfer(x.buffer, into.buffer);
        });
        const error = blocking
          ? errorOf(() => world.allreduce(x, into, thief))
          : await rejection(world.iallreduce(x, into, thief));
        if (error !== undefined)
          checkError(error, ['ERR_DETACHED'], /detached|failed on rank/, 'detached operands');
        proveUsable('detached operands');
      }
    }
  },

  /** It gives away its own operands, which are the memory of all operators. */
  'detached views'() {
    for (const length of [8, LARGE]) {
      const op = Op.create<Float64Array>((left, inout) => {
        for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
        transfer(left.buffer as ArrayBuffer, inout.buffer as ArrayBuffer);
      });
      const error = errorOf(() => world.allreduce(new Float64Array(length).fill(1), op));
      if (error !== undefined) must(error instanceof Error, `detached views: ${error}`);
      proveUsable('detached views');
      const good = Op.create<Float64Array>((left, inout) => {
        for (let i = 0; i < inout.length; i++) inout[i]! += left[i]!;
      });
      const sums = world.allreduce(new Float64Array(length).fill(1), good);
      must(
        sums.every((sum) => sum === size),
        `a wrong sum after detached views: ${sums[0]}`,
      );
    }
  },

  /** A buffer given away while an operation is pending. */
  async transferred() {
    for (const length of [8, LARGE]) {
      const x = new Float64Array(length).fill(1);
      const into = new Float64Array(length);
      const request: Request<Float64Array> = world.iallreduce(x, into, SUM);
      if (odd) structuredClone(0, { transfer: [into.buffer] });
      const error = await rejection(request);
      if (error !== undefined)
        checkError(error, ['ERR_DETACHED'], /detached|failed on rank/, 'transferred');
      proveUsable('transferred');
    }
  },

  objects() {
    const nothing = (): void => undefined;
    const bad = errorOf(() => world.bcastObject(rank === 1 ? nothing : undefined, 1));
    must(bad !== undefined, 'a function was broadcast');
    if (rank !== 1)
      checkError(
        bad,
        ['ERR_ARG'],
        /bcastObject: rank 1 has no value.*stays usable/s,
        'bcastObject',
      );
    proveUsable('bcastObject');
    const gathered = errorOf(() => world.allgatherObject(odd ? nothing : 1));
    must(gathered !== undefined, 'a function was gathered');
    if (!odd) checkError(gathered, ['ERR_ARG'], /rank 2 has no value/, 'allgatherObject');
    proveUsable('allgatherObject');
    const scattered = errorOf(() => world.scatterObject(rank === 0 ? [1, nothing, 2] : undefined));
    must(scattered !== undefined, 'a function was scattered');
    proveUsable('scatterObject');
    const own = new Error('cannot');
    const reduced = errorOf(() =>
      world.allreduceObject(1, () => {
        throw own;
      }),
    );
    if (rank === 0) must(reduced === own, `allreduceObject: not the own error: ${reduced}`);
    else checkError(reduced, ['ERR_OP'], /failed on rank 0.*stays usable/s, 'allreduceObject');
    proveUsable('allreduceObject');
  },
};

function transfer(...lists: ArrayBuffer[]): void {
  structuredClone(0, { transfer: lists });
}

async function rejection(request: Promise<unknown>): Promise<unknown> {
  try {
    await request;
  } catch (error) {
    return error;
  }
  return undefined;
}

const asked = process.argv.slice(2);
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  await scenario();
  proveUsable(name);
}
console.log(`rank ${rank} done`);
