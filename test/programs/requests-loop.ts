// The event loop while much goes through awaited requests: requests-loop.ts megabytes messages. Two ranks; each measures
// how long it had to wait for a timer, and how much of that time it computed.
import { world } from 'onecopy';

const { rank } = world;
const other = 1 - rank;
const [megabytes = 0, messages = 0] = process.argv.slice(2).map(Number);

interface Delay {
  readonly what: string;
  /** Milliseconds of the worst gap between two timers: by the clock, and of processor time. */
  readonly wall: number;
  readonly cpu: number;
  readonly timers: number;
}
const delays: Delay[] = [];

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function measure(what: string, work: () => Promise<void>): Promise<void> {
  // What it does at once is the program's own time.
  const done = work();
  let wall = 0;
  let cpu = 0;
  let timers = 0;
  let lastTime = performance.now();
  let lastCpu = processorTime();
  const look = (): void => {
    const time = performance.now();
    const used = processorTime();
    wall = Math.max(wall, time - lastTime);
    cpu = Math.max(cpu, used - lastCpu);
    lastTime = time;
    lastCpu = used;
    timers++;
  };
  const timer = setInterval(look, 1);
  await done;
  look();
  clearInterval(timer);
  delays.push({ what, wall, cpu, timers });
  world.barrier();
}

/** Memory that was used before, since the first use costs the kernel's time for each page. */
function buffersOf(bytes: number, window: number): Uint8Array[] {
  return Array.from({ length: window }, () => new Uint8Array(bytes).fill(1));
}

async function flood(out: Uint8Array, into: readonly Uint8Array[]): Promise<void> {
  const rounds = Math.ceil((megabytes * 2 ** 20) / out.length / into.length);
  for (let round = 0; round < rounds; round++) {
    const receiving = into.map((buffer) => world.irecv(buffer, other, 1));
    const sending = into.map(() => world.isend(out, other, 1));
    await Promise.all([...receiving, ...sending]);
  }
  if (into.some((buffer) => buffer.at(-1) !== other + 2)) throw new Error('other bytes');
}

for (const [what, bytes, window] of [
  ['large messages', 4 << 20, 16],
  ['many of them at once', 1 << 20, 128],
] as const) {
  const out = new Uint8Array(bytes).fill(rank + 2);
  const into = buffersOf(bytes, window);
  await measure(what, () => flood(out, into));
}

await measure('small messages at once', async () => {
  const into = Array.from({ length: messages }, () => new Float64Array(1));
  const receiving = into.map((buffer) => world.irecv(buffer, other, 2));
  const sending = into.map((_, i) => world.isend(Float64Array.of(i), other, 2));
  await Promise.all([...receiving, ...sending]);
  if (into.some((buffer, i) => buffer[0] !== i)) throw new Error('out of order');
});

// Each is complete when its call returns, or soon after: nothing but microtasks lies between two of them.
await measure('one small message after the other', async () => {
  const buffer = new Float64Array(1);
  for (let i = 0; i < 10 * messages; i++) {
    if (rank === 0) await world.isend(buffer, 1, 3);
    else await world.irecv(buffer, 0, 3);
  }
});
console.log(JSON.stringify({ rank, delays }));
