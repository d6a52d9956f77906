import { ANY_SOURCE, ANY_TAG } from '@onecopy/engine';

/** What an operation does and with whom, for messages. */
export interface Purpose {
  readonly call: string;
  /** Absent for a collective operation. */
  readonly peer?: number | undefined;
  readonly tag?: number | undefined;
}

/** `isend to rank 3, tag 7`. */
export function describe({ call, peer, tag }: Purpose): string {
  if (peer === undefined) return call;
  const direction = call === 'irecv' || call === 'recvInit' ? 'from' : 'to';
  const who = peer === ANY_SOURCE ? 'any rank' : `rank ${peer}`;
  return `${call} ${direction} ${who}, ${tag === ANY_TAG ? 'any tag' : `tag ${tag}`}`;
}
