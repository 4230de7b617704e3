import { defineConfig } from 'vitest/config';
import { conditions } from '../helpers/conditions.ts';

/** Tests with real agents, against a scripted model: `npm run test:agents`. They install what they need, once. */
export default defineConfig({
  root: `${import.meta.dirname}/..`,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  // Global setups run in an environment of their own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: ['agents/**/*.test.ts', 'conformance/**/*.test.ts'],
    globalSetup: ['agents/install.ts', 'helpers/postgres-server.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A loaded machine is slow, and that is no fault.
    expect: { poll: { timeout: 20_000 } },
    // Agents are large; two at a time are enough for a small machine.
    maxWorkers: 2,
  },
});
