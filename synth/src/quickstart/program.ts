import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessExit, spawnGroup } from '@agentrun/lib/processes';
import { clientError } from '../client/client-error.ts';

/**
 * The executable of another package of AgentRun: installed beside this one, or in the same repository.
 *
 * @throws ClientError `program-missing`
 */
export function installedProgram(name: 'manager' | 'runner'): string {
  const bin = join('bin', `agentrun-${name}.js`);
  const here = dirname(fileURLToPath(import.meta.url));
  for (const folder of [...installed(name), ...parents(here).map((parent) => join(parent, name))]) {
    if (existsSync(join(folder, bin)) && existsSync(join(folder, 'dist', 'main.js'))) return join(folder, bin);
  }
  throw clientError('program-missing', `the program agentrun-${name} is not installed, or not compiled`);
}

function installed(name: string): string[] {
  try {
    return [dirname(createRequire(import.meta.url).resolve(`@agentrun/${name}/package.json`))];
  } catch {
    return [];
  }
}

/** The folders above one, the next first. */
function parents(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [parent, ...parents(parent)];
}

/** What a program wrote, and how it ended. */
interface Ended extends ProcessExit {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @throws ClientError `program-missing` when it cannot be started
 */
export async function runProgram(
  argv: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const group = await spawnGroup(argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (!group.started) {
    throw clientError('program-missing', `${argv[0]} cannot be started: ${group.message}`, `Install ${argv[0]}.`);
  }
  const [stdout, stderr, exit] = await Promise.all([text(group.stdout), text(group.stderr), group.closed]);
  return { ...exit, stdout, stderr };
}

async function text(stream: AsyncIterable<unknown> | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const PASSED =
  /^(?:PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|USER|LOGNAME|GIT_CONFIG_GLOBAL|NODE_EXTRA_CA_CERTS|(?:https?|no)_proxy|(?:HTTPS?|NO)_PROXY|OTEL_EXPORTER_OTLP_ENDPOINT|AGENTRUN_RUNNER_COMMAND)$/;

/**
 * What the programs that are started see of the environment. A DATABASE_URL and the keys of other things stay away: the
 * quickstart uses nothing that is not its own.
 */
export function passedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined && PASSED.test(pair[0])),
  );
}
