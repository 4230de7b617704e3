import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ATTEMPT_ENVIRONMENT, ATTEMPT_FILES, type AttemptFile } from '@agentrun/lib/contract';
import { checkAttemptFile } from './attempt-file.ts';
import { BackendFailure } from './backends/backend-failure.ts';
import { TOOL_CREDENTIAL_FILES } from './bundle/git-credential.ts';
import { EXIT, RunnerExit } from './exit-code.ts';
import { type Profile, readProfile, SHIPPED_AGENTS } from './profile.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** All that a runner is told from outside; nothing is read from the environment after it. Holds secrets. */
export interface RunnerConfig {
  readonly attempt: AttemptFile;
  readonly token: string;
  /** Or why it cannot be used: every turn then fails by it. */
  readonly profile: Profile | BackendFailure;
  /** The attempt folder; the files of credentials are read from it again when they are needed. */
  readonly attemptDir: string;
  /** Values that must show nowhere: the token, and all that the credential folder holds. */
  readonly secrets: readonly string[];
  /** The variables around the runner; agents get an allow-list of them. */
  readonly environment: Environment;
  /** The folder of the agents that AgentRun ships. */
  readonly agents: string;
}

/** What in the credential folder is no secret. */
const PUBLIC = [TOOL_CREDENTIAL_FILES.knownHosts, TOOL_CREDENTIAL_FILES.username];

/**
 * Reads the attempt folder that the environment names, and removes the token from it.
 *
 * @throws RunnerExit `usage`, with the name of what is missing or wrong
 */
export async function readConfig(env: Environment = process.env): Promise<RunnerConfig> {
  const attemptDir = env[ATTEMPT_ENVIRONMENT.dir] ?? '';
  if (attemptDir === '') usage(`${ATTEMPT_ENVIRONMENT.dir} is not set; it names the folder of the attempt to run`);
  const attempt = await readAttempt(attemptDir);
  const marked = env[ATTEMPT_ENVIRONMENT.id];
  if (marked !== attempt.attemptId) {
    // By that mark the manager finds and ends what an attempt started.
    usage(
      `${ATTEMPT_ENVIRONMENT.id} is ${JSON.stringify(marked ?? '')}, but the folder is of attempt ${attempt.attemptId}`,
    );
  }
  const tokenFile = join(attemptDir, ATTEMPT_FILES.token);
  const token = (await readText(tokenFile)).trim();
  if (!/^[!-~]+$/.test(token)) usage(`${tokenFile} holds no token`);
  const profile = await readProfile(attemptDir).catch((error: unknown) => {
    if (error instanceof BackendFailure) return error;
    throw error;
  });
  const secrets = [token, ...(await credentialValues(join(attemptDir, ATTEMPT_FILES.credential)))];
  // A mounted Secret cannot be removed; there the folder is nobody else's.
  await rm(tokenFile, { force: true }).catch(() => {});
  return { attempt, token, profile, attemptDir, secrets, environment: env, agents: agentsFolder() };
}

async function readAttempt(attemptDir: string): Promise<AttemptFile> {
  const path = join(attemptDir, ATTEMPT_FILES.attempt);
  let value: unknown;
  try {
    value = JSON.parse(await readText(path));
  } catch (error) {
    if (error instanceof RunnerExit) throw error;
    usage(`${path} is not JSON`);
  }
  const checked = checkAttemptFile(value);
  return 'attempt' in checked ? checked.attempt : usage(`${path}: ${checked.fault}`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return usage(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

/** Each file whole, and each long line of one: a key may be shown in part. */
async function credentialValues(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const values: string[] = [];
  for (const name of names.filter((name) => !PUBLIC.some((end) => name.endsWith(end)))) {
    // A mounted Secret has folders and links beside its files.
    const text = (await readFile(join(folder, name), 'utf8').catch(() => '')).trim();
    values.push(
      text,
      ...text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line.length >= 24 && !line.startsWith('-----')),
    );
  }
  return [...new Set(values)].filter((value) => value !== '');
}

/** In a bundle they lie beside it. */
function agentsFolder(): string {
  const beside = fileURLToPath(new URL('./agents', import.meta.url));
  return existsSync(beside) ? beside : SHIPPED_AGENTS;
}

function usage(message: string): never {
  throw new RunnerExit(EXIT.usage, message);
}
