import { defineConfig } from 'vitest/config';
import { conditions } from './helpers/conditions.ts';

const project = (name: string, include: string[], testTimeout = 20_000, globalSetup: string[] = []) => ({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  // Global setups run in an environment of their own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: { name, include, testTimeout, hookTimeout: 120_000, globalSetup },
});
const POSTGRES = [`${import.meta.dirname}/helpers/postgres-server.ts`];

export default defineConfig({
  root: import.meta.dirname,
  test: {
    // One for each core: most tests wait for processes that they start.
    maxWorkers: '100%',
    projects: [
      project('lib', ['lib/**/*.test.ts']),
      project('manager', ['manager/**/*.test.ts'], 60_000, POSTGRES),
      project('runner', ['runner/**/*.test.ts', 'conformance/**/*.test.ts'], 60_000, POSTGRES),
      project('synth', ['synth/*.test.ts', 'synth/{commands,report}/**/*.test.ts'], 120_000),
      project('client', ['synth/{client,quickstart}/**/*.test.ts'], 120_000, POSTGRES),
      project('house', ['*.test.ts', 'templates/**/*.test.ts', 'docs/**/*.test.ts'], 300_000),
    ],
  },
});
