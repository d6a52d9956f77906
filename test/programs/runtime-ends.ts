// Ends of ranks that the others must understand: node runtime-ends.ts how
import { ANY_SOURCE, MpiError, waitAll, world } from 'onecopy';

const { rank, size } = world;
const LARGE = 1 << 20;

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof MpiError) return error.code;
    throw error;
  }
  return 'nothing';
}

const ENDS: Readonly<Record<string, () => void | Promise<void>>> = {
  /** Rank 0 leaves while nothing of what it sends has been received. */
  'pending-sends'() {
    if (rank === 0) {
      for (let i = 0; i < 20; i++) {
        world.isend(new Uint8Array(LARGE).fill(i), 1, i);
        world.isend(Uint8Array.of(i), 1, 100 + i);
      }
      // The code does not matter: leaving completes what was begun.
      process.exit(0);
    }
    pause(100);
    const large = new Uint8Array(LARGE);
    const small = new Uint8Array(1);
    for (let i = 19; i >= 0; i--) {
      world.recv(small, 0, 100 + i);
      world.recv(large, 0, i);
      if (small[0] !== i || !large.every((byte) => byte === i)) throw new Error(`message ${i}`);
    }
    console.log('all received');
  },

  /** Rank 0 leaves owing nothing; what it sent before is still received. */
  async left() {
    if (rank === 0) {
      world.send(Uint8Array.of(5), 1, 1);
      return;
    }
    const buffer = new Uint8Array(1);
    const early = world.irecv(buffer, 0, 2);
    const codes = [
      codeOf(() => early.wait()),
      codeOf(() => world.recv(buffer, 0, 3)),
      codeOf(() => world.recv(buffer, ANY_SOURCE, 3)),
      codeOf(() => world.probe(0, 3)),
      codeOf(() => world.send(new Uint8Array(LARGE), 0, 3)),
      codeOf(() => world.isend(buffer, 0, 3).wait()),
      codeOf(() => world.sendrecv(buffer, 0, 3, buffer, 0, 3)),
      codeOf(() => waitAll([world.irecv(buffer, 0, 4)])),
      await world.irecv(buffer, 0, 4).catch((error: unknown) => (error as MpiError).code),
      codeOf(() => world.barrier()),
    ];
    world.recv(buffer, 0, 1);
    console.log(`received ${buffer[0]}; ${codes.join(' ')}`);
  },

  /** Rank 0 is killed; 1 waits for it and 2 for 1, in the event loop and in a call. */
  async killed() {
    const buffer = new Uint8Array(1);
    world.barrier();
    if (rank === 0) process.kill(process.pid, 'SIGKILL');
    try {
      if (rank === 1) await world.irecv(buffer, 0, 1);
      else world.recv(buffer, 1, 1);
    } catch (error) {
      console.log(`rank ${rank} caught ${(error as MpiError).code}`);
    } finally {
      console.log(`rank ${rank} cleaned up`);
    }
  },

  /** A handler of the user's own deals with the error, so nothing happens to the job. */
  async handler() {
    if (rank === 0) {
      process.on('uncaughtException', (error) => {
        console.log(`handled ${error.message}`);
        world.send(new Uint8Array(1), 1, 1);
      });
      setTimeout(() => {
        throw new Error('not so bad');
      }, 1);
    } else {
      await world.irecv(new Uint8Array(1), 0, 1);
      console.log('job lives');
    }
  },

  /** A request fails and nobody looks at it. */
  async unobserved() {
    const buffer = new Uint8Array(1);
    if (rank === 0) {
      const request = world.irecv(buffer, 1, 1);
      world.send(buffer, 1, 2);
      // Its failure is there, and the program comes to its end without having asked.
      world.recv(buffer, 1, 3);
      void request;
    } else {
      world.recv(buffer, 0, 2);
      world.send(new Uint8Array(2), 0, 1);
      world.send(buffer, 0, 3);
    }
  },

  /** A send that cannot be completed, since its receiver has left, is not lost silently, even by process.exit(). */
  'lost-send'() {
    if (rank === 1) return;
    world.isend(new Uint8Array(LARGE), 1, 1);
    process.exit();
  },

  /** A failure that a wait() has shown is nobody else's business. */
  async observed() {
    const buffer = new Uint8Array(1);
    if (rank === 0) {
      const request = world.irecv(buffer, 1, 1);
      console.log(codeOf(() => request.wait()));
      console.log(
        await world.irecv(buffer, 1, 1).catch((error: unknown) => (error as MpiError).code),
      );
    } else {
      world.send(new Uint8Array(2), 0, 1);
      world.send(new Uint8Array(2), 0, 1);
    }
  },

  /** An error nobody caught must not wait for sends that nobody will receive. */
  uncaught() {
    if (rank === 0) {
      world.isend(new Uint8Array(LARGE), 1, 1);
      throw new TypeError('out of luck');
    }
    try {
      world.recv(new Uint8Array(1), 0, 2);
    } finally {
      console.log(`rank ${rank} cleaned up`);
    }
  },

  /** The answer to a timer is a rejection that nobody handles. */
  rejection() {
    if (rank === 0) {
      setTimeout(() => void Promise.reject(new RangeError('nobody cares')), 1);
      void world.irecv(new Uint8Array(1), 1, 1).catch(() => undefined);
      return;
    }
    console.log(codeOf(() => world.recv(new Uint8Array(1), 0, 2)));
  },

  /** In handlers of 'exit' that were there first, everything still works; afterwards nothing does. */
  'exit-handler'() {
    process.prependListener('exit', () => {
      world.send(Uint8Array.of(rank), (rank + 1) % size, 1);
      const buffer = new Uint8Array(1);
      world.recv(buffer, (rank - 1 + size) % size, 1);
      console.log(`before: ${buffer[0]}`);
    });
    process.on('exit', () => {
      console.log(`after: ${codeOf(() => world.send(new Uint8Array(1), 0))} rank ${world.rank}`);
    });
  },
};

await ENDS[process.argv[2] ?? '']?.();
