/**
 * Matched messages that nobody receives: their senders may wait for ever, so one that is thrown away is worth a warning.
 *
 * As with requests (../forgotten.ts), registering an object for finalization costs more than the rest of a small message,
 * and most are received at once: they are listed first, and what is left when the event loop turns is registered.
 */
import type { MatchedMessage } from '@onecopy/engine';

/** Lists shorter than this are not searched for messages that were received. */
const SMALLEST_SWEEP = 256;

interface Listed {
  readonly message: object;
  readonly matched: MatchedMessage;
}

let listed: Listed[] = [];
let listedLimit = SMALLEST_SWEEP;
let scheduled = false;

const dropped = new FinalizationRegistry<MatchedMessage>((matched) => {
  if (matched.received) return;
  process.emitWarning(
    `A message was dropped before it was received: ${matched.bytes} bytes from rank ${matched.source}, ` +
      `tag ${matched.tag}. A matched message can be received by nobody else, and its sender may wait for ever. ` +
      'Call its recv(), irecv() or recvNew(); or look with iprobe(), which leaves messages where they are',
    { type: 'MpiWarning', code: 'ONECOPY_FORGOTTEN_MESSAGE' },
  );
});

/** Takes care of a message, as its holder has it and as the engine has it. */
export function neverForgetMessage(message: object, matched: MatchedMessage): void {
  if (!scheduled) {
    scheduled = true;
    setImmediate(register).unref();
  }
  listed.push({ message, matched });
  if (listed.length <= listedLimit) return;
  listed = listed.filter((one) => !one.matched.received);
  // Doubling keeps the cost per message constant however many are held.
  listedLimit = Math.max(SMALLEST_SWEEP, 2 * listed.length);
}

function register(): void {
  scheduled = false;
  for (const { message, matched } of listed) {
    if (!matched.received) dropped.register(message, matched);
  }
  listed = [];
}
