import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaneConfig } from '../../manager/src/config.ts';
import type { Times } from '../../manager/src/services/manager.ts';
import { API_KEY, laneConfig } from './lane-config.ts';
import { type ManagerClient, managerClient } from './manager-client.ts';

/** A manager in a process of its own, whose placement starts nothing. */
export interface ScriptedProcess extends ManagerClient {
  readonly pid: number;
  /** What it wrote to its log: warnings and errors. */
  readonly log: () => string;
  /** Sends it a message, and waits for the first answer that the test looks for. */
  tell<T extends object>(message: object, isAnswer: (answer: T) => boolean): Promise<T>;
  /** Attempts that it was asked to start. */
  readonly started: { attemptId: string; runId: string; runnerId: string; token: string }[];
  readonly alive: boolean;
  /** Resolves when it has ended, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface ScriptedProcessOptions {
  readonly program: string;
  readonly databaseUrl: string;
  readonly config?: Partial<LaneConfig>;
  readonly times?: Partial<Times>;
  readonly dutyRetryMs?: number;
  readonly withoutDuties?: boolean;
  /** Modules that are loaded before it. */
  readonly preload?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

let base: Promise<LaneConfig> | undefined;

/** Starts it, and waits until it serves. */
export async function startScripted(options: ScriptedProcessOptions): Promise<ScriptedProcess> {
  base ??= laneConfig();
  const { program, preload = [], env = {}, config, ...rest } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'agentrun-scripted-'));
  await mkdir(join(dataDir, 'sessions'));
  const given = {
    apiKey: API_KEY,
    config: {
      ...(await base),
      runnerPlacement: 'host-process',
      retryInitialBackoffMs: 10,
      retryMaxBackoffMs: 50,
      ...config,
    },
    dataDir,
    times: { claimMs: 60_000, graceMs: 0, tickMs: 50, leaveMs: 50 },
    dutyRetryMs: 200,
    ...rest,
  };
  const imports = preload.flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, [...imports, program, JSON.stringify(given)], {
    env: { PATH: process.env['PATH'], HOME: dataDir, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit').then(([, signal]: unknown[]) => signal as NodeJS.Signals | null);
  void ended.then(() => rm(dataDir, { recursive: true, force: true }));
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const started: ScriptedProcess['started'] = [];
  child.on('message', (message: { started?: ScriptedProcess['started'][number] }) => {
    if (message.started !== undefined) started.push(message.started);
  });
  const { url } = await answer<{ url?: string }>(
    child,
    (message) => message.url !== undefined,
    () => log,
  );
  return {
    ...managerClient(url ?? '', API_KEY),
    tell: async (message, isAnswer) => {
      const answered = answer(child, isAnswer, () => log);
      child.send(message);
      return await answered;
    },
    pid: child.pid ?? 0,
    log: () => log,
    started,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    ended,
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
}

function answer<T extends object>(child: ChildProcess, isIt: (message: T) => boolean, log: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: T) => {
      if (!isIt(message)) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message);
    };
    const onExit = () => reject(new Error(`the manager ended: ${log()}`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
