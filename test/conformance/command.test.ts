import { join } from 'node:path';
import { BackendSetup } from './backend-setup.ts';
import { backendSuite } from './backend-suite.ts';

const AGENT = join(import.meta.dirname, '../fixtures/agents/scripted-agent.mjs');

backendSuite('command', {
  steers: false,
  prepare: () =>
    Promise.resolve({
      setup: new BackendSetup({ backend: 'command', command: ['{node}', AGENT] }),
      cleanUp: () => Promise.resolve(),
    }),
});
