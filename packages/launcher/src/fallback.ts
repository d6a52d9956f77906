/**
 * Loaded into a rank by `--import`, before its program: gives it the launcher's own copy of onecopy where Node finds
 * none. The query of this module's URL says where that copy is.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';

type Resolve = (request: string, ...rest: unknown[]) => string;

/** What the oldest Node we support does not have, nor its types. */
interface SynchronousHooks {
  registerHooks?(hooks: { resolve: typeof resolveOrFallBack }): void;
}

interface Resolved {
  url: string;
  format?: string | null | undefined;
  shortCircuit?: boolean | undefined;
}

const library = new URL(import.meta.url).searchParams.get('library') ?? '';

// For import: Node 22.15 and 23.5 have hooks in the same thread; before, they need one of their own.
const { registerHooks } = module as SynchronousHooks;
if (registerHooks !== undefined) {
  registerHooks({ resolve: resolveOrFallBack });
} else {
  module.register(new URL('./fallback-hooks.js', import.meta.url), { data: { library } });
}

// For require(), which those hooks do not reach in every version.
const commonjs = module as unknown as { _resolveFilename: Resolve };
const resolve = commonjs._resolveFilename;
commonjs._resolveFilename = (request, ...rest) => {
  try {
    return resolve(request, ...rest);
  } catch (error) {
    if (!isMissing(request, error)) throw error;
    return fileURLToPath(library);
  }
};

function resolveOrFallBack(
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => Resolved,
): Resolved {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!isMissing(specifier, error)) throw error;
    return { url: library, format: 'module', shortCircuit: true };
  }
}

function isMissing(specifier: string, error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    specifier === 'onecopy' && (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
  );
}
