import { it } from 'vitest';
import { CODEX } from '../../runner/src/backends/agent-executable.ts';
import { installedAgent } from '../helpers/agents-install.ts';
import { backendSuite } from './backend-suite.ts';
import { codexSetup } from './codex-setup.ts';

const program = installedAgent(CODEX);

if (program === undefined) {
  it.skip(`codex ${CODEX.version} is not installed; npm run test:agents installs it`, () => {});
} else {
  backendSuite('codex', { steers: true, prepare: () => codexSetup(program) });
}
