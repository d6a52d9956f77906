import { BENCHMARKS } from '../benchmarks.ts';
import { drawCharts } from '../chart/chart.ts';
import { formatSize } from '../sizes.ts';
import { formatNumber } from '../table.ts';
import type { Comparison, PeersRecord } from './record.ts';

/** Beside the page. */
export const CHART_FILE = 'benchmarks.svg';

type FigureName = 'mean' | 'p50' | 'p99';

/** Where ranks outnumber cores, how long the last ones wait says as much as how long most do. */
const WITH_TAIL: ReadonlySet<string> = new Set(['multipair', 'barrier']);

/** `docs/benchmarks.md` from the lines of `onecopy bench peers --json`, all of one run on one machine. */
export function benchmarksPage(records: readonly PeersRecord[]): string {
  const [first] = records;
  if (first === undefined) throw new Error('there are no records: pipe in what --json has printed');
  return [
    '# Benchmarks',
    '',
    'Generated from one run of `onecopy bench peers --json`; [how to do it again](#how-to-do-it-again) stands at the end.',
    'Times are microseconds. **vs best** is the time of onecopy over that of the peer against which it does worst: below 1,',
    'onecopy is faster than all of them.',
    '',
    `![Times and bandwidths by size](${CHART_FILE})`,
    '',
    ...groupsOf(records).flatMap(section),
    ...machineSection(records),
    ...methodSection(first),
    ...againSection,
  ].join('\n');
}

/** What has more than one size, by size. */
export function benchmarksChart(records: readonly PeersRecord[]): string {
  return drawCharts(
    groupsOf(records)
      .filter((group) => new Set(group.map(({ bytes }) => bytes)).size > 1)
      .flat(),
  );
}

/** Records of one benchmark stand together, in the order in which they were measured. */
function groupsOf(records: readonly PeersRecord[]): PeersRecord[][] {
  const names = [...new Set(records.map(({ benchmark }) => benchmark))];
  return names.map((name) => records.filter(({ benchmark }) => benchmark === name));
}

function section(records: readonly PeersRecord[]): string[] {
  const { benchmark } = records[0]!;
  const { title, measures } = BENCHMARKS[benchmark];
  const peers = peersOf(records);
  const figures: readonly FigureName[] = WITH_TAIL.has(benchmark)
    ? ['mean', 'p50', 'p99']
    : ['mean', 'p50'];
  return [
    `## ${title}`,
    '',
    `${measures[0]!.toUpperCase()}${measures.slice(1)}.`,
    '',
    ...table(
      ['ranks', 'size', 'figure', 'onecopy', ...peers, 'vs best', 'best'],
      records.flatMap((record) =>
        figures.map((figure) => [
          ...placeOf(record, figure, figures[0]!),
          ...cellsOf(figure === 'mean' ? record : record[figure], peers),
        ]),
      ),
    ),
    '',
    ...records.flatMap(failuresOf),
  ];
}

function placeOf(record: PeersRecord, figure: FigureName, first: FigureName): string[] {
  if (figure !== first) return ['', '', figure];
  const { ranks, bytes, buffers, benchmark } = record;
  const size = BENCHMARKS[benchmark].elementBytes === 0 ? '' : formatSize(bytes);
  return [String(ranks), buffers ? `${size}, \`alloc\`` : size, figure];
}

function cellsOf(
  { oursUs, peersUs, ratioToBest, best }: Comparison,
  peers: readonly string[],
): string[] {
  return [
    ...[oursUs, ...peers.map((name) => peersUs[name] ?? Number.NaN)].map(formatNumber),
    ratioToBest === null ? '-' : `**${formatNumber(ratioToBest)}**`,
    best ?? '-',
  ];
}

function failuresOf({ ranks, bytes, failures = {} }: PeersRecord): string[] {
  return Object.entries(failures).flatMap(([name, reason]) => [
    `${name}, ${ranks} ranks, ${formatSize(bytes)}: no figure, ${reason.replace(/\s+/g, ' ')}.`,
    '',
  ]);
}

function machineSection(records: readonly PeersRecord[]): string[] {
  const { machine, pairs } = records[0]!;
  const { processor, cores, kernel, caches, memoryBytes, hugePages, node } = machine;
  const versions = Object.entries(Object.assign({}, ...records.map((each) => each.versions)));
  const settings = ['onecopy', ...versions.map(([name]) => name)].map((name) => [
    name,
    [...new Set(records.flatMap((record) => record.settings[name] ?? []))]
      .map((text) => `\`${text}\``)
      .join(' or '),
  ]);
  return [
    '## Machine and programs',
    '',
    ...table(
      ['', ''],
      [
        ['processor', `${processor}, ${cores} cores`],
        [
          'caches',
          Object.entries(caches)
            .map((cache) => cache.join(' '))
            .join(', ') || 'unknown',
        ],
        [
          'memory',
          `${Math.round(memoryBytes / 2 ** 30)} GiB, transparent huge pages: ${hugePages}`,
        ],
        ['kernel', kernel],
        ['Node', node],
        ...versions.map(([name, version]) => [name, String(version)]),
        ['turns of each', String(pairs)],
      ],
    ),
    '',
    'How each was started; where there are two, the second is for more ranks than cores:',
    '',
    ...table(['', ''], settings),
    '',
  ];
}

function methodSection({ pairs, offCacheBytes }: PeersRecord): string[] {
  return [
    '## Method',
    '',
    `- Ours and the peers run in turns, A B C A B C, ${pairs} of each, every one started anew. A ratio is the median of the`,
    '  ratios of each turn; times are medians over the turns, so their quotient need not be the ratio.',
    '- The peers run programs of ours in C (`bench/peers`) that do what the ranks of `onecopy bench` do: the same loops,',
    '  warm-up and budget, page-aligned buffers, one timer around the loop for the mean. Percentiles come from a second',
    '  pass with a time stamp per operation. UCX is measured by its own `ucx_perftest`, which tells no p99.',
    '- MB are 1e6 bytes. The names are those of the OSU micro-benchmarks, and so are the definitions.',
    ...(offCacheBytes === undefined
      ? []
      : [
          `- Every message was cold: buffers walked through ${Math.round(offCacheBytes / 2 ** 20)} MiB on each rank.`,
        ]),
    '',
  ];
}

const againSection: readonly string[] = [
  '## How to do it again',
  '',
  '```sh',
  'bench/peers/install.sh                          # as root, on Debian or Ubuntu: sets the peers up',
  'npx onecopy bench peers --json > results.jsonl  # on a machine that has nothing else to do',
  'node scripts/benchmarks-docs.mjs < results.jsonl',
  '```',
  '',
];

function peersOf(records: readonly PeersRecord[]): string[] {
  return [...new Set(records.flatMap(({ versions }) => Object.keys(versions)))];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
