import { configDefaults, defineConfig } from 'vitest/config';
import { conditions } from './helpers/conditions.ts';
import { LONG_TESTS } from './long-tests.ts';

/** `AGENTRUN_TESTS=long` runs the long tests alone; otherwise they are left out. */
const onlyLong = process.env['AGENTRUN_TESTS'] === 'long';

const project = (
  name: string,
  folders: string[],
  include: string[],
  testTimeout: number,
  globalSetup: string[] = [],
) => ({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  // Global setups run in an environment of their own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    name,
    include: onlyLong ? LONG_TESTS.filter((path) => folders.some((folder) => path.startsWith(`${folder}/`))) : include,
    exclude: onlyLong ? configDefaults.exclude : [...configDefaults.exclude, ...LONG_TESTS],
    testTimeout: onlyLong ? 600_000 : testTimeout,
    hookTimeout: 120_000,
    // A loaded machine is slow, and that is no fault.
    expect: { poll: { timeout: 20_000 } },
    globalSetup,
  },
});
const POSTGRES = [`${import.meta.dirname}/helpers/postgres-server.ts`];

export default defineConfig({
  root: import.meta.dirname,
  test: {
    // One for each core: most tests wait for processes that they start.
    maxWorkers: '100%',
    projects: [
      project('lib', ['lib'], ['lib/**/*.test.ts'], 60_000),
      project('manager', ['manager'], ['manager/**/*.test.ts'], 60_000, POSTGRES),
      project('runner', ['runner', 'conformance'], ['{runner,conformance}/**/*.test.ts'], 60_000, POSTGRES),
      project(
        'synth',
        ['synth/commands', 'synth/report'],
        ['synth/*.test.ts', 'synth/{commands,report}/**/*.test.ts'],
        120_000,
      ),
      project(
        'client',
        ['synth/client', 'synth/quickstart'],
        ['synth/{client,quickstart}/**/*.test.ts'],
        120_000,
        POSTGRES,
      ),
      project('house', ['templates', 'docs'], ['*.test.ts', '{templates,docs}/**/*.test.ts'], 300_000),
    ],
  },
});
