import { defineConfig } from 'vitest/config';
import { conditions } from '../helpers/conditions.ts';

/** Processes that die, stand still or do not stop; takes minutes. `npm test` has a short form of it. */
export default defineConfig({
  root: `${import.meta.dirname}/..`,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  // Global setups run in an environment of their own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: ['chaos/*.test.ts'],
    globalSetup: ['helpers/postgres-server.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    // A loaded machine is slow, and that is no fault.
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
  },
});
