import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Finding } from './causes.ts';
import { kernelRelease } from './kernel.ts';
import type { System } from './system.ts';

/** What runs here, in which versions. */
export interface Software {
  readonly node: string;
  readonly onecopy: string | undefined;
  /** Every package of onecopy that this installation uses. */
  readonly packages: Readonly<Record<string, string>>;
  readonly kernel: string | undefined;
  /** Such as glibc 2.36 or musl. */
  readonly libc: string | undefined;
}

/** `manifest` is the URL of the package.json of `onecopy`. */
export function examineSoftware(system: System, manifest: URL): Software {
  const packages: Record<string, string> = {};
  collect(manifest, packages);
  return {
    node: process.version,
    onecopy: packages.onecopy,
    packages,
    kernel: kernelRelease(system),
    libc: libc(),
  };
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function collect(from: URL | string, packages: Record<string, string>): void {
  try {
    const { name, version, dependencies = {} } = JSON.parse(readFileSync(from, 'utf8')) as Manifest;
    packages[name] = version;
    const require = createRequire(from);
    for (const dependency of Object.keys(dependencies)) {
      if (!dependency.startsWith('@onecopy/') || dependency in packages) continue;
      collect(require.resolve(`${dependency}/package.json`), packages);
    }
  } catch {
    // A package that is not there as itself, as in a bundle, has no version to tell.
  }
}

function libc(): string | undefined {
  // Otherwise the report looks up the names of all network connections.
  Reflect.set(process.report, 'excludeNetwork', true);
  const report = process.report.getReport() as {
    header?: { glibcVersionRuntime?: string };
    sharedObjects?: string[];
  };
  const glibc = report.header?.glibcVersionRuntime;
  if (glibc !== undefined) return `glibc ${glibc}`;
  return report.sharedObjects?.some((path) => path.includes('musl')) ? 'musl' : undefined;
}

/** Packages of different versions do not understand each other's processes. */
export function softwareAdvice({ packages }: Software): Finding | undefined {
  if (new Set(Object.values(packages)).size <= 1) return undefined;
  const list = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return {
    id: 'versions',
    problem: `Packages of different versions are installed together: ${list.join(', ')}.`,
    cure: "Install one version of all of them; 'npm ls onecopy' shows who brings which.",
  };
}
