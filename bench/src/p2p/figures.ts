import type { ExerciseName } from './ranks/exercises.ts';
import { RECORDS_BYTES } from './records.ts';
import { ARRAY_BYTES, ELEMENTS_BYTES, IN_FLIGHT, POSTED, ROWS_BYTES, SMALL } from './sizes.ts';

export type FigureName =
  | 'awaited'
  | 'awaited-asleep'
  | 'in-flight'
  | 'matching'
  | 'persistent'
  | 'strided-rows'
  | 'strided-elements'
  | 'records'
  | 'object-array';

export type RivalName = 'postMessage' | 'child_process' | 'C pack loop';

export interface Figure {
  /** What one time is the time of. */
  readonly measures: string;
  readonly bytes: number;
  /** Of the launcher, beside what the user has said. */
  readonly launcherArguments: readonly string[];
  readonly ours: ExerciseName;
  /** Other calls of onecopy that do the same, in the same job. */
  readonly others: readonly ExerciseName[];
  readonly rivals: readonly RivalName[];
  /** Whether the reciprocal says more. */
  readonly asRate?: true;
}

const DEFAULTS = { launcherArguments: [], others: [], rivals: [] } as const;

export const FIGURES: Readonly<Record<FigureName, Figure>> = {
  awaited: {
    ...DEFAULTS,
    measures: 'half a round trip of awaited isend and irecv',
    bytes: SMALL,
    ours: 'awaited',
    rivals: ['postMessage'],
  },
  'awaited-asleep': {
    ...DEFAULTS,
    measures: 'the same, but whoever waits sleeps at once (--spin-us 0)',
    bytes: SMALL,
    launcherArguments: ['--spin-us', '0'],
    ours: 'awaited',
    rivals: ['postMessage'],
  },
  'in-flight': {
    ...DEFAULTS,
    measures: `one of ${IN_FLIGHT} messages whose receives were all posted before, isend and irecv`,
    bytes: SMALL,
    ours: 'in flight',
    asRate: true,
  },
  matching: {
    ...DEFAULTS,
    measures: `half a round trip while ${POSTED} receives wait for other tags, beside none`,
    bytes: SMALL,
    ours: 'matching among others',
    others: ['matching'],
  },
  persistent: {
    ...DEFAULTS,
    measures: 'one message of a startAll of 64, beside 64 isend and irecv',
    bytes: SMALL,
    ours: 'persistent',
    others: ['isend'],
  },
  'strided-rows': {
    ...DEFAULTS,
    measures:
      'half a round trip of every other row of a matrix, 4 KiB each, beside as many bytes in one piece',
    bytes: ROWS_BYTES,
    ours: 'strided rows',
    others: ['contiguous rows'],
  },
  'strided-elements': {
    ...DEFAULTS,
    measures:
      'half a round trip of numbers that lie 64 bytes apart, into an array; beside a loop in C that packs them',
    bytes: ELEMENTS_BYTES,
    ours: 'strided elements',
    rivals: ['C pack loop'],
  },
  records: {
    ...DEFAULTS,
    measures: 'half a round trip of ten thousand small records, sendObject and recvObject',
    bytes: RECORDS_BYTES,
    ours: 'records',
    rivals: ['child_process'],
  },
  'object-array': {
    ...DEFAULTS,
    measures: 'half a round trip of an object that holds a Float64Array, beside the array alone',
    bytes: ARRAY_BYTES,
    ours: 'array in an object',
    others: ['array', 'new array'],
  },
};

export const FIGURE_NAMES: readonly FigureName[] = Object.keys(FIGURES) as FigureName[];
