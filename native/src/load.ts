import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { MpiError } from '@onecopy/engine';

import type { Binding } from './binding.ts';

// Both src/ and dist/ lie beside build/ and prebuilds/.
const PACKAGE_ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

const PROTOCOL_VERSION = 3;

let loaded: Binding | undefined;

/**
 * Loads the addon, once. Throws `ERR_NATIVE` with what to do when there is none for this machine.
 */
export function loadBinding(): Binding {
  loaded ??= load();
  return loaded;
}

function load(): Binding {
  const require = createRequire(import.meta.url);
  let binding: Binding;
  try {
    const nodeGypBuild = require('node-gyp-build') as (directory: string) => Binding;
    binding = nodeGypBuild(PACKAGE_ROOT);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new MpiError(
      'ERR_NATIVE',
      `the native part of onecopy cannot be loaded for ${process.platform}-${process.arch}, Node ${process.version}: ${reason}. ` +
        'In a clone, run `npm run build`',
      { cause },
    );
  }
  if (binding.protocolVersion !== PROTOCOL_VERSION) {
    throw new MpiError(
      'ERR_NATIVE',
      `the native part of onecopy speaks protocol ${binding.protocolVersion}, the rest ${PROTOCOL_VERSION}: ` +
        'build again, or install one version',
    );
  }
  // A copy, since V8 keeps the properties of an addon's exports in a hash table: to find a function there takes longer
  // than to call it.
  return { ...binding };
}
