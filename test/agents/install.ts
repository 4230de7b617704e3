import { CODEX } from '../../runner/src/backends/agent-executable.ts';
import { installCodex } from '../helpers/agents-install.ts';

/** Installs the agents before the tests; where one cannot be had its tests skip. */
export async function setup(): Promise<void> {
  process.stdout.write(`looking for ${CODEX.package}@${CODEX.version} (some 400 MB where it is not there yet)\n`);
  const codex = await installCodex();
  process.stdout.write('missing' in codex ? `skipped: ${codex.missing}\n` : `found ${codex.program}\n`);
}
