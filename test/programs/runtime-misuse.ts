// Errors between ranks, each followed by proof that the communicator is as it was. Two ranks, 0 sends.
import { ANY_SOURCE, type ErrorCode, MpiError, self, waitAll, world } from 'onecopy';

const { rank } = world;
const LARGE = 1 << 18;

function expectError(code: ErrorCode, says: RegExp, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    if (error.code === code && says.test(error.message)) return;
    throw new Error(
      `rank ${rank}: expected ${code} with ${says}, got ${error.code}: ${error.message}`,
    );
  }
  throw new Error(`rank ${rank}: expected ${code}, nothing was thrown`);
}

function proveUsable(): void {
  const buffer = new Int32Array(1);
  const other = 1 - rank;
  world.sendrecv(Int32Array.of(rank), other, 99, buffer, other, 99);
  if (buffer[0] !== other) throw new Error(`rank ${rank}: got ${buffer[0]}`);
  if (world.iprobe() !== undefined) throw new Error(`rank ${rank}: something is left over`);
  world.barrier();
}

// Truncation: by each kind of receive, below and above the eager limit. The sender never notices.
for (const bytes of [64, LARGE]) {
  const short = (): Uint8Array => new Uint8Array(bytes - 1);
  const says = new RegExp(`rank 0 has ${bytes} bytes.* ${bytes - 1}`);
  if (rank === 0) {
    for (let i = 0; i < 3; i++) world.send(new Uint8Array(bytes), 1, 1);
    world.isend(new Uint8Array(bytes), 1, 1).wait();
  } else {
    expectError('ERR_TRUNCATE', says, () => world.recv(short(), 0, 1));
    expectError('ERR_TRUNCATE', says, () => world.irecv(short(), ANY_SOURCE, 1).wait());
    expectError('ERR_TRUNCATE', says, () => world.recv(short(), 0, 1, { timeout: 30_000 }));
    expectError('ERR_TRUNCATE', says, () => waitAll([world.irecv(short(), 0, 1)]));
  }
  proveUsable();

  // The buffer that was too small holds nothing beyond its end.
  if (rank === 0) world.send(new Uint8Array(bytes).fill(1), 1, 1);
  else {
    const memory = new Uint8Array(bytes).fill(7);
    expectError('ERR_TRUNCATE', says, () => world.recv(memory.subarray(0, bytes - 1), 0, 1));
    if (memory[bytes - 1] !== 7) throw new Error('a byte after the buffer was written');
  }
  proveUsable();

  // Element types.
  if (rank === 0) {
    world.send(new Float32Array(bytes / 4), 1, 1);
    world.send(new Float32Array(bytes / 4), 1, 1);
    world.send(new Uint8Array(bytes), 1, 1);
  } else {
    expectError('ERR_TYPE', /FLOAT.*DOUBLE/, () => world.recv(new Float64Array(bytes / 8), 0, 1));
    expectError('ERR_TYPE', /FLOAT.*INT32_T/, () => world.recvNew(Int32Array, 0, 1));
    world.recv(new Float64Array(bytes / 8), 0, 1);
  }
  proveUsable();
}

// Arguments of both sides.
expectError('ERR_RANK', /2 is not a rank of world, which has ranks 0 to 1/, () => {
  world.send(new Uint8Array(1), 2);
});
expectError('ERR_TAG', /-1/, () => world.isend(new Uint8Array(1), 1 - rank, -1));
expectError('ERR_COUNT', /multiple of 2/, () => world.alltoall(new Uint8Array(3)));
proveUsable();

// What only this very process could complete, which is blocked.
expectError('ERR_DEADLOCK', /itself/, () => world.send(new Uint8Array(LARGE), rank));
expectError('ERR_DEADLOCK', /itself/, () => world.recv(new Uint8Array(1), rank));
expectError('ERR_DEADLOCK', /itself/, () => self.recv(new Uint8Array(1), ANY_SOURCE));
expectError('ERR_DEADLOCK', /itself/, () => self.probe());
proveUsable();

// Lengths that disagree in a collective: an error on both sides, whichever of them finds it first.
try {
  const length = rank === 0 ? 8 : 4;
  world.alltoall(new Uint8Array(length), new Uint8Array(length));
  throw new Error(`rank ${rank}: lengths that disagree went through`);
} catch (error) {
  const { code, message } = error as MpiError;
  if (!/^ERR_(TRUNCATE|COUNT)$/.test(code) || !/stays usable/.test(message)) throw error;
}
proveUsable();

// Time limits: nothing comes, and what comes later is not taken by a receive that was given up.
if (rank === 1) {
  const buffer = new Uint8Array(4).fill(7);
  expectError('ERR_TIMEOUT', /rank 0, tag 5: .* 20 ms/, () =>
    world.recv(buffer, 0, 5, { timeout: 20 }),
  );
  expectError('ERR_TIMEOUT', /any rank, any tag/, () => world.recv(buffer, { timeout: 0 }));
  expectError('ERR_TIMEOUT', /rank 0, any tag/, () => world.recv(buffer, 0, { timeout: 5 }));
  const request = world.irecv(buffer, 0, 5);
  expectError('ERR_TIMEOUT', /goes on/, () => request.wait({ timeout: 20 }));
  if (request.test()) throw new Error('it cannot be complete');
  expectError('ERR_TIMEOUT', /send to rank 0, tag 6: .* 20 ms/, () => {
    world.send(new Uint8Array(LARGE), 0, 6, { timeout: 20 });
  });
  expectError('ERR_TIMEOUT', /sendrecv/, () => {
    world.sendrecv(new Uint8Array(LARGE), 0, 6, buffer, 0, 6, { timeout: 20 });
  });
  expectError('ERR_TIMEOUT', /./, () => waitAll([request], { timeout: 5 }));
  if (buffer.some((byte) => byte !== 7)) throw new Error('the buffer was touched');
  world.send(new Uint8Array(1), 0, 7);
  if (request.wait().bytes !== 4) throw new Error('the request was not active any more');
} else {
  world.recv(new Uint8Array(1), 1, 7);
  if (world.iprobe(1, 6) !== undefined) throw new Error('a send that was taken back can be seen');
  world.send(new Uint8Array(4), 1, 5);
}
proveUsable();

// Taken back: the message goes to the next receive.
if (rank === 1) {
  const first = new Uint8Array(1);
  const second = new Uint8Array(1);
  const request = world.irecv(first, 0, 1);
  if (!request.cancel()) throw new Error('nothing had come yet');
  world.send(new Uint8Array(0), 0, 2);
  world.recv(second, 0, 1);
  if (first[0] !== 0 || second[0] !== 5) throw new Error('it went to the wrong one');
} else {
  world.recv(new Uint8Array(0), 1, 2);
  world.send(Uint8Array.of(5), 1, 1);
}
proveUsable();
console.log(`rank ${rank} done`);
