import type { Trace } from './run.ts';

/** What goes between ranks in one execution. */
export interface Traffic {
  /** Messages and exposures that go out. */
  readonly messages: number;
  /** Bytes that are sent. */
  readonly sentBytes: number;
  /** Bytes that are read out of exposures. */
  readonly pulledBytes: number;
  /** Bytes that are copied within the rank. */
  readonly copiedBytes: number;
  /** Bytes of operands that are combined with others. */
  readonly reducedBytes: number;
}

const NOTHING: Traffic = {
  messages: 0,
  sentBytes: 0,
  pulledBytes: 0,
  copiedBytes: 0,
  reducedBytes: 0,
};

/** Of each rank. */
export function trafficOf({ wiring, bytes }: Trace): Traffic[] {
  const traffic = wiring.schedules.map(() => NOTHING);
  for (const [number, step] of wiring.steps.entries()) {
    const rank = wiring.rankOf(number);
    const moved = bytes[number] as number;
    const { messages, sentBytes, pulledBytes, copiedBytes, reducedBytes } = traffic[
      rank
    ] as Traffic;
    const { kind } = step;
    const copies = kind === 'copy' || kind === 'pack' || kind === 'unpack';
    const cells = kind === 'copyIn' || kind === 'copyOut';
    const pulls = kind === 'pull' || kind === 'pullReduce';
    const reduces = kind === 'reduce' || kind === 'recvReduce' || kind === 'pullReduce';
    traffic[rank] = {
      messages: messages + (kind === 'send' || kind === 'expose' ? 1 : 0),
      sentBytes: sentBytes + (kind === 'send' ? moved : 0),
      pulledBytes: pulledBytes + (pulls ? moved : 0),
      copiedBytes: copiedBytes + (copies || cells ? moved : 0),
      reducedBytes: reducedBytes + (reduces ? moved : 0),
    };
  }
  return traffic;
}

/** Of all ranks together. */
export function totalOf(traffic: readonly Traffic[]): Traffic {
  return traffic.reduce(
    (sum, one) => ({
      messages: sum.messages + one.messages,
      sentBytes: sum.sentBytes + one.sentBytes,
      pulledBytes: sum.pulledBytes + one.pulledBytes,
      copiedBytes: sum.copiedBytes + one.copiedBytes,
      reducedBytes: sum.reducedBytes + one.reducedBytes,
    }),
    NOTHING,
  );
}
