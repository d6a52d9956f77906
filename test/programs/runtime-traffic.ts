// Random traffic: node runtime-traffic.ts seed rounds. All ranks know from the seed who sends what to whom; each
// receives it in ways of its own choice, and checks that messages with the same source and tag came in order.
import { ANY_SOURCE, ANY_TAG, type Request, type Status, waitAll, world } from 'onecopy';
import { Random } from '../support/random.ts';

const { rank, size } = world;
const [seed = 0, rounds = 0] = process.argv.slice(2).map(Number);

const TAGS = [0, 1, 2, 5000];
const MESSAGES_PER_ROUND = 40;
const GUARD = 0xa5;

interface Message {
  readonly source: number;
  readonly dest: number;
  readonly tag: number;
  readonly content: Uint8Array;
}

/** What one receive is to match: wildcards, or one source and one tag. */
interface Selector {
  readonly source: number;
  readonly tag: number;
}

interface Received {
  readonly buffer: Uint8Array;
  status: Status | undefined;
}

function planOf(round: number): Message[] {
  const random = new Random(seed, round);
  return Array.from({ length: MESSAGES_PER_ROUND }, () => ({
    source: random.below(size),
    dest: random.below(size),
    tag: random.pick(TAGS),
    content: random.bytes(lengthBy(random)),
  }));
}

/** Mostly small; some on both sides of the eager limit, some of several slices. */
function lengthBy(random: Random): number {
  return random.below(random.pick([1, 64, 64, 64, 4096, 40_000, 40_000, 1_500_000]));
}

/**
 * As many receives as there are messages, such that none can take what another one needs: by tag either all name
 * their source or none does, or all take everything.
 */
function selectorsOf(expected: readonly Message[], random: Random): Selector[] {
  if (random.below(4) === 0) return expected.map(() => ({ source: ANY_SOURCE, tag: ANY_TAG }));
  const anySource = new Set(TAGS.filter(() => random.below(2) === 0));
  return shuffled(
    expected.map(({ source, tag }) => ({ source: anySource.has(tag) ? ANY_SOURCE : source, tag })),
    random,
  );
}

function shuffled<T>(values: T[], random: Random): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

async function playRound(round: number): Promise<number> {
  const own = new Random(seed, round, rank);
  const plan = planOf(round);
  const outgoing = plan.filter(({ source }) => source === rank);
  const selectors = selectorsOf(
    plan.filter(({ dest }) => dest === rank),
    own,
  );
  const longest = Math.max(0, ...plan.map(({ content }) => content.length));
  const received: Received[] = [];
  const open: [Request<Status>, Received][] = [];
  const sends: Request<void>[] = [];

  const slot = (): Received => {
    const one: Received = { buffer: new Uint8Array(longest + 1).fill(GUARD), status: undefined };
    received.push(one);
    return one;
  };
  const begin = ({ source, tag }: Selector): void => {
    const one = slot();
    open.push([world.irecv(one.buffer, source, tag), one]);
  };

  // All sends are on their way before anything blocks, so whatever blocks afterwards will end.
  while (sends.length < outgoing.length) {
    if (selectors.length > 0 && own.below(3) === 0) begin(selectors.pop()!);
    const { content, dest, tag } = outgoing[sends.length]!;
    sends.push(world.isend(content, dest, tag));
  }
  while (selectors.length > 0) {
    const selector = selectors.pop()!;
    const way = own.below(4);
    if (way === 0) begin(selector);
    else if (way === 1) {
      const one = slot();
      one.status = world.recv(one.buffer, selector.source, selector.tag);
    } else if (way === 2) {
      const found = world.probe(selector.source, selector.tag);
      const one = slot();
      // The probe must have found what a receive that names it gets.
      one.status = world.recv(one.buffer, found.source, found.tag);
      if (one.status.bytes !== found.bytes) throw new Error('the probe saw another message');
    } else {
      const { data, status } = world.recvNew(Uint8Array, selector.source, selector.tag);
      const one = slot();
      one.buffer.set(data);
      one.status = status;
    }
    if (own.below(3) === 0) await endSome(open, own);
  }
  while (open.length > 0) await endSome(open, own);
  if (own.below(2) === 0) waitAll(sends);
  else await Promise.all(sends);

  verify(plan, received);
  // A wildcard must not find what belongs to the next round.
  world.barrier();
  return received.length;
}

/** Completes some of the open receives in one way or another. */
async function endSome(open: [Request<Status>, Received][], own: Random): Promise<void> {
  const some = open.splice(own.below(open.length + 1), 1 + own.below(4));
  if (some.length === 0) return;
  const requests = some.map(([request]) => request);
  switch (own.below(4)) {
    case 0:
      waitAll(requests);
      break;
    case 1:
      await Promise.all(requests);
      break;
    case 2:
      for (const request of shuffled([...requests], own)) request.wait();
      break;
    default:
      while (!requests.every((request) => request.test()));
  }
  for (const [request, one] of some) one.status = request.value;
}

/** In the order of posting, every pair of source and tag must have given its messages in the order of sending. */
function verify(plan: readonly Message[], received: readonly Received[]): void {
  const waiting = plan.filter(({ dest }) => dest === rank);
  for (const { buffer, status } of received) {
    const { source, tag, bytes } = status!;
    const at = waiting.findIndex((one) => one.source === source && one.tag === tag);
    const [message] = waiting.splice(at, at < 0 ? 0 : 1);
    if (message === undefined) throw new Error(`nobody sent ${JSON.stringify(status)}`);
    const inOrder = Buffer.compare(message.content, buffer.subarray(0, bytes)) === 0;
    if (!inOrder) throw new Error(`out of order or damaged: ${JSON.stringify(status)}`);
    if (buffer[bytes] !== GUARD) throw new Error('a byte after the message was written');
  }
  if (waiting.length > 0) throw new Error(`${waiting.length} messages did not come`);
}

let messages = 0;
for (let round = 0; round < rounds; round++) {
  try {
    messages += await playRound(round);
  } catch (error) {
    throw new Error(`rank ${rank}, seed ${seed}, round ${round}`, { cause: error });
  }
}
console.log(JSON.stringify({ rank, messages }));
