/** The hooks of fallback.ts for a Node whose hooks run in a thread of their own (before 22.15). */
import type { InitializeHook, ResolveHook } from 'node:module';

let library = '';

export const initialize: InitializeHook<{ library: string }> = (data) => {
  library = data.library;
};

export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (specifier !== 'onecopy' || code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return { url: library, format: 'module', shortCircuit: true };
  }
};
