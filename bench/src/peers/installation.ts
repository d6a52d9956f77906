import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { OptionError } from '../arguments.ts';
import type { Children } from './children.ts';

/** A compiler and a launcher that belong together, on this system or in a root of their own. */
export interface Pair {
  /** As the user has named it; undefined: by what it says of itself. */
  readonly name?: string;
  readonly mpicc: string;
  readonly mpirun: string;
  /** A folder that is a system of its own, entered with chroot. */
  readonly root?: string;
}

export interface Installation extends Pair {
  /** `openmpi-6.0` where nobody has named it. */
  readonly name: string;
  readonly kind: 'openmpi' | 'mpich' | 'other';
  readonly major: number;
  /** In full, for people. */
  readonly version: string;
}

/** Where there are several, Debian gives each names of its own. */
const NAMES: readonly (readonly [string, string])[] = [
  ['mpicc.openmpi', 'mpirun.openmpi'],
  ['mpicc.mpich', 'mpirun.mpich'],
];
const USUAL_NAMES = ['mpicc', 'mpirun'] as const;

/** Where bench/peers/install.sh puts those that the system does not have. */
const USUAL_ROOT = '/opt/onecopy-peers';

const PATH_IN_ROOT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A launcher says its version at once, or is not one. */
const VERSION_MS = 20_000;

/** `name=mpicc,mpirun[,root]`, as after `--mpi`. */
export function parsePair(text: string): Pair {
  const [, name, list] = /^([^=,]+)=(.+)$/.exec(text) ?? [];
  const [mpicc, mpirun, root, ...more] = list?.split(',') ?? [];
  if (!name || !mpicc || !mpirun || root === '' || more.length > 0) {
    throw new OptionError(`--mpi is name=mpicc,mpirun or name=mpicc,mpirun,root, not "${text}"`);
  }
  return { name, mpicc, mpirun, ...(root !== undefined && { root }) };
}

/** The folder with further installations, if there is one and we may enter it. */
export function findRoot(env: NodeJS.ProcessEnv): string | undefined {
  const root = env.ONECOPY_PEERS || USUAL_ROOT;
  return existsSync(join(root, 'usr')) && process.geteuid?.() === 0 ? root : undefined;
}

/** Those on the system, and those in the root. */
export function findPairs(root: string | undefined): Pair[] {
  const within = (folder: string | undefined): Pair[] => {
    const found = NAMES.filter((names) => names.every((name) => isProgram(name, folder)));
    const usual = USUAL_NAMES.every((name) => isProgram(name, folder)) ? [USUAL_NAMES] : [];
    // The usual names are one of the others then.
    return (found.length > 0 ? found : usual).map(([mpicc, mpirun]) => ({
      mpicc,
      mpirun,
      ...(folder !== undefined && { root: folder }),
    }));
  };
  return [...within(undefined), ...(root === undefined ? [] : within(root))];
}

/** Throws an OptionError when one of the two programs is missing: it was asked for by name, or it is broken. */
export async function inspect(pair: Pair, children: Children): Promise<Installation> {
  const { mpicc, mpirun, root } = pair;
  for (const program of [mpicc, mpirun]) {
    if (!isProgram(program, root)) {
      const where = root === undefined ? 'on this system' : `in ${root}`;
      const named = pair.name === undefined ? '' : ` (--mpi ${pair.name}=…)`;
      throw new OptionError(`there is no program ${program} ${where}${named}`);
    }
  }
  const said = await children.run(commandIn(root, [mpirun, '--version']), {
    timeoutMs: VERSION_MS,
  });
  const { kind, version, major, minor } = recognise(said);
  const name = pair.name ?? (kind === 'other' ? mpirun : `${kind}-${major}.${minor}`);
  return { ...pair, name, kind, version, major };
}

/** What `mpirun --version` says. */
export function recognise(
  said: string,
): Pick<Installation, 'kind' | 'version' | 'major'> & { minor: number } {
  const kind = /Open MPI|OpenRTE/.test(said) ? 'openmpi' : /HYDRA/.test(said) ? 'mpich' : 'other';
  const [number, major = '0', minor = '0'] = /(\d+)\.(\d+)(?:\.\w+)*/.exec(said) ?? [];
  const title = { openmpi: 'Open MPI', mpich: 'MPICH', other: said.split('\n', 1)[0]!.trim() }[
    kind
  ];
  const version = kind === 'other' || number === undefined ? title : `${title} ${number}`;
  return { kind, version, major: Number(major), minor: Number(minor) };
}

/** The command as it is to be started from outside the root. */
export function commandIn(root: string | undefined, command: readonly string[]): string[] {
  if (root === undefined) return [...command];
  return [programFile('chroot'), root, 'env', 'HOME=/root', `PATH=${PATH_IN_ROOT}`, ...command];
}

export function isProgram(name: string, root?: string): boolean {
  return findProgram(name, root) !== undefined;
}

/** An ordinary user's PATH lacks the folders of chroot. */
function programFile(name: string): string {
  return findProgram(name) ?? join('/usr/sbin', name);
}

function findProgram(name: string, root?: string): string | undefined {
  const path = root === undefined ? (process.env.PATH ?? '') : PATH_IN_ROOT;
  const folders = isAbsolute(name) ? [''] : path.split(delimiter);
  return folders
    .map((folder) => join(root ?? '', folder, name))
    .find((file) => {
      try {
        // A link in a root may lead nowhere when it is followed from outside.
        if (root === undefined) accessSync(file, constants.X_OK);
        else lstatSync(file);
        return true;
      } catch {
        return false;
      }
    });
}
