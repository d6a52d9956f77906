// More messages than anybody has asked for: node matching-flood.ts WHAT [COUNT] [FILE]
import { existsSync, writeFileSync } from 'node:fs';
import { type MpiError, testAny, waitAll, world, wtime } from 'onecopy';

const [what = 'held', countText = '1000'] = process.argv.slice(2);
const count = Number(countText);
const { rank, size } = world;
const one = new Float64Array(1);

function must(condition: boolean, text: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${text}`);
}

function flood(): void {
  for (let i = 0; i < count; i++) {
    one[0] = i;
    world.send(one, 1, 7);
  }
}

function expectFlood(): void {
  for (let i = 0; i < count; i++) {
    const status = world.recv(one, 0, 7);
    if (one[0] !== i || status.bytes !== 8) must(false, `message ${i} is ${one[0]}`);
  }
}

function codeAndText(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    const { code, message } = error as MpiError;
    return { code, message };
  }
  return { code: 'none', message: '' };
}

function report(value: object): void {
  process.stdout.write(`${JSON.stringify({ rank, ...value })}\n`);
}

/** What waits on rank 1 while more has come than there is room for, by name. */
const WAITS: Readonly<Record<string, () => unknown>> = {
  recv: () => world.recv(new Int8Array(1), 0, 8),
  'recv with timeout': () => world.recv(new Int8Array(1), 0, 8, { timeout: 60_000 }),
  probe: () => world.probe(0, 8),
  mprobe: () => world.mprobe(0, 8),
  'irecv, wait': () => {
    const request = world.irecv(new Int8Array(1), 0, 8);
    try {
      return request.wait();
    } finally {
      request.cancel();
    }
  },
  iprobe: () => {
    while (world.iprobe(0, 8) === undefined);
  },
  improbe: () => {
    while (world.improbe(0, 8) === undefined);
  },
  test: () => {
    const request = world.irecv(new Int8Array(1), 0, 8);
    try {
      while (!request.test());
    } finally {
      request.cancel();
    }
  },
  testAny: () => {
    const request = world.irecv(new Int8Array(1), 0, 8);
    try {
      while (testAny([request]) === undefined);
    } finally {
      request.cancel();
    }
  },
  sendrecv: () => world.sendrecv(new Int8Array(1), 0, 99, new Int8Array(1), 0, 8),
  barrier: () => world.barrier(),
};

switch (what) {
  // Rank 1 waits for the message behind the flood, and then receives it all.
  case 'held': {
    const start = wtime();
    if (rank === 0) {
      flood();
      world.send(one, 1, 8);
    } else if (rank === 1) {
      world.recv(one, 0, 8);
      const held = wtime();
      expectFlood();
      must(world.iprobe() === undefined, 'something is left over');
      report({ held: held - start, received: wtime() - held });
    }
    world.barrier();
    break;
  }
  // What rank 0 can put on its way is bounded while rank 1 does not look: it waits for a file outside of onecopy.
  case 'back-pressure': {
    const done = process.argv[4] as string;
    if (rank === 0) {
      const sends = Array.from({ length: count }, (_, i) => world.isend(Float64Array.of(i), 1, 7));
      const [taken, waiting] = [true, false].map((is) => sends.filter((s) => s.test() === is));
      writeFileSync(done, '');
      waitAll(sends);
      report({ taken: taken?.length, waiting: waiting?.length });
    } else {
      const clock = new Int32Array(new SharedArrayBuffer(4));
      while (!existsSync(done)) Atomics.wait(clock, 0, 0, 1);
      expectFlood();
    }
    world.barrier();
    break;
  }
  // There is a limit, and rank 1 runs into it again and again; what it keeps it can still receive.
  case 'limit': {
    if (rank === 0) {
      for (const name of Object.keys(WAITS)) {
        flood();
        world.send(new Int8Array(1), 1, 8);
        if (name === 'sendrecv') world.recv(new Int8Array(1), 1, 99);
        if (name === 'barrier') report({ name, ...codeAndText(() => world.barrier()) });
        world.recv(one, 1, 10);
      }
    } else {
      for (const [name, wait] of Object.entries(WAITS)) {
        report({ name, ...codeAndText(wait) });
        expectFlood();
        world.recv(new Int8Array(1), 0, 8);
        world.send(one, 0, 10);
      }
    }
    world.barrier();
    break;
  }
  // The same for what is awaited.
  case 'awaited': {
    if (rank === 0) {
      for (let i = 0; i < 3; i++) {
        flood();
        if (i === 2) report({ name: 'ibarrier', ...codeAndText(() => world.barrier()) });
        world.recv(one, 1, 10);
      }
    } else {
      const waits: Record<string, () => Promise<unknown>> = {
        irecv: async () => await world.irecv(new Int8Array(1), 0, 8),
        messages: async () => await world.messages({ tag: 8 }).next(),
        ibarrier: async () => await world.ibarrier(),
      };
      for (const [name, wait] of Object.entries(waits)) {
        const failed = await wait().then(
          () => ({ code: 'none', message: '' }),
          ({ code, message }: MpiError) => ({ code, message }),
        );
        report({ name, ...failed });
        expectFlood();
        world.send(one, 0, 10);
      }
    }
    world.barrier();
    break;
  }
  // Nothing is received at all, and nobody catches the error.
  case 'uncaught': {
    if (rank === 0) flood();
    else world.recv(one, 0, 8);
    break;
  }
  // All others send as fast as they can; each must be served, whichever way rank 0 receives.
  case 'fair': {
    const served = new Array<number>(size).fill(0);
    const stop = new Int8Array(1);
    const least = (): number => Math.min(...served.slice(1));
    if (rank === 0) {
      const ways = [
        () => world.recv(one).source,
        () => world.irecv(one).wait().source,
        () => world.mprobe().recv(one).source,
        () => {
          const { source, tag } = world.probe();
          return world.recv(one, source, tag).source;
        },
      ];
      // What was kept is served in turn, exactly.
      world.barrier();
      const inTurn = Array.from({ length: 40 * (size - 1) }, (_, i) => ways[i % ways.length]!());
      const rounds = inTurn.map((_, i) => new Set(inTurn.slice(i, i + size - 1)).size);
      must(
        rounds.slice(0, 1 - size).every((different) => different === size - 1),
        `in turn: ${inTurn}`,
      );
      world.barrier();
      for (let i = 0; least() < count; i++) served[ways[i % ways.length]!()]!++;
      for (let dest = 1; dest < size; dest++) world.send(stop, dest, 9);
      report({ served });
      // What is on its way still, up to the last of each.
      for (let last = 1; last < size; ) if (world.recv(one).tag === 8) last++;
    } else {
      for (let i = 0; i < 40; i++) world.send(one, 0, 7);
      world.barrier();
      world.barrier();
      const stopping = world.irecv(stop, 0, 9);
      while (!stopping.test()) for (let i = 0; i < 20; i++) world.send(one, 0, 7);
      world.send(one, 0, 8);
    }
    world.barrier();
    break;
  }
}
