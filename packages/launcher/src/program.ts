import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fallbackFor } from './resolver.ts';
import { UsageError } from './usage.ts';

/** What to execute for one rank. */
export interface Program {
  /** A path, or a name that the system looks up in PATH. */
  readonly file: string;
  /** Without argv[0]. */
  readonly args: readonly string[];
  /** What the environment must have besides our own. */
  readonly env: Readonly<Record<string, string>>;
  /** Is it TypeScript that tsx translates? */
  readonly tsx: boolean;
}

/** What the choice depends on; given by tests. */
export interface Surroundings {
  readonly cwd: string;
  readonly path: string;
  /** The Node that runs ranks. */
  readonly node: string;
  /** Does that Node run TypeScript by itself? */
  readonly stripsTypes: boolean;
  /** URL of the module that `import 'onecopy'` should give where no other is installed. */
  readonly library: string;
}

const NODE_EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];
const TYPESCRIPT_EXTENSIONS = ['.ts', '.mts', '.cts'];

/** How to run what the user named. Throws a UsageError with one sentence if it cannot be run. */
export function chooseProgram(
  name: string,
  args: readonly string[],
  surroundings: Surroundings,
): Program {
  if (NODE_EXTENSIONS.includes(extname(name))) return nodeProgram(name, args, surroundings);
  checkExecutable(name, surroundings);
  return { file: name, args, env: {}, tsx: false };
}

function nodeProgram(name: string, args: readonly string[], surroundings: Surroundings): Program {
  const script = resolve(surroundings.cwd, name);
  const stats = statOf(script);
  if (stats === undefined) throw new UsageError(`There is no file ${name} in ${surroundings.cwd}.`);
  if (stats.isDirectory()) throw new UsageError(`${name} is a folder: name the program in it.`);
  // Modules are looked up from where the file really lies.
  const real = realpathSync(script);

  const imports: string[] = [];
  const tsx = TYPESCRIPT_EXTENSIONS.includes(extname(real)) && !surroundings.stripsTypes;
  // Before tsx, so that tsx, which is asked first then, finds our answer behind its own.
  const fallback = fallbackFor(real, surroundings.library);
  if (fallback !== undefined) imports.push('--import', fallback);
  if (tsx) imports.push('--import', findTsx(name, real));
  return {
    file: surroundings.node,
    args: [...imports, script, ...args],
    // A cache in the temporary folder would be left over.
    env: tsx ? { TSX_DISABLE_CACHE: '1' } : {},
    tsx,
  };
}

/** The loader, not the tsx command: that one starts a second process, which would not have our descriptors. */
function findTsx(name: string, script: string): string {
  for (const from of [script, import.meta.url]) {
    try {
      return pathToFileURL(createRequire(from).resolve('tsx')).href;
    } catch {
      // Then it is not installed there.
    }
  }
  throw new UsageError(
    `Node ${process.versions.node} needs tsx to run ${name}: install it (npm install --save-dev tsx), or use Node 22.18 or newer.`,
  );
}

/** The system would find and execute it; but only here is there somebody who can say what is wrong with it. */
function checkExecutable(name: string, { cwd, path }: Surroundings): void {
  if (name.includes('/')) {
    const problem = problemWith(resolve(cwd, name));
    if (problem !== undefined) throw new UsageError(`${name} ${problem}.`);
    return;
  }
  // An empty entry means the current folder.
  const files = path.split(delimiter).map((folder) => resolve(cwd, folder, name));
  if (files.every((file) => problemWith(file) !== undefined)) {
    throw new UsageError(`There is no program ${name} in PATH${suggestion(name, cwd)}`);
  }
}

function suggestion(name: string, cwd: string): string {
  if (statOf(join(cwd, name))?.isFile()) return `: did you mean ./${name}?`;
  const script = NODE_EXTENSIONS.map((extension) => name + extension).find((each) =>
    statOf(join(cwd, each))?.isFile(),
  );
  return script === undefined ? '.' : `: did you mean ${script}?`;
}

/** The end of a sentence that begins with the file's name. */
function problemWith(file: string): string | undefined {
  const stats = statOf(file);
  if (stats === undefined) return 'does not exist';
  if (stats.isDirectory()) return 'is a folder: name the program in it';
  try {
    accessSync(file, constants.X_OK);
    return undefined;
  } catch {
    return 'may not be executed: make it executable (chmod +x), or name the program that runs it before it';
  }
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
