import type { Algorithm, CollectiveName } from '../algorithm.ts';
import { algorithmsOf, COLLECTIVES } from '../choose.ts';
import { roundsOf, type Traffic, totalOf, trace, trafficOf } from '../simulator/index.ts';
import { type Choice, type Circumstances, choicesOf, LARGEST_SIZE } from './choices.ts';
import { describeSteps } from './steps.ts';
import { tableOf } from './table.ts';

const EXAMPLE_SIZE = 5;
const COUNTED_SIZES = [2, 4, 5, 8, 16, 32];
/** Divisible by all sizes that are powers of two, so that parts are equal. */
const COUNT = 32;
const ELEMENT_BYTES = 32;

const INTRODUCTION = `<!-- Written by scripts/algorithms-docs.mjs from the sources: change those, then run it. -->

# Collective operations and their algorithms

A collective operation is a schedule: steps with explicit predecessors, which each rank executes
(\`packages/algorithms/src/schedule.ts\` says what each kind of step means). All numbers here come from the schedules
themselves: the simulator (\`packages/algorithms/src/simulator\`) executes them for all ranks in one process, and
\`choose\` was asked for what it chooses. A test compares this page with what they say today.

- **Cost**: \`p\` ranks, \`n\` bytes (of one block where there are blocks), \`α\` per message or exposure, \`β\` per byte moved,
  \`γ\` per byte combined. Copying the own block is left out. \`⌈x⌉\` rounds up, \`⌊x⌋\` down.
- **Ordered** algorithms combine operands in the order of ranks, so they serve operators that are not commutative.
- **Example**: the steps of the rank that has most of them, among ${EXAMPLE_SIZE} ranks with root 0. \`OUT[2–3]\` are blocks 2
  and 3 of the receive buffer; \`∘\` is the operator.
- **Counts**: of all ranks together, with n = ${COUNT * ELEMENT_BYTES} bytes and root 0. _Sent_ goes through the channel or is pulled from the
  sender, _pulled_ is read out of exposed memory; _rounds_ is the longest chain of messages one after the other, when a
  rank sends one at a time and receives one at a time.
`;

/** What a choice may depend on beside ranks and bytes, and how it is told. */
const COLUMNS: readonly {
  readonly what: keyof Circumstances;
  readonly title: string;
  readonly yes: string;
  readonly no: string;
  /** Which one to tell of when it makes no difference. */
  readonly usual: boolean;
}[] = [
  { what: 'commutative', title: 'operator', yes: 'commutative', no: 'any', usual: true },
  { what: 'area', title: 'collective area', yes: 'yes', no: 'no', usual: false },
];

/** The whole of docs/algorithms.md. */
export function algorithmsPage(): string {
  return `${[INTRODUCTION, ...COLLECTIVES.map(sectionOf)].join('\n')}`;
}

function sectionOf(operation: CollectiveName): string {
  return [
    `## ${operation}`,
    '',
    ...choiceLines(operation),
    '',
    algorithmsOf(operation).map(algorithmSection).join('\n'),
  ].join('\n');
}

function choiceLines(operation: CollectiveName): string[] {
  const cases = [true, false].flatMap((commutative) =>
    [false, true].map((area) => {
      const circumstances = { commutative, area };
      return { circumstances, choices: choicesOf(operation, circumstances) };
    }),
  );
  // A column for what makes a difference.
  const matters = (what: keyof Circumstances): boolean =>
    cases.some((one) =>
      cases.some(
        (other) =>
          COLUMNS.every(
            (column) =>
              column.what === what ||
              one.circumstances[column.what] === other.circumstances[column.what],
          ) && JSON.stringify(one.choices) !== JSON.stringify(other.choices),
      ),
    );
  const columns = COLUMNS.filter(({ what }) => matters(what));
  const told = cases.filter(({ circumstances }) =>
    COLUMNS.every(({ what, usual }) => matters(what) || circumstances[what] === usual),
  );
  const names = new Set(
    told.flatMap(({ choices }) =>
      choices.flatMap(({ thresholds }) => thresholds.map(({ name }) => name)),
    ),
  );
  if (names.size === 1) return [`Always \`${[...names].join()}\`.`];

  const unit = operation === 'allgatherv' ? 'bytes per block on average' : 'bytes';
  const byBytes = told.some(({ choices }) =>
    choices.some(({ thresholds }) => thresholds.length > 1),
  );
  const rows = told.flatMap(({ circumstances, choices }) =>
    choices.map((choice) => [
      ranksOf(choice),
      ...columns.map(({ what, yes, no }) => (circumstances[what] ? yes : no)),
      algorithmsByBytes(choice),
    ]),
  );
  const titles = columns.map(({ title }) => title);
  const chosen = byBytes ? `chosen, by ${unit}` : 'chosen';
  return tableOf([['ranks', ...titles, chosen], ...rows], 'left');
}

function ranksOf({ from, to }: Choice): string {
  if (from === to) return `${from}`;
  return to === LARGEST_SIZE ? `${from} or more` : `${from} to ${to}`;
}

function algorithmsByBytes({ thresholds }: Choice): string {
  return thresholds
    .map(({ bytes, name }) => (bytes === 0 ? `\`${name}\`` : `from ${bytes} on \`${name}\``))
    .join(', ');
}

function algorithmSection(algorithm: Algorithm): string {
  const { name, steps, cost, ordered } = algorithm;
  return [
    `### ${algorithm.operation}: ${name}`,
    '',
    steps,
    '',
    `- Cost: ${cost}`,
    ...(combines(algorithm) ? [`- Ordered: ${ordered ? 'yes' : 'no'}`] : []),
    '',
    ...exampleLines(algorithm),
    '',
    ...countLines(algorithm),
    '',
  ].join('\n');
}

function combines({ operation }: Algorithm): boolean {
  return /reduce|scan/.test(operation);
}

function exampleLines(algorithm: Algorithm): string[] {
  const schedules = Array.from({ length: EXAMPLE_SIZE }, (_, rank) =>
    algorithm.schedule(EXAMPLE_SIZE, rank, 0),
  );
  const longest = schedules.reduce((one, other) =>
    other.steps.length > one.steps.length ? other : one,
  );
  return [
    `Rank ${longest.rank} of ${EXAMPLE_SIZE}:`,
    '',
    '```text',
    ...describeSteps(longest),
    '```',
  ];
}

function countLines(algorithm: Algorithm): string[] {
  const { operation } = algorithm;
  const rows = COUNTED_SIZES.map((size) => {
    const count = operation === 'barrier' ? 0 : COUNT;
    const problem = { operation, size, root: 0, count, inPlace: false, equal: true };
    const run = trace(algorithm, problem, { elementBytes: ELEMENT_BYTES });
    return { size, rounds: roundsOf(run), total: totalOf(trafficOf(run)) };
  });
  const columns: (readonly [string, (total: Traffic) => number])[] = [
    ['messages', (total) => total.messages],
    ['bytes sent', (total) => total.sentBytes],
    ['bytes pulled', (total) => total.pulledBytes],
    ['bytes combined', (total) => total.reducedBytes],
  ];
  const used = columns.filter(([, value]) => rows.some(({ total }) => value(total) > 0));
  return tableOf(
    [
      ['p', 'rounds', ...used.map(([title]) => title)],
      ...rows.map(({ size, rounds, total }) => [
        size,
        rounds,
        ...used.map(([, value]) => value(total)),
      ]),
    ],
    'right',
  );
}
