// Wrong uses of communicators, each followed by proof that everything is as it was. Three ranks.
import {
  ANY_SOURCE,
  Communicator,
  dimsCreate,
  type ErrorCode,
  Group,
  MpiError,
  SUM,
  self,
  UNDEFINED,
  world,
} from 'onecopy';

const { rank, size } = world;

/** What is called here is not what the types allow. */
type Loose = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
const loose = (comm: unknown): Loose => comm as Loose;

function errorOf(action: () => unknown): MpiError {
  try {
    action();
  } catch (error) {
    if (error instanceof MpiError) return error;
    throw error;
  }
  throw new Error(`rank ${rank}: nothing was thrown`);
}

function expectError(code: ErrorCode, says: RegExp, action: () => unknown): MpiError {
  const error = errorOf(action);
  if (error.code === code && says.test(error.message)) return error;
  throw new Error(
    `rank ${rank}: expected ${code} with ${says}, got ${error.code}: ${error.message}`,
  );
}

function expectPeer(error: MpiError, peer: number | undefined): void {
  if (error.peer !== peer) {
    throw new Error(`rank ${rank}: peer ${error.peer}, not ${peer}: ${error.message}`);
  }
}

function proveUsable(comm: Communicator = world): void {
  if (comm.allreduce(1, SUM) !== comm.size) throw new Error(`rank ${rank}: another sum`);
  if (comm.iprobe() !== undefined) throw new Error(`rank ${rank}: something is left over`);
  comm.barrier();
}

// Arguments: thrown here, before anything has happened; then all make the call rightly.
for (const color of [-1, 1.5, 2 ** 31, '1', undefined, null, Number.NaN]) {
  expectError('ERR_ARG', /split: a color is a whole number/, () => loose(world).split!(color));
}
for (const key of [1.5, 2 ** 31, '1', null]) {
  expectError('ERR_ARG', /split: a key is a whole number/, () => loose(world).split!(0, key));
  expectError('ERR_ARG', /splitType: a key/, () => loose(world).splitType!('shared', key));
}
expectError('ERR_ARG', /splitType: "numa" is nothing that/, () => loose(world).splitType!('numa'));
for (const group of [undefined, world, [0, 1], {}]) {
  expectError('ERR_GROUP', /create: .* is not a group/, () => loose(world).create!(group));
  expectError('ERR_GROUP', /createGroup: .* is not a group/, () =>
    loose(world).createGroup!(group),
  );
}
expectError('ERR_TAG', /createGroup: tag -1/, () => world.createGroup(world.group, -1));
expectError('ERR_GROUP', /only members call createGroup/, () =>
  world.createGroup(world.group.excl([rank])),
);
expectError('ERR_GROUP', /rank 1 of the group is not in self/, () =>
  self.create(world.group.incl([rank, (rank + 1) % size])),
);
expectError('ERR_ARG', /name: a name is a text/, () => {
  (world as { name: unknown }).name = '';
});
expectError('ERR_COMM', /compare: .* is not a communicator/, () => loose(world).compare!(3));
proveUsable();

// Groups.
for (const ranks of [[3], [-1], [0.5], ['0'], [0, 0]]) {
  expectError('ERR_RANK', /incl: .*(is not a rank of the group|named twice)/, () =>
    world.group.incl(ranks as number[]),
  );
}
expectError('ERR_ARG', /excl: ranks are given as an array/, () => loose(world.group).excl!(1));
expectError('ERR_RANK', /has no members/, () => Group.empty.incl([0]));
expectError('ERR_ARG', /rangeIncl: a range is/, () => world.group.rangeIncl([[0, 2, 0]]));
expectError('ERR_RANK', /rangeExcl: undefined is not a rank/, () =>
  loose(world.group).rangeExcl!([5]),
);
expectError('ERR_RANK', /translateRanks: 3/, () => world.group.translateRanks([3], world.group));
for (const method of ['union', 'intersection', 'difference', 'compare']) {
  expectError('ERR_GROUP', /is not a group/, () => loose(world.group)[method]!(world));
}

// Grids and graphs.
expectError('ERR_DIMS', /needs 4 ranks, and there are 3/, () => world.createCart([2, 2]));
for (const extent of [0, -1, 1.5, '2', undefined]) {
  expectError('ERR_DIMS', /createCart: an extent/, () => loose(world).createCart!([extent]));
}
expectError('ERR_ARG', /createCart: give an array/, () => loose(world).createCart!(3));
expectError('ERR_ARG', /periods are 1 times/, () =>
  world.createCart([3], { periods: [true, false] }),
);
expectError('ERR_ARG', /periods are 1 times/, () =>
  loose(world).createCart!([3], { periods: [1] }),
);
expectError('ERR_ARG', /there is no option wrap/, () =>
  loose(world).createCart!([3], { wrap: true }),
);
expectError('ERR_ARG', /the options are an object/, () => loose(world).createCart!([3], true));
const grid = world.createCart([3], { periods: false })!;
expectError('ERR_RANK', /coords: 3 is not a rank of world.createCart\(3\)/, () => grid.coords(3));
expectError('ERR_RANK', /\[3\] lies beyond the edge/, () => grid.rankOf([3]));
expectError('ERR_ARG', /coordinates are 1 whole numbers/, () => grid.rankOf([0, 1]));
expectError('ERR_ARG', /coordinates are 1 whole numbers/, () => grid.rankOf([0.5]));
expectError('ERR_DIMS', /1 is no direction/, () => grid.shift(1, 1));
expectError('ERR_ARG', /whole number of places/, () => grid.shift(0, 0.5));
expectError('ERR_ARG', /dimensions to keep are 1 times/, () => grid.sub([]));
expectError('ERR_RANK', /3 among the sources/, () => world.createDistGraphAdjacent([3], []));
expectError('ERR_COUNT', /there are 1 weights, and must be 2/, () =>
  world.createDistGraphAdjacent([0, 1], [], { sourceWeights: [1], destWeights: [] }),
);
expectError('ERR_ARG', /weights of both/, () =>
  world.createDistGraphAdjacent([0], [], { sourceWeights: [1] }),
);
expectError('ERR_COUNT', /degrees add up to 2/, () => world.createDistGraph([0], [2], [1]));
expectError('ERR_COUNT', /there are 0 degrees/, () => world.createDistGraph([0], [], [1]));
expectError('ERR_ARG', /weights are numbers from 0/, () =>
  world.createDistGraph([0], [1], [1], { weights: [-1] }),
);
expectError('ERR_ARG', /a degree is a whole number/, () => world.createDistGraph([0], [0.5], [1]));
expectError('ERR_ARG', /sources are given as an array/, () =>
  loose(world).createDistGraph!(0, [], []),
);
expectError('ERR_DIMS', /7 ranks make no grid of 2 x \?/, () => dimsCreate(7, [2, 0]));
expectError('ERR_DIMS', /7 ranks make no grid of 2 x 3/, () => dimsCreate(7, [2, 3]));
expectError('ERR_ARG', /from 1, not 0/, () => dimsCreate(0, 2));
expectError('ERR_ARG', /not a number of dimensions/, () => dimsCreate(4, -1));
expectError('ERR_ARG', /an extent is a whole number/, () => dimsCreate(4, [-2]));
proveUsable();

// Attributes.
const key = Communicator.createKey<number>();
expectError('ERR_KEYVAL', /setAttr: .* is not a key/, () => loose(world).setAttr!('name', 1));
expectError('ERR_KEYVAL', /getAttr: .* is not a key/, () => loose(world).getAttr!(undefined));
expectError('ERR_KEYVAL', /deleteAttr: .* is not a key/, () => loose(world).deleteAttr!({}));
expectError('ERR_ARG', /copy is 'dup' or a function/, () =>
  (Communicator.createKey as (options: unknown) => unknown)({ copy: 'all' }),
);
expectError('ERR_ARG', /delete is a function/, () =>
  (Communicator.createKey as (options: unknown) => unknown)({ delete: 1 }),
);
expectError('ERR_ARG', /the options are an object/, () =>
  (Communicator.createKey as (options: unknown) => unknown)(1),
);

// What the ranks say does not fit together: all throw, and nobody waits.
const what = expectError(
  'ERR_COLLECTIVE',
  rank === 1 ? /split: rank 0 has called dup/ : /dup: rank 1 has called split/,
  () => (rank === 1 ? world.split(0) : world.dup()),
);
expectPeer(what, rank === 1 ? 0 : 1);
proveUsable();
// An operation of another kind is found out by the messages themselves.
if (
  !/barrier|bcast|allgather/.test(
    expectError('ERR_COLLECTIVE', /./, () =>
      rank === 0 ? world.dup() : world.bcast(new Uint8Array(8)),
    ).message,
  )
) {
  throw new Error('the operations are not named');
}
proveUsable();
expectPeer(
  expectError('ERR_GROUP', /create: not all members of the group that rank 0 has passed/, () =>
    world.create(world.group.incl(rank === 2 ? [2, 1, 0] : [0, 1, 2])),
  ),
  0,
);
proveUsable();
expectPeer(
  expectError('ERR_GROUP', /createGroup: rank 2 has passed another group/, () =>
    world.createGroup(world.group.incl(rank === 2 ? [0, 2] : [0, 1, 2])),
  ),
  2,
);
proveUsable();
expectError('ERR_TOPOLOGY', /createCart: rank \d describes another grid/, () =>
  world.createCart(rank === 0 ? [3] : [1, 3]),
);
proveUsable();
expectError('ERR_TOPOLOGY', /createDistGraph: some ranks give weights/, () =>
  world.createDistGraph([0], [1], [1], rank === 0 ? { weights: [1] } : {}),
);
expectError('ERR_TOPOLOGY', /createDistGraphAdjacent: some ranks give weights/, () =>
  world.createDistGraphAdjacent([], [], rank === 0 ? { sourceWeights: [], destWeights: [] } : {}),
);
const square = world.createCart([3, 1])!;
expectError('ERR_TOPOLOGY', /sub: rank \d keeps other dimensions/, () =>
  square.sub([rank === 0, rank !== 0]),
);
proveUsable(square);

// Callbacks of attributes that throw: in dup all throw, at the end the communicator is freed all the same.
const failing = Communicator.createKey<number>({
  copy: () => {
    throw new RangeError('no copy');
  },
  delete: () => {
    throw new RangeError('no end');
  },
});
const copied = world.dup();
if (rank === 1) copied.setAttr(failing, 1);
for (const duplicate of [() => copied.dup(), () => copied.idup().wait()]) {
  if (rank === 1) {
    try {
      duplicate();
      throw new Error('nothing was thrown');
    } catch (error) {
      if (!(error instanceof RangeError) || error.message !== 'no copy') throw error;
    }
  } else {
    expectPeer(
      expectError('ERR_KEYVAL', /dup: copying an attribute has failed on rank 1/, duplicate),
      1,
    );
  }
  proveUsable(copied);
}
if (rank === 1) {
  try {
    copied.deleteAttr(failing);
    throw new Error('nothing was thrown');
  } catch (error) {
    if (!(error instanceof RangeError) || copied.getAttr(failing) !== 1) throw error;
  }
}
try {
  copied.free();
  if (rank === 1) throw new Error('nothing was thrown');
} catch (error) {
  if (!(error instanceof RangeError) || error.message !== 'no end') throw error;
}
if (!copied.isFreed) throw new Error('not freed');

// Freed communicators.
expectError('ERR_COMM', /free: world is there as long as the process is/, () => world.free());
expectError('ERR_COMM', /free: self is there/, () => self[Symbol.dispose]());
const gone = world.dup();
gone.name = 'gone';
proveUsable(gone);
const { group } = gone;
gone.free();
gone[Symbol.dispose]();
const buffer = new Uint8Array(8);
const USES: Readonly<Record<string, () => unknown>> = {
  free: () => gone.free(),
  rank: () => gone.rank,
  size: () => gone.size,
  group: () => gone.group,
  send: () => gone.send(buffer, 0),
  'send, checked': () => gone.send(buffer, 0, { timeout: 1 }),
  recv: () => gone.recv(buffer, ANY_SOURCE),
  isend: () => gone.isend(buffer, 0),
  irecv: () => gone.irecv(buffer, 0),
  sendrecv: () => gone.sendrecv(buffer, 0, 0, new Uint8Array(8), 0),
  probe: () => gone.probe(),
  iprobe: () => gone.iprobe(),
  recvNew: () => gone.recvNew(Uint8Array),
  barrier: () => gone.barrier(),
  ibarrier: () => gone.ibarrier(),
  allreduce: () => gone.allreduce(1, SUM),
  bcastObject: () => gone.bcastObject(1),
  dup: () => gone.dup(),
  idup: () => gone.idup(),
  split: () => gone.split(0, 0),
  create: () => gone.create(group),
  createGroup: () => gone.createGroup(group),
  createCart: () => gone.createCart([1]),
  createDistGraph: () => gone.createDistGraph([], [], []),
  compare: () => gone.compare(world),
  'compared with': () => world.compare(gone),
  setAttr: () => gone.setAttr(key, 1),
  getAttr: () => gone.getAttr(key),
  deleteAttr: () => gone.deleteAttr(key),
  abort: () => gone.abort(1),
  name: () => {
    gone.name = 'back';
  },
};
for (const [use, action] of Object.entries(USES)) {
  const { code, message } = errorOf(action);
  if (code !== 'ERR_COMM' || !/the communicator gone was freed/.test(message)) {
    throw new Error(`rank ${rank}: ${use}: ${code}: ${message}`);
  }
}
if (gone.name !== 'gone') throw new Error('the name is gone too');
proveUsable();

// Ranks in errors are those of the communicator, in all that is known only to the engine.
const reversed = world.split(0, -rank)!;
const top = reversed.rank === 2;
if (reversed.rank === 0) {
  for (let each = 0; each < 3; each += 1) reversed.send(new Float32Array(4), 2, each);
} else if (top) {
  const says = /rank 0 \(2 in world\)/;
  expectPeer(
    expectError('ERR_TRUNCATE', says, () => reversed.recv(new Float32Array(1), ANY_SOURCE, 0)),
    0,
  );
  expectPeer(
    expectError('ERR_TYPE', says, () => reversed.irecv(new Float64Array(2), 0, 1).wait()),
    0,
  );
  expectPeer(
    expectError('ERR_TRUNCATE', says, () =>
      reversed.recv(new Float32Array(1), 0, 2, { timeout: 30_000 }),
    ),
    0,
  );
}
proveUsable(reversed);
// One fails, and tells those that have not completed the operation yet.
const short = (): unknown => reversed.bcast(new Uint8Array(top ? 4 : 8));
if (top) {
  expectPeer(expectError('ERR_TRUNCATE', /rank 0 \(2 in world\) sent 8 bytes/, short), 0);
} else {
  try {
    short();
  } catch (error) {
    if (!(error instanceof MpiError) || !/failed on rank 2 \(0 in world\)/.test(error.message)) {
      throw error;
    }
    expectPeer(error, 2);
  }
}
proveUsable(reversed);

console.log(JSON.stringify({ rank, undefinedRank: Group.empty.rank === UNDEFINED }));
