#!/usr/bin/env node
/*
 * Runs the models beside this file, and their mutants, through spin.
 *
 *   node run.mjs [--only doorbell[:FLAGS][,…]] [--full] [--trail]
 *
 * What is run stands in the head of each model, one line each:
 *
 *   model FLAGS holds [PROPERTY]     the design: the search must be complete and find nothing
 *   full FLAGS holds                 the same with larger bounds, only with --full
 *   variant FLAGS holds              a change that does no harm, which is worth knowing, too
 *   mutant FLAGS breaks PROPERTY     a mistake: this property, and no other, must be seen to fail
 *
 * FLAGS are C macros joined by `+`, or `-` for none. ALWAYS_ENDS is the one property that is not an
 * assertion: there is no cycle in the state graph, so no execution goes round for ever.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const JOBS = Math.min(availableParallelism(), 3);
const TIME_LIMIT_MS = 300_000;
const DEPTH_LIMIT = 100_000; // steps; the longest execution has about 200
const TRAIL_LINES = 60;

/**
 * Most searches take less than the compiler would to optimise them further. COLLAPSE halves the
 * memory and takes half as long again. MEMLIM is in MB.
 */
const COMPILED = {
  model: ['-O1', '-DMEMLIM=900'],
  full: ['-O2', '-DMEMLIM=16000', '-DCOLLAPSE'],
  variant: ['-O1', '-DMEMLIM=900'],
  mutant: ['-O0', '-DMEMLIM=900'],
};

/** A line of a model's head; what it means stands on the next line, for people. */
const CASE = /^ \* (model|full|variant|mutant) (\S+) (holds|breaks)(?: ([A-Z_]+))?$/;

function readModel(file) {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const name = basename(file, '.pml');
  const head = text.slice(0, text.indexOf('*/'));
  const cases = [];
  for (const line of head.split('\n')) {
    const match = CASE.exec(line);
    if (match === null) continue;
    const [, kind, flags, verb, property] = match;
    cases.push({
      model: name,
      kind,
      name: flags,
      flags: flags === '-' ? [] : flags.split('+').map((flag) => `-D${flag}`),
      breaks: verb === 'breaks' ? property : null,
      cycles: property === 'ALWAYS_ENDS',
    });
  }
  return { name, text, head, cases, complaints: complaintsAbout(name, text, head, cases) };
}

/** A property without a mutant proves little, and a mutant that is not in the head is not run. */
function complaintsAbout(name, text, head, cases) {
  const complaints = [];
  const flags = new Set(cases.flatMap((each) => each.flags.map((flag) => flag.slice(2))));
  for (const [, property] of head.matchAll(/^ \* {3}([A-Z_]+) {2,}/gm)) {
    if (!cases.some((each) => each.breaks === property)) {
      complaints.push(`${name}: no mutant breaks ${property}`);
    }
  }
  const body = text.slice(head.length);
  const conditions = [...body.matchAll(/^#(?:ifdef|ifndef|if|elif)\s+(.*)$/gm)].map(([, it]) => it);
  const tested = new Set(conditions.flatMap((it) => it.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []));
  const known = new Set([...flags].map((flag) => flag.split('=')[0]));
  for (const flag of tested) {
    if (!known.has(flag)) complaints.push(`${name}: ${flag} is in no line of the head`);
  }
  for (const flag of known) {
    if (!tested.has(flag)) complaints.push(`${name}: ${flag} changes nothing`);
  }
  return complaints;
}

const children = new Set();

function execute(command, args, cwd, timeout = TIME_LIMIT_MS) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, timeout, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      output += data;
    });
    child.on('error', (error) => {
      output += error.message;
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ ok: code === 0, output, signal });
    });
  });
}

async function search(job, folder) {
  const defines = [...job.flags];
  // Only the property that the mutant is said to break is left standing.
  if (job.breaks !== null && !job.cycles) defines.push(`-DONLY=${job.breaks}`);
  const source = join(FOLDER, `${job.model}.pml`);
  const generated = await execute('spin', ['-a', ...defines, source], folder);
  if (!generated.ok || /Error/.test(generated.output)) {
    return { verdict: `spin refuses it: ${generated.output.trim()}`, ok: false };
  }
  const compiled = await execute(
    'gcc',
    [...COMPILED[job.kind], job.cycles ? '-DNP' : '-DSAFETY', '-w', '-o', 'pan', 'pan.c'],
    folder,
  );
  if (!compiled.ok) return { verdict: `gcc refuses it: ${compiled.output.trim()}`, ok: false };

  const args = [`-m${DEPTH_LIMIT}`];
  if (job.cycles) args.push('-l');
  // Processes left standing are what NOBODY_WAITS and its like speak of, with a name.
  if (job.breaks !== null) args.push('-E');
  const started = performance.now();
  const ran = await execute('./pan', args, folder, job.kind === 'full' ? 0 : TIME_LIMIT_MS);
  const seconds = (performance.now() - started) / 1000;
  const result = { seconds, ...judge(job, ran) };
  const trail = existsSync(join(folder, `${job.model}.pml.trail`));
  if (trail && (!result.ok || options.trail)) {
    const replay = await execute(
      'spin',
      ['-t', '-p', '-g', ...defines, '-k', `${job.model}.pml.trail`, source],
      folder,
    );
    result.trail = replay.output.trimEnd().split('\n').slice(-TRAIL_LINES).join('\n');
  }
  return result;
}

function judge(job, { output, signal }) {
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? Number.NaN);
  const megabytes = Number(/([\d.]+)\s+total actual memory usage/.exec(output)?.[1] ?? Number.NaN);
  const found = /^pan:\d+: (.*)$/m.exec(output)?.[1] ?? null;
  const whole =
    /errors: 0/.test(output) && !/Search not completed|max search depth too small/.test(output);
  const result = { states, megabytes, unreached: unreached(output) };
  if (signal !== null) return { ...result, ok: false, verdict: `ended by ${signal}` };
  if (job.breaks === null) {
    if (whole) return { ...result, ok: true, verdict: 'holds' };
    return { ...result, ok: false, verdict: `UNEXPECTED: ${found ?? 'search not completed'}` };
  }
  const expected = job.cycles ? /^non-progress cycle/ : /^assertion violated/;
  if (found !== null && expected.test(found)) {
    return { ...result, ok: true, verdict: 'fails, as it must' };
  }
  return { ...result, ok: false, verdict: `UNEXPECTED: ${found ?? 'holds'}` };
}

/** Statements that no execution came to, except the ends of processes that have none. */
function unreached(output) {
  const lines = [];
  let proctype = '';
  for (const line of output.split('\n')) {
    proctype = /^unreached in (.*)$/.exec(line)?.[1] ?? proctype;
    const match = /^\t\S*?([\w.]+:\d+), state \d+, "(.*)"$/.exec(line);
    if (match !== null && match[2] !== '-end-') lines.push(`${proctype} ${match[1]} ${match[2]}`);
  }
  return lines;
}

/** What the design itself never does in any of its searches is not shown to be right. */
function neverExecuted(jobs) {
  const searches = jobs.filter((job) => job.kind === 'model' && !job.cycles && job.result.ok);
  if (searches.length === 0) return [];
  const [first, ...others] = searches.map((job) => new Set(job.result.unreached));
  return [...first].filter((line) => others.every((other) => other.has(line)));
}

function row(cells) {
  const [model, kind, name, expected, states, seconds, verdict] = cells;
  return [
    model.padEnd(9),
    kind.padEnd(8),
    name.padEnd(31),
    expected.padEnd(18),
    states.padStart(9),
    seconds.padStart(7),
    ` ${verdict}`,
  ].join(' ');
}

function report(job) {
  const { states, seconds, verdict, trail } = job.result;
  const property = job.breaks ?? (job.cycles ? 'ALWAYS_ENDS' : 'all');
  console.log(
    row([
      job.model,
      job.kind,
      job.name,
      property,
      Number.isNaN(states ?? Number.NaN) ? '' : String(states),
      seconds === undefined ? '' : seconds.toFixed(2),
      verdict,
    ]),
  );
  if (trail !== undefined) console.log(`${trail}\n`);
}

function missingTool() {
  for (const [tool, probe, remedy] of [
    ['spin', '-V', 'spin'],
    ['gcc', '--version', 'gcc'],
  ]) {
    if (spawnSync(tool, [probe], { stdio: 'ignore' }).error !== undefined) {
      return `${tool} is not installed (apt-get install ${remedy})`;
    }
  }
  return null;
}

function chosen(job) {
  if (job.kind === 'full' && !options.full) return false;
  if (options.only === undefined) return true;
  return options.only
    .split(',')
    .some((it) => it === job.model || it === `${job.model}:${job.name}`);
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    full: { type: 'boolean', default: false },
    trail: { type: 'boolean', default: false },
  },
});

const missing = missingTool();
if (missing !== null) {
  console.log(`models left out: ${missing}`);
  process.exit(0);
}

const models = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.pml'))
  .sort()
  .map(readModel)
  .filter((model) => model.cases.length > 0);
const jobs = models.flatMap((model) => model.cases).filter(chosen);
if (jobs.length === 0) {
  console.error(`no model or mutant is called ${options.only}`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), 'onecopy-models-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(1);
  });
}

const started = performance.now();
console.log(row(['model', 'kind', 'flags', 'property', 'states', 'seconds', 'verdict']));

// The long searches start first; the rows come in the order of the heads.
const order = ['full', 'model', 'variant', 'mutant'];
const waiting = jobs.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
let printed = 0;
await Promise.all(
  Array.from({ length: JOBS }, async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const folder = mkdtempSync(join(scratch, `${job.model}-`));
      job.result = await search(job, folder);
      rmSync(folder, { recursive: true, force: true });
      while (jobs[printed]?.result !== undefined) report(jobs[printed++]);
    }
  }),
);

const complaints = models.flatMap((model) => {
  const own = jobs.filter((job) => job.model === model.name);
  if (own.length === 0) return [];
  const dead = options.only?.includes(':') ? [] : neverExecuted(own);
  return [...model.complaints, ...dead.map((line) => `${model.name}: never executed: ${line}`)];
});
for (const complaint of complaints) console.log(complaint);

const failed = jobs.filter((job) => !job.result.ok).length + complaints.length;
const passed = jobs.filter((job) => job.result.ok).length;
const peak = Math.max(...jobs.map((job) => job.result.megabytes || 0));
const wall = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${wall} s on ${JOBS} cores, largest search ${Math.round(peak)} MB`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
