/** Points in a file of comma-separated values. Nothing here knows of ranks. */
import { parseNumber } from './numbers.ts';

export interface Points {
  /** All coordinates of the first point, of the second one, and so on. */
  readonly coordinates: Float64Array;
  readonly count: number;
  readonly dimensions: number;
}

/** The text is no table of points; the message says in which line, and why. */
export class PointsError extends Error {}

const LONGEST_SHOWN = 40;

/**
 * Each line has one point. A first line in which nothing is a number holds names, and is skipped; so are empty lines.
 * Values with commas or line ends inside, which quotes would allow, are not understood.
 *
 * @param columns which values of a line are the coordinates, from 1; all of them when left out
 */
export function parsePoints(text: string, columns?: readonly number[]): Points {
  const coordinates: number[] = [];
  let dimensions: number | undefined;
  let fieldsPerLine: number | undefined;
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '') continue;
    const fields = line.split(',').map((field) => field.trim());
    const isFirst = fieldsPerLine === undefined;
    fieldsPerLine ??= fields.length;
    const place = `line ${index + 1}`;
    if (fields.length !== fieldsPerLine) {
      const [has, others] = [fields.length, fieldsPerLine];
      throw new PointsError(`${place} has ${has} values, the first line has ${others}`);
    }
    const chosen = columns?.map((column) => fieldOf(fields, column, place)) ?? fields;
    const numbers = chosen.map(parseNumber);
    if (isFirst && numbers.every((number) => number === undefined)) continue;
    for (const [i, number] of numbers.entries()) {
      if (number === undefined) {
        throw new PointsError(`${place}: '${shortened(chosen[i]!)}' is not a number`);
      }
      coordinates.push(number);
    }
    dimensions = numbers.length;
  }
  if (dimensions === undefined) throw new PointsError('there are no points');
  const count = coordinates.length / dimensions;
  return { coordinates: new Float64Array(coordinates), count, dimensions };
}

function fieldOf(fields: readonly string[], column: number, place: string): string {
  const field = fields[column - 1];
  if (field !== undefined) return field;
  throw new PointsError(`${place} has ${fields.length} values, and so no column ${column}`);
}

function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
