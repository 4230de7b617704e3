import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { BackendFailure } from './backend-failure.ts';

/** An agent as npm has it, at the version that AgentRun is tested with. */
export interface AgentPackage {
  readonly package: string;
  readonly version: string;
  readonly program: string;
}

export const CODEX: AgentPackage = { package: '@openai/codex', version: '0.169.0', program: 'codex' };

/** The line that installs an agent. */
function installLine({ package: name, version }: AgentPackage): string {
  return `npm install --global ${name}@${version}`;
}

/**
 * The absolute path of a program: a path as it is, a name by PATH.
 *
 * @param agent the agent that it should be, whose install line the failure then holds
 * @throws BackendFailure `profile-invalid`
 */
export async function findExecutable(program: string, path: string, agent?: AgentPackage): Promise<string> {
  const places = program.includes('/') ? [program] : path.split(delimiter).map((folder) => join(folder, program));
  for (const place of places) if (isAbsolute(place) && (await isExecutable(place))) return place;
  const where = program.includes('/') ? '' : ' on the PATH of the runner';
  const hint =
    agent === undefined
      ? 'Name a program that is there, by its absolute path or by a name on PATH'
      : `Install it where the runner runs: ${installLine(agent)}`;
  throw new BackendFailure('profile-invalid', `there is no program ${JSON.stringify(program)}${where}. ${hint}`);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
