import { describeMachine } from '../machine.ts';
import { formatSize } from '../sizes.ts';
import { formatNumber } from '../table.ts';
import { FIGURES, type FigureName } from './figures.ts';
import type { P2pOptions } from './options.ts';
import type { P2pRecord } from './record.ts';
import { measureFigure } from './turns.ts';

/** Figure by figure, as lines for people or for programs. */
export async function* p2pLines(
  options: P2pOptions,
  cli: string,
  progress: (text: string) => void,
): AsyncGenerator<string> {
  if (!options.json) yield `${describeMachine()}\n`;
  for (const name of options.figures) {
    const record = await measureFigure(name, options, cli, progress);
    if (options.json) yield JSON.stringify(record);
    else yield* linesOf(name, record);
  }
  if (!options.json) yield* footnotes(options.pairs);
}

/** Names of what is compared are of any length. */
const NAME_WIDTH = 24;

export function* linesOf(name: FigureName, record: P2pRecord): Generator<string> {
  const { oursUs, rivalsUs, ratios, perSecond, unavailable = {} } = record;
  yield `${name}, ${formatSize(record.bytes)}: ${FIGURES[name].measures}`;
  if (oursUs !== null) {
    const rate = perSecond === undefined ? '' : `, ${perSecond} per second`;
    yield `  ${'onecopy'.padEnd(NAME_WIDTH)}${formatNumber(oursUs).padStart(8)} us${rate}`;
  }
  for (const [other, us] of Object.entries(rivalsUs)) {
    const ratio = ratios[other];
    const compared = ratio === undefined ? '' : `, ours over it ${ratio.toFixed(2)}`;
    yield `  ${other.padEnd(NAME_WIDTH)}${formatNumber(us).padStart(8)} us${compared}`;
  }
  for (const [side, reason] of Object.entries(unavailable)) yield `  left out: ${side}: ${reason}`;
  yield '';
}

function* footnotes(pairs: number): Generator<string> {
  yield `Times are medians of ${pairs} turns each; a ratio is the median of the ratios of each pair: less than 1 is faster.`;
  yield 'postMessage: an 8-byte Uint8Array between two worker threads, copied. child_process: IPC with "advanced"';
  yield 'serialization, parent and child. C pack loop: packs only, and sends to nobody.';
}
