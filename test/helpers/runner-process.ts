import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptFile, ProfileConfig } from '@agentrun/lib/contract';
import { killAllWith } from './living-processes.ts';
import type { ManagerClient } from './manager-client.ts';
import { REPOSITORY } from './repository-root.ts';

/** The agent of these tests: it does what its prompt names in double brackets. */
const SCRIPTED_AGENT = join(REPOSITORY, 'test', 'fixtures', 'agents', 'scripted-agent.mjs');

let bundle: string | undefined;

/** The runner as it is shipped, built once for a test file. */
export function runnerBundle(): string {
  if (bundle === undefined) {
    bundle = mkdtempSync(join(tmpdir(), 'agentrun-runner-'));
    const script = join(REPOSITORY, 'runner', 'scripts', 'bundle.mjs');
    execFileSync(process.execPath, [script, '--outdir', bundle], { stdio: 'pipe' });
  }
  return bundle;
}

export interface RunnerSetup {
  /** Where the runner finds its manager. */
  readonly managerUrl: string;
  readonly runId: string;
  readonly attemptId: string;
  readonly runnerId: string;
  readonly token: string;
  readonly attempt?: Partial<AttemptFile>;
  readonly profile?: Partial<ProfileConfig>;
  /** Files of the credential folder. */
  readonly credential?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of a session; default: new ones, removed at the end. */
  readonly root?: string;
  /** Arguments of Node before the runner. */
  readonly nodeArgs?: readonly string[];
}

export interface RunnerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The process of a runner, as a placement starts it. */
export class RunnerProcess {
  readonly attemptId: string;
  readonly attemptDir: string;
  readonly workspace: string;
  readonly child: ChildProcess;
  readonly ended: Promise<RunnerEnd>;
  readonly #root: string;
  readonly #ownsRoot: boolean;
  #log = '';

  constructor(setup: RunnerSetup) {
    const { attemptId, runId, runnerId, managerUrl, token, credential = {}, profile, env, nodeArgs = [] } = setup;
    this.attemptId = attemptId;
    this.#root = setup.root ?? mkdtempSync(join(tmpdir(), 'agentrun-attempt-'));
    this.#ownsRoot = setup.root === undefined;
    this.attemptDir = join(this.#root, attemptId);
    this.workspace = join(this.#root, 'workspace');
    mkdirSync(join(this.attemptDir, 'credential'), { recursive: true });
    const attempt: AttemptFile = {
      formatVersion: 1,
      attemptId,
      runId,
      managerUrl,
      runnerId,
      placement: 'host-process',
      backendProfile: 'command',
      leaseMs: 3000,
      heartbeatMs: 500,
      idleTimeoutMs: 500,
      cancel: { deliveryMode: 'push', gracefulAbortMs: 1000, killEscalationMs: 2000, staleHeartbeatFencingMs: 3000 },
      retry: { maxAttempts: 3, initialBackoffMs: 10, maxBackoffMs: 50 },
      workspace: { dir: this.workspace },
      home: { dir: join(this.#root, 'home') },
      state: { dir: join(this.#root, 'state') },
      session: null,
      sourceCommit: 'c'.repeat(40),
      logFile: join(this.attemptDir, 'runner.log'),
      ...setup.attempt,
    };
    const config: ProfileConfig = { backend: 'command', command: ['{node}', SCRIPTED_AGENT], ...profile };
    const kind = 'api-key' in credential ? 'api-key' : 'none';
    const put = (name: string, content: string): void =>
      writeFileSync(join(this.attemptDir, name), content, { mode: 0o600 });
    for (const [name, value] of Object.entries(credential)) put(join('credential', name), value);
    put('profile.json', JSON.stringify({ name: 'command', config, credential: { kind } }));
    put('attempt.json', JSON.stringify(attempt));
    put('token', token);
    this.child = spawn(process.execPath, [...nodeArgs, join(runnerBundle(), 'main.js')], {
      cwd: this.attemptDir,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.#root,
        AGENTRUN_ATTEMPT_DIR: this.attemptDir,
        AGENTRUN_ATTEMPT_ID: attemptId,
        ...env,
      },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** What it wrote so far. */
  get log(): string {
    return this.#log;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends all that is left of it, and removes its folders. */
  async remove(): Promise<void> {
    killAllWith(`AGENTRUN_ATTEMPT_ID=${this.attemptId}`);
    await this.ended;
    if (this.#ownsRoot) rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** An attempt of a run that nobody places: its token is told to whoever registers with the API key. */
export async function externalAttempt(
  client: ManagerClient,
  runId: string,
): Promise<Pick<RunnerSetup, 'runId' | 'attemptId' | 'runnerId' | 'token'>> {
  const { id, attemptId, token } = await client.ask<{ id: string; attemptId: string; token: string }>(
    'POST',
    'runners/register',
    { runId },
  );
  return { runId, attemptId, runnerId: id, token };
}
