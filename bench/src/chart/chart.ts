import { BENCHMARKS } from '../benchmarks.ts';
import { drawPanel, PANEL } from './panel.ts';
import { type ChartData, type ChartedRecord, chartsOf, type Series } from './series.ts';
import { STYLE, seriesClass, symbolPath } from './style.ts';
import { coordinate, escaped, formatRate, formatTime } from './text.ts';

const MARGIN = 16;
const TITLE_HEIGHT = 26;
const LEGEND_HEIGHT = 26;
const ROW_HEIGHT = TITLE_HEIGHT + LEGEND_HEIGHT + PANEL.height + MARGIN;
const WIDTH = 2 * PANEL.width + 3 * MARGIN;
/** About, for a legend: no browser measures the text. */
const CHARACTER_WIDTH = 7.4;

/**
 * An SVG image with times on the left and bandwidths on the right, both over sizes and logarithmic; a row for each
 * benchmark and number of ranks. It brings its colours for light and dark surroundings.
 */
export function drawCharts(records: readonly ChartedRecord[]): string {
  const charts = chartsOf(records);
  const height = MARGIN + Math.max(1, charts.length) * ROW_HEIGHT;
  const rows = charts.map((chart, row) => drawRow(chart, MARGIN + row * ROW_HEIGHT));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(labelOf(charts))}">`,
    `<style>${STYLE}</style>`,
    ...(rows.length > 0 ? rows : [`<text x="${MARGIN}" y="40">nothing that has a size</text>`]),
    '</svg>',
    '',
  ].join('\n');
}

function labelOf(charts: readonly ChartData[]): string {
  return charts
    .map(({ benchmark, series }) => {
      const names = series.map(({ name }) => name).join(', ');
      return `${BENCHMARKS[benchmark].title} by size: ${names}`;
    })
    .join('; ');
}

function drawRow({ benchmark, ranks, series }: ChartData, top: number): string {
  const title = `${BENCHMARKS[benchmark].title}, ${ranks} ranks`;
  const panels = top + TITLE_HEIGHT + LEGEND_HEIGHT;
  return [
    `<text class="title" x="${MARGIN}" y="${top + 16}">${escaped(title)}</text>`,
    drawLegend(series, top + TITLE_HEIGHT),
    `<g transform="translate(${MARGIN},${panels})">`,
    drawPanel('time, lower is better', series, ({ us }) => us, formatTime),
    '</g>',
    `<g transform="translate(${2 * MARGIN + PANEL.width},${panels})">`,
    drawPanel('bandwidth, higher is better', series, (point) => point.bandwidthMBs, formatRate),
    '</g>',
  ].join('\n');
}

function drawLegend(series: readonly Series[], top: number): string {
  let x = MARGIN + 8;
  return series
    .map(({ name }, index) => {
      const entry = [
        `<g class="${seriesClass(index)}" transform="translate(${coordinate(x)},${top + 10})">`,
        `<path class="symbol" d="${symbolPath(index)}"/>`,
        `<text x="10" y="4">${escaped(name)}</text>`,
        '</g>',
      ].join('');
      x += 34 + name.length * CHARACTER_WIDTH;
      return entry;
    })
    .join('\n');
}
