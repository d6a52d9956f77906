// Ours and Open MPI's collective operations in turns: see README.md beside this file.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCHMARKS, defaultLoops } from '../dist/benchmarks.js';
import { describeMachine } from '../dist/machine.js';
import { formatSize, parseSize } from '../dist/sizes.js';
import { median } from '../dist/statistics.js';
import { formatNumber, Table } from '../dist/table.js';

const USAGE =
  'node bench/peers/compare.mjs BENCHMARK [-n N] [--sizes 8,1K,64K,1M] [--rounds K] [--iterations K] [--warmup K] [--huge-pages] [--json]';
const NAMES = ['allreduce', 'reduce', 'bcast', 'allgather', 'alltoall', 'barrier'];
const LEAST_ROUNDS = 5;
const INSTALL =
  'install Open MPI and its headers: on Debian and Ubuntu, apt-get install openmpi-bin libopenmpi-dev';

const cli = fileURLToPath(new URL('../../packages/onecopy/bin/onecopy.js', import.meta.url));
const source = fileURLToPath(new URL('collectives.c', import.meta.url));

/** A sentence for the user, printed alone. */
class Refusal extends Error {}

/** What runs at the moment, to be ended with us. */
let current;

function readOptions() {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).map((argument) => (argument === '-np' ? '-n' : argument)),
    allowPositionals: true,
    options: {
      n: { type: 'string', short: 'n' },
      sizes: { type: 'string', default: '8,1K,64K,1M' },
      rounds: { type: 'string', default: String(LEAST_ROUNDS) },
      iterations: { type: 'string' },
      warmup: { type: 'string' },
      'huge-pages': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [name, ...more] = positionals;
  if (!NAMES.includes(name) || more.length > 0) {
    throw new Refusal(`name one of ${NAMES.join(', ')}: ${USAGE}`);
  }
  const benchmark = BENCHMARKS[name];
  return {
    name,
    benchmark,
    ranks: readCount('-n', values.n ?? String(benchmark.defaultRanks), 2),
    sizes: benchmark.elementBytes === 0 ? [0] : values.sizes.split(',').map(readSize),
    // Fewer pairs than these are an anecdote.
    rounds: readCount('--rounds', values.rounds, LEAST_ROUNDS),
    iterations: values.iterations && readCount('--iterations', values.iterations, 1),
    warmup: values.warmup && readCount('--warmup', values.warmup, 0),
    pages: values['huge-pages'] ? 'huge' : 'small',
    json: values.json,
  };
}

function readCount(option, text, least) {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new Refusal(`${option} takes a whole number from ${least} up, not "${text}"`);
}

function readSize(text) {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new Refusal(`"${text}" is not a size: write 8, 64K or 1M`);
  return bytes;
}

/** What the program wrote on stdout. Undefined when there is no such program. */
function run(file, args) {
  return new Promise((resolve, reject) => {
    current = execFile(file, args, (error, stdout, stderr) => {
      current = undefined;
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(new Refusal(`${file} failed: ${stderr.trim() || error.message}`));
    });
  });
}

/** Where several MPIs are installed, Debian has Open MPI's own under names of their own. */
async function findOpenMpi() {
  for (const [compiler, launcher] of [
    ['mpicc.openmpi', 'mpirun.openmpi'],
    ['mpicc', 'mpirun'],
  ]) {
    const version = await run(launcher, ['--version']);
    if (version?.includes('Open MPI') && (await run(compiler, ['--version'])) !== undefined) {
      return { compiler, launcher, version: version.split('\n', 1)[0] };
    }
  }
  throw new Refusal(`there is no mpicc and mpirun of Open MPI here: ${INSTALL}`);
}

function countCores() {
  const folder = '/sys/devices/system/cpu';
  const siblings = readdirSync(folder)
    .filter((name) => /^cpu\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [readFileSync(join(folder, name, 'topology/thread_siblings_list'), 'utf8')];
      } catch {
        return []; // Offline.
      }
    });
  return new Set(siblings).size;
}

function launcherArguments(ranks) {
  const binding = ranks <= countCores() ? 'core' : 'none';
  const settings = [
    '--mca',
    'btl',
    'vader,self',
    '--mca',
    'btl_vader_single_copy_mechanism',
    'cma',
  ];
  return ['--allow-run-as-root', '--oversubscribe', '--bind-to', binding, ...settings];
}

/** The record of the one size that was asked for. */
async function runForRecord(file, args) {
  const output = await run(file, args);
  if (output === undefined) throw new Refusal(`${file} is not there any more`);
  return JSON.parse(output);
}

function contestants({ name, benchmark, ranks, pages, ...asked }, openMpi, program) {
  const loopsOf = (bytes) => {
    const usual = defaultLoops(benchmark, bytes);
    const { iterations = usual.iterations, warmup = usual.warmup } = asked;
    return { iterations: String(iterations), warmup: String(warmup) };
  };
  return {
    ours(bytes) {
      const { iterations, warmup } = loopsOf(bytes);
      const size = benchmark.elementBytes === 0 ? [] : ['--sizes', String(bytes)];
      const loops = ['--iterations', iterations, '--warmup', warmup];
      const args = [cli, 'bench', name, '-n', String(ranks), ...size, ...loops, '--json'];
      return runForRecord(process.execPath, args);
    },
    theirs(bytes) {
      const { iterations, warmup } = loopsOf(bytes);
      return runForRecord(openMpi.launcher, [
        ...[...launcherArguments(ranks), '-n', String(ranks), program],
        ...[name, iterations, warmup, pages, String(bytes)],
      ]);
    },
  };
}

/** A B A B …: only what was measured within moments of each other can be compared. */
async function measurePairs({ ours, theirs }, bytes, rounds) {
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({ ours: (await ours(bytes)).latencyUs, theirs: (await theirs(bytes)).latencyUs });
  }
  return pairs;
}

function summarise({ name, ranks }, bytes, pairs) {
  const figures = (key) => {
    const oursUs = median(pairs.map(({ ours }) => ours[key]));
    const openMpiUs = median(pairs.map(({ theirs }) => theirs[key]));
    const ratio = median(pairs.map(({ ours, theirs }) => ours[key] / theirs[key]));
    return { oursUs, openMpiUs, ratio };
  };
  return {
    benchmark: name,
    ranks,
    bytes,
    mean: figures('mean'),
    p50: figures('p50'),
    min: figures('min'),
    pairs: pairs.length,
  };
}

async function* report(options, openMpi, program) {
  const { name, benchmark, ranks, sizes, rounds, pages, json } = options;
  const table = new Table([
    { title: 'size', width: 6 },
    ...['mean', 'p50', 'min'].flatMap((key) => [
      { title: `${key} ours`, width: 8 },
      { title: 'theirs', width: 8 },
      { title: 'ratio', width: 6 },
    ]),
  ]);
  const thp = '/sys/kernel/mm/transparent_hugepage/enabled';
  if (!json) {
    yield describeMachine();
    yield `${openMpi.version}: ${launcherArguments(ranks).join(' ')}; buffers on ${pages} pages`;
    yield `onecopy: no binding to cores; huge pages ${readFileSync(thp, 'utf8').trim()}`;
    yield `\n${benchmark.title}, ${ranks} ranks: ${benchmark.measures}, in microseconds\n`;
    yield `  ${table.header}`;
  }
  const both = contestants(options, openMpi, program);
  for (const bytes of sizes) {
    const record = summarise(options, bytes, await measurePairs(both, bytes, rounds));
    yield json ? JSON.stringify(record) : `  ${table.row(cellsOf(record))}`;
  }
  if (!json) {
    yield `\n  ratio: ours over theirs, median over ${rounds} pairs of runs in turns; below 1, ${name} of onecopy is faster.`;
    yield '  Times are medians over the same runs, so their quotient need not be the ratio.';
  }
}

function cellsOf({ bytes, mean, p50, min }) {
  const cells = [mean, p50, min].flatMap(({ oursUs, openMpiUs, ratio }) =>
    [oursUs, openMpiUs, ratio].map(formatNumber),
  );
  return [formatSize(bytes), ...cells];
}

async function main() {
  const options = readOptions();
  const openMpi = await findOpenMpi();
  const folder = mkdtempSync(join(tmpdir(), 'onecopy-peers-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'collectives');
  await run(openMpi.compiler, ['-std=c11', '-O2', '-D_GNU_SOURCE', '-o', program, source]);
  for await (const line of report(options, openMpi, program)) process.stdout.write(`${line}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    current?.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });
}

try {
  await main();
} catch (error) {
  const said = error instanceof Refusal || error.code?.startsWith('ERR_PARSE_ARGS');
  if (!said) throw error;
  process.stderr.write(`compare: ${error.message}\n`);
  process.exitCode = 1;
}
