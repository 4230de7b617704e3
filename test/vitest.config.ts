import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { conditions } from './helpers/conditions.ts';
import { LONG_TESTS } from './long-tests.ts';
import { SlowFirst } from './slow-first.ts';

/** `AGENTRUN_TESTS=long` runs the long tests alone; otherwise they are left out. */
const onlyLong = process.env['AGENTRUN_TESTS'] === 'long';
/** Files that put modules in the place of others: they need modules of their own. */
const MOCKED = '**/*.mocked.test.ts';

const project = (name: string, include: string[], isLong: (path: string) => boolean, globalSetup: string[] = []) => ({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  // Global setups run in an environment of their own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    name,
    include: onlyLong ? LONG_TESTS.filter(isLong) : include,
    exclude: [
      ...configDefaults.exclude,
      ...(onlyLong ? [] : LONG_TESTS),
      ...(include.includes(MOCKED) ? [] : [MOCKED]),
    ],
    // Modules are loaded once for each worker, not for each file.
    isolate: include.includes(MOCKED),
    testTimeout: onlyLong ? 600_000 : 120_000,
    hookTimeout: 120_000,
    // A loaded machine is slow, and that is no fault.
    expect: { poll: { timeout: 20_000 } },
    globalSetup,
  },
});

/** What needs a database; few projects, since each loads and translates all modules that it uses. */
const SERVICE = ['manager/', 'runner/', 'conformance/', 'synth/client/', 'synth/quickstart/'];
const isService = (path: string): boolean => SERVICE.some((folder) => path.startsWith(folder));

export default defineConfig({
  root: import.meta.dirname,
  test: {
    // More than cores: many tests wait.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    sequence: { sequencer: SlowFirst },
    projects: [
      project(
        'render',
        ['*.test.ts', '{lib,templates,docs}/**/*.test.ts', 'synth/*.test.ts', 'synth/{commands,report}/**/*.test.ts'],
        (path) => !isService(path),
      ),
      project(
        'service',
        SERVICE.map((folder) => `${folder}**/*.test.ts`),
        isService,
        [`${import.meta.dirname}/helpers/postgres-server.ts`],
      ),
      project('mocked', [MOCKED], () => false),
    ],
  },
});
