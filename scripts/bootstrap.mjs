// Brings a clone up to date: dependencies, the native addon, the compiled TypeScript. Silent when nothing changed.
// Needs Node alone; everything else is checked first, one sentence for each thing that is missing.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddon } from './native.mjs';
import { findTools, SetupError, thisMachine, tryTools } from './prerequisites.mjs';
import {
  exclusively,
  forget,
  isDone,
  keyOf,
  listFiles,
  markDone,
  packageFolders,
  root,
  runTool,
  say,
  seconds,
} from './steps.mjs';

export async function bootstrap(machine = thisMachine()) {
  const tools = findTools(machine);
  await exclusively(async () => {
    if (!dependenciesAreInstalled()) {
      // Before minutes of downloading, not after them.
      tryTools(tools, machine.env);
      await installDependencies();
    }
    await buildAddon();
    await compileTypeScript();
  });
}

function dependenciesKey() {
  const manifests = ['.', ...packageFolders()].map((folder) => join(folder, 'package.json'));
  return keyOf(['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]);
}

function dependenciesAreInstalled() {
  return (
    isDone('dependencies', dependenciesKey()) &&
    existsSync(join(root, 'node_modules/.modules.yaml'))
  );
}

async function installDependencies() {
  const start = performance.now();
  say('installing dependencies');
  forget('dependencies');
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const args = [
    '--yes',
    packageManager,
    'install',
    '--frozen-lockfile',
    // No package here needs its install script, and pnpm would take native/binding.gyp for one.
    '--ignore-scripts',
    // Nobody is there to answer when modules of another layout must go.
    '--config.confirmModulesPurge=false',
  ];
  await runTool('Installing dependencies', 'npx', args, {
    hint(output) {
      if (output.includes('ERR_PNPM_OUTDATED_LOCKFILE')) {
        return `a package.json asks for what pnpm-lock.yaml lacks: run npx ${packageManager} install --ignore-scripts`;
      }
      return /ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN/.test(output)
        ? 'the package registry could not be reached: go online and run the command again'
        : undefined;
    },
  });
  markDone('dependencies', dependenciesKey());
  say(`installed dependencies in ${seconds(start)}`);
}

async function compileTypeScript() {
  const sources = listFiles(
    packageFolders().flatMap((folder) => [`${folder}/src`, `${folder}/tsconfig.json`]),
  );
  const key = keyOf(['tsconfig.base.json', ...sources], dependenciesKey());
  const built = packageFolders().every((folder) =>
    existsSync(join(root, folder, 'dist/.tsbuildinfo')),
  );
  if (built && isDone('typescript', key)) return;

  const start = performance.now();
  say('compiling TypeScript');
  forget('typescript');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await runTool('Compiling TypeScript', process.execPath, [tsc, '-b', 'packages/onecopy']);
  markDone('typescript', key);
  say(`compiled TypeScript in ${seconds(start)}`);
}

/**
 * Runs a script's main function; a SetupError becomes one line and exit code 1.
 *
 * @param {() => Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runScript(bootstrap);
}
