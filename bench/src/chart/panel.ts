import { type ScaleLogarithmic, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { formatSize } from '../sizes.ts';
import type { Point, Series } from './series.ts';
import { seriesClass, symbolPath } from './style.ts';
import { coordinate, escaped } from './text.ts';

export const PANEL = { width: 440, height: 300 } as const;

const PLOT = { left: 68, right: 430, top: 30, bottom: 262 } as const;
/** More sizes than these would stand in each other's way. */
const MOST_SIZE_TICKS = 8;
const PADDING = 1.25;

type Value = (point: Point) => number;
type Scale = ScaleLogarithmic<number, number>;

/** One value over the sizes, both logarithmic. */
export function drawPanel(
  title: string,
  allSeries: readonly Series[],
  value: Value,
  format: (value: number) => string,
): string {
  // A logarithm has no place for nothing.
  const series = allSeries.map(({ name, points }) => ({
    name,
    points: points.filter((point) => point.bytes > 0 && value(point) > 0),
  }));
  const points = series.flatMap((each) => each.points);
  const heading = `<text x="${PLOT.left}" y="18">${escaped(title)}</text>`;
  if (points.length === 0) return heading;
  const sizes = [...new Set(points.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const x = scaleLog(padded(sizes), [PLOT.left, PLOT.right]).base(2);
  const y = scaleLog(decades(points.map(value)), [PLOT.bottom, PLOT.top]);
  return [
    heading,
    ...drawSizeAxis(x, sizes),
    ...drawValueAxis(y, format),
    // Ours last, above the others.
    ...series.map((each, index) => drawSeries(each.points, index, x, y, value)).reverse(),
  ].join('\n');
}

/** Lets the first and the last symbol stand free of the frame; and a single size has no width. */
function padded(values: readonly number[]): [number, number] {
  return [Math.min(...values) / PADDING, Math.max(...values) * PADDING];
}

function decades(values: readonly number[]): [number, number] {
  const least = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return [least, most > least ? most : least * 10];
}

function drawSizeAxis(x: Scale, sizes: readonly number[]): string[] {
  const every = Math.ceil(sizes.length / MOST_SIZE_TICKS);
  const ticks = sizes.filter((_, index) => index % every === 0);
  return [
    `<path class="axis" d="M${PLOT.left},${PLOT.bottom}H${PLOT.right}"/>`,
    ...ticks.map((bytes) => {
      const at = coordinate(x(bytes));
      return `<text class="tick" x="${at}" y="${PLOT.bottom + 17}" text-anchor="middle">${formatSize(bytes)}</text>`;
    }),
    `<text class="tick" x="${PLOT.right}" y="${PLOT.bottom + 33}" text-anchor="end">bytes of a message</text>`,
  ];
}

function drawValueAxis(y: Scale, format: (value: number) => string): string[] {
  const [least = 1, most = 10] = y.domain();
  const powers = Math.round(Math.log10(most / least));
  return Array.from({ length: powers + 1 }, (_, power) => {
    // Of a power of ten, and not of what multiplications have left of it.
    const value = Number(`1e${Math.round(Math.log10(least)) + power}`);
    const at = coordinate(y(value));
    return [
      `<path class="grid" d="M${PLOT.left},${at}H${PLOT.right}"/>`,
      `<text class="tick" x="${PLOT.left - 6}" y="${at}" dy="4" text-anchor="end">${format(value)}</text>`,
    ].join('');
  });
}

function drawSeries(
  points: readonly Point[],
  index: number,
  x: Scale,
  y: Scale,
  value: Value,
): string {
  const path = line<Point>(
    ({ bytes }) => x(bytes),
    (point) => y(value(point)),
  ).digits(1)([...points]);
  const symbols = points.map((point) => {
    const at = `${coordinate(x(point.bytes))},${coordinate(y(value(point)))}`;
    return `<path class="symbol" transform="translate(${at})" d="${symbolPath(index)}"/>`;
  });
  return [
    `<g class="${seriesClass(index)}">`,
    `<path class="line" d="${path ?? ''}"/>`,
    ...symbols,
    '</g>',
  ].join('');
}
