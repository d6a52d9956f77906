import { defineConfig } from 'vitest/config';

// Unit tests read the sources of all packages; what a test launches runs from dist, as a user's would.
const conditions = ['onecopy-source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{test,native/test,bench/test,packages/*/test}/**/*.test.ts'],
    // Native code in a worker thread would share one process with its neighbours.
    pool: 'forks',
    // Tests start ranks, which mostly wait: two files at once take a third less time, more take longer.
    maxWorkers: 2,
    retry: 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
