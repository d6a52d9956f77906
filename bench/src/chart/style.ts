import { symbol, symbolsFill } from 'd3-shape';

const SYMBOL_AREA = 42;

/** Ours first; each for light and for dark surroundings. Symbols tell the series apart where colours do not. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ['#d1242f', '#ff7b72'],
  ['#0969da', '#58a6ff'],
  ['#1a7f37', '#3fb950'],
  ['#8250df', '#bc8cff'],
  ['#9a6700', '#d29922'],
  ['#bf3989', '#f778ba'],
  ['#57606a', '#8b949e'],
];

export function seriesClass(index: number): string {
  return `series s${index % COLOURS.length}${index === 0 ? ' ours' : ''}`;
}

export function symbolPath(index: number): string {
  return symbol(symbolsFill[index % symbolsFill.length], SYMBOL_AREA)() ?? '';
}

function coloursOf(surroundings: 0 | 1): string {
  return COLOURS.map((colour, index) => `.s${index}{color:${colour[surroundings]}}`).join('');
}

/** What has no colour of its own has the one of the text. */
export const STYLE: string = [
  'svg{color:#1f2328;font:12px system-ui,sans-serif}',
  'text{fill:currentColor}',
  '.title{font-size:15px;font-weight:600}',
  '.tick{font-size:11px}',
  '.grid{stroke:currentColor;stroke-opacity:.15}',
  '.axis{stroke:currentColor;stroke-opacity:.6}',
  '.line{fill:none;stroke:currentColor;stroke-width:1.5}',
  '.ours .line{stroke-width:3}',
  '.symbol{fill:currentColor}',
  coloursOf(0),
  `@media (prefers-color-scheme:dark){svg{color:#e6edf3}${coloursOf(1)}}`,
].join('');
