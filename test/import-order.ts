import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

/** From the top down: a module imports only from below itself. */
const order = ['onecopy', 'bench', 'launcher', 'runtime', 'mpi', 'native', 'algorithms', 'engine'];

/** What these may import at all, for they are pure TypeScript. */
const pure: Record<string, readonly string[]> = { engine: [], algorithms: ['engine'] };

/** The names by which Node, V8, libuv and node-addon-api are included. */
const nodeHeader =
  /^(node|node_api\w*|js_native_api\w*|napi(-inl.*)?|uv|v8(-.*)?)\.h$|^(node|uv)\//;

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Reads all sources and manifests of a workspace; says who imports what is not below. */
export function findViolations(root: string): { files: number; violations: string[] } {
  const typescript = packageFolders(root).map((folder) => checkPackage(root, folder));
  const all = [...typescript, checkNative(root)];
  return {
    files: all.reduce((sum, { files }) => sum + files, 0),
    violations: all.flatMap(({ violations }) => violations),
  };
}

function packageFolders(root: string): string[] {
  const inPackages = existsSync(join(root, 'packages')) ? readdirSync(join(root, 'packages')) : [];
  return ['native', ...inPackages.map((name) => join('packages', name)), 'bench'].filter((folder) =>
    existsSync(join(root, folder, 'package.json')),
  );
}

function checkPackage(root: string, folder: string): { files: number; violations: string[] } {
  const manifestFile = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(join(root, manifestFile), 'utf8')) as Manifest;
  const name = shortName(manifest.name);
  if (!order.includes(name)) {
    return { files: 0, violations: [`${manifestFile}: ${name} has no place in the import order`] };
  }
  const dependencies = [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
  ];
  const violations = dependencies.flatMap((dependency) => {
    const problem = problemWith(name, dependency, 'depends on');
    return problem ? [`${manifestFile}: ${problem}`] : [];
  });

  const files = listFiles(root, join(folder, 'src'), /\.(ts|mts|cts|js|mjs|cjs)$/);
  for (const file of files) {
    for (const specifier of importsOf(readFileSync(join(root, file), 'utf8'))) {
      const problem = problemWithImport(folder, name, dependencies, file, specifier);
      if (problem) violations.push(`${file}: ${problem}`);
    }
  }
  return { files: files.length, violations };
}

function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}

function problemWithImport(
  folder: string,
  name: string,
  dependencies: string[],
  file: string,
  specifier: string,
): string | undefined {
  if (specifier.startsWith('.')) {
    const target = relative(join(folder, 'src'), join(dirname(file), specifier));
    return target.startsWith('..')
      ? `${specifier} leaves the package: import it by its name`
      : undefined;
  }
  const problem = problemWith(name, specifier, 'imports');
  if (problem || specifier.startsWith('node:')) return problem;
  const dependency = packageOf(specifier);
  return dependencies.includes(dependency)
    ? undefined
    : `${dependency} is not among the dependencies of ${name}`;
}

function problemWith(name: string, imported: string, verb: string): string | undefined {
  const target = shortName(packageOf(imported));
  const allowed = pure[name];
  if (allowed && !allowed.includes(target)) {
    const what = allowed.length === 0 ? 'nothing' : `only ${allowed.join(', ')}`;
    return `${name} imports ${what}, but it ${verb} ${imported}`;
  }
  if (name !== 'native' && name !== 'mpi' && /^node-gyp-build|\.node$/.test(imported)) {
    return `only native loads a .node file, but it ${verb} ${imported}`;
  }
  if (!isOurs(imported)) return undefined;
  if (!order.includes(target)) return `${imported} has no place in the import order`;
  if (order.indexOf(target) > order.indexOf(name)) return undefined;
  return target === name
    ? `${name} imports itself by its name`
    : `${name} may not import ${packageOf(imported)}, which stands above it`;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function isOurs(specifier: string): boolean {
  return specifier.startsWith('@onecopy/') || packageOf(specifier) === 'onecopy';
}

function shortName(packageName: string): string {
  return packageName.replace(/^@onecopy\//, '');
}

function checkNative(root: string): { files: number; violations: string[] } {
  const violations: string[] = [];
  let count = 0;
  for (const part of ['core', 'addon', 'test', 'fuzz']) {
    const files = listFiles(root, join('native', part), /\.(cc|h|inc)$/);
    count += files.length;
    for (const file of files) {
      for (const include of includesOf(readFileSync(join(root, file), 'utf8'))) {
        const problem = problemWithInclude(part, file, include);
        if (problem) violations.push(`${file}: ${problem}`);
      }
    }
  }
  return { files: count, violations };
}

function includesOf(source: string): { path: string; quoted: boolean }[] {
  return [...source.matchAll(/^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]/gm)].map((match) => ({
    path: match[2] ?? '',
    quoted: match[1] === '"',
  }));
}

function problemWithInclude(
  part: string,
  file: string,
  { path, quoted }: { path: string; quoted: boolean },
): string | undefined {
  if (part === 'addon') return undefined;
  if (nodeHeader.test(path)) return `${path} is for native/addon only`;
  if (!quoted) return undefined;
  // Either from native/ ("core/ring/ring.h") or from the file's own folder ("ring.h", "../ring/ring.h").
  const beside = relative('native', normalize(join(dirname(file), path)));
  const own = path.startsWith('.') || !path.includes('/');
  const target = (own ? beside : normalize(path)).split('/')[0] ?? '';
  const allowed = part === 'core' ? ['core'] : ['core', part];
  return allowed.includes(target) || (own && !target.startsWith('..') && target === part)
    ? undefined
    : `${part} may not include ${path}`;
}

function listFiles(root: string, folder: string, wanted: RegExp): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
