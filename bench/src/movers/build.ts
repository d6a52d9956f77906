import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NATIVE = fileURLToPath(new URL('../../../native/', import.meta.url));
const SOURCES = 'bench-movers';
/** What the program takes from the engine. */
const OF_CORE = [
  'core/movers/cma.cc',
  'core/movers/cma.h',
  'core/movers/io_cursor.h',
  'core/os/clock.h',
  'core/os/fd.h',
];
const BUILDS = join(NATIVE, 'build-movers');
const FLAGS = ['-std=c++20', '-O2', '-pthread', '-I', NATIVE];
const HINT = 'on Debian or Ubuntu: sudo apt-get install g++';
const AN_HOUR_MS = 3_600_000;

/** A sentence for the user, printed alone. */
export class BuildError extends Error {
  override name = 'BuildError';
}

/**
 * The program that measures, compiled when its sources have changed: it is no part of the usual build, since hardly
 * anybody needs it. `say` is told when that happens.
 */
export async function buildProgram(
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<string> {
  if (process.platform !== 'linux') {
    throw new BuildError(`movers measures Linux's ways only, and this is ${process.platform}`);
  }
  if (!existsSync(join(NATIVE, SOURCES))) {
    throw new BuildError(
      'movers is compiled from C++ sources that are not part of the installed package: run it in a clone of onecopy',
    );
  }
  const own = readdirSync(join(NATIVE, SOURCES))
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join(SOURCES, name));
  const files = [...own, ...OF_CORE].sort();
  const program = join(BUILDS, `bench-movers-${keyOf(files, env)}`);
  if (existsSync(program)) return program;

  const compiler = findCompiler(env);
  say('compiling the program that measures, which takes some seconds once');
  mkdirSync(BUILDS, { recursive: true });
  // In a folder of its own: another process may be doing the same.
  const folder = mkdtempSync(join(BUILDS, 'building-'));
  try {
    const more = wordsOf(env.CXXFLAGS);
    const objects = files
      .filter((file) => file.endsWith('.cc'))
      .map((file) => ({ file, object: join(folder, `${basename(file, '.cc')}.o`) }));
    await inParallel(objects, ({ file, object }) =>
      run(compiler, [...FLAGS, ...more, '-c', join(NATIVE, file), '-o', object], env),
    );
    const linked = join(folder, 'program');
    await run(
      compiler,
      [
        ...FLAGS,
        ...more,
        ...objects.map(({ object }) => object),
        ...['-o', linked],
        ...wordsOf(env.LDFLAGS),
      ],
      env,
    );
    renameSync(linked, program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  removeOldOnes(program);
  return program;
}

function keyOf(files: readonly string[], env: NodeJS.ProcessEnv): string {
  const { CXX = '', CXXFLAGS = '', LDFLAGS = '' } = env;
  const hash = createHash('sha256').update(
    JSON.stringify([FLAGS, CXX, CXXFLAGS, LDFLAGS, process.arch]),
  );
  for (const file of files) {
    const content = readFileSync(join(NATIVE, file));
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** CXX may carry arguments or a wrapper: "ccache g++". */
function findCompiler(env: NodeJS.ProcessEnv): readonly string[] {
  const asked = wordsOf(env.CXX);
  if (asked[0] !== undefined) {
    if (isOnPath(asked[0], env)) return asked;
    throw new BuildError(
      `the C++ compiler that CXX names, ${asked[0]}, was not found: install it or unset CXX`,
    );
  }
  const found = ['g++', 'c++', 'clang++'].find((name) => isOnPath(name, env));
  if (found !== undefined) return [found];
  throw new BuildError(
    `movers is compiled at its first use, and no C++ compiler was found (g++, c++, clang++): install one (${HINT}), or name yours in CXX`,
  );
}

function wordsOf(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((word) => word !== '') ?? [];
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const candidates = program.includes('/')
    ? [program]
    : (env.PATH ?? '')
        .split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, program));
  return candidates.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** As many at a time as there are cores. */
async function inParallel<T>(
  things: readonly T[],
  action: (thing: T) => Promise<void>,
): Promise<void> {
  const waiting = [...things];
  const worker = async (): Promise<void> => {
    for (let thing = waiting.shift(); thing !== undefined; thing = waiting.shift()) {
      await action(thing);
    }
  };
  // All of them to their end: the folder is removed after this.
  const results = await Promise.allSettled(
    Array.from({ length: availableParallelism() }, () => worker()),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Quiet when it succeeds. */
function run(
  [program, ...before]: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const child = spawn(program!, [...before, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new BuildError(`the C++ compiler ${program} could not start: ${error.message}`)),
    );
    child.once('close', (code) => {
      if (code === 0) return resolve();
      process.stderr.write(output);
      reject(
        new BuildError(
          `the C++ compiler ${program} failed, see above; it has to know C++20, as g++ 11 or newer does: ${HINT}, or name another one in CXX`,
        ),
      );
    });
  });
}

/** Of earlier sources, and of builds that were killed. Not the latest: another process may be about to start it. */
function removeOldOnes(program: string): void {
  for (const name of readdirSync(BUILDS)) {
    const path = join(BUILDS, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (path !== program && changed < Date.now() - AN_HOUR_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
