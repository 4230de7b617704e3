import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { clientError } from './client/client-error.ts';
import { EXIT, exitOf } from './client/exit-code.ts';
import { dataFolder, managerAddress } from './client/manager-address.ts';
import { ManagerApi } from './client/manager-api.ts';
import type { Command, Run } from './client/records.ts';
import { ShownRun } from './client/shown-run.ts';
import { waitForCommand } from './client/wait-for-command.ts';
import { resetDataFolder, takeDataFolder } from './quickstart/data-folder.ts';
import { Interrupted, Interrupts } from './quickstart/interrupts.ts';
import { publishToBranch, readBackEnvironment, renderForBranch, verifyBranch } from './quickstart/lane-on-branch.ts';
import { laneSource } from './quickstart/lane-source.ts';
import { endLeftovers } from './quickstart/leftovers.ts';
import { how, type StartedManager, startManager } from './quickstart/manager-process.ts';
import { nextSteps } from './quickstart/next-steps.ts';
import { assertKey, givenKey, type ProfileOptions, setProfile } from './quickstart/profile-settings.ts';
import { passedEnvironment } from './quickstart/program.ts';
import { Steps } from './quickstart/steps.ts';
import type { Terminal } from './terminal.ts';

export interface QuickstartOptions extends ProfileOptions {
  readonly lane: string;
  readonly lanesDir: string;
  readonly prompt: string;
  readonly dataDir?: string;
  readonly port?: number;
  /** End after the turn. */
  readonly exit?: boolean;
  /** Remove the data first. */
  readonly reset?: boolean;
}

const RECONNECT_MS = 20_000;

/**
 * From a lane to a running agent, on this machine: renders the lane, publishes it to a bare repository, verifies it, starts
 * PostgreSQL and the manager with the environment that stands on the branch, opens a session, sends a turn and shows it.
 * Then it stays until Ctrl-C, which ends all that it started.
 *
 * @returns the exit code: that of the turn with `--exit`, 130 when it was broken off before the turn was over
 * @throws ClientError, AgentRunError
 */
export async function quickstart(options: QuickstartOptions, terminal: Terminal): Promise<number> {
  const path = dataFolder(options.dataDir, terminal);
  const steps = new Steps(terminal);
  if (options.reset === true) {
    const removed = await resetDataFolder(path);
    steps.say(removed ? `reset     removed ${path}` : `reset     there was no data in ${path}`);
  }
  const key = await givenKey(options, terminal);
  const interrupts = new Interrupts(terminal, (count) => terminal.stderr.write(`${STOPPING[count] ?? STOPPING[3]}\n`));
  try {
    return await started(options, path, key, { terminal, steps, interrupts });
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    throw error;
  } finally {
    interrupts.close();
  }
}

const STOPPING: Readonly<Record<number, string>> = {
  1: '\nstopping: the agent is interrupted, PostgreSQL ends last; Ctrl-C again ends all at once',
  2: 'stopping at once',
  3: 'killing the manager',
};

interface Surroundings {
  readonly terminal: Terminal;
  readonly steps: Steps;
  readonly interrupts: Interrupts;
}

async function started(
  options: QuickstartOptions,
  path: string,
  key: string | null,
  { terminal, steps, interrupts }: Surroundings,
): Promise<number> {
  const { signal } = interrupts;
  const folder = await takeDataFolder(path);
  steps.say(`data      ${path}${folder.isKnown ? ', from an earlier start' : ''}`);
  if (!folder.isKnown) assertKey(options, key);
  const env = { ...passedEnvironment(terminal.env), LC_ALL: 'C' };
  const cwd = terminal.cwd();

  const work = await steps.do('render', 'rendering the lane', async () => {
    const source = await laneSource(
      { folder: resolve(cwd, options.lanesDir), lane: options.lane, cwd },
      folder.lanes,
      env,
    );
    const rendered = await renderForBranch(source);
    const { files, filesDigest } = rendered.rendered;
    const notes = source.copied === null ? [] : [`from a copy, since ${source.copied}`];
    return [`${source.shown}: ${files.length} files, ${short(filesDigest)}`, rendered, ...notes];
  });
  signal.throwIfAborted();
  const { branch } = work.rendered.lane.gitops;
  await steps.do('publish', 'publishing it', async () => {
    const { status, commit } = await publishToBranch(work, folder.remote, env);
    return [`${status}, commit ${commit?.slice(0, 12)} on branch ${branch} of ${folder.remote}`, undefined];
  });
  signal.throwIfAborted();
  await steps.do('verify', 'verifying the branch', async () => {
    const { status, filesDigest } = await verifyBranch(work, folder.remote);
    return [`${status}: the branch is what the lane renders to, ${short(filesDigest)}`, undefined];
  });
  signal.throwIfAborted();

  const manager = await steps.do('start', 'starting PostgreSQL and the manager', async () => {
    const file = await readBackEnvironment(work, folder.remote, folder.environment, env);
    const onStarted = (stop: () => void) => {
      interrupts.stops = stop;
    };
    const running = await startManager(folder, { port: options.port, env: terminal.env }, onStarted).catch(
      (error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      },
    );
    return [`PostgreSQL and the manager at ${running.url}, with ${file} of the branch`, running];
  });
  let exit: number | undefined;
  try {
    signal.throwIfAborted();
    const turn = await firstTurn(manager, options, key, { terminal, steps, interrupts }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
    exit = turn.exit;
    if (options.exit !== true) {
      const facts = { ...turn, url: manager.url, branch, profile: options.profile };
      const named = options.dataDir ?? terminal.env['AGENTRUN_DATA_DIR'];
      for (const line of nextSteps(folder, facts, named)) steps.say(line);
      await stay(manager, path, steps, signal);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    await steps.do('end', 'stopping', () => ended(manager, path, interrupts));
  }
  return exit ?? EXIT.interrupted;
}

/** Opens a session, sends the text, and shows what comes of it. */
async function firstTurn(
  manager: StartedManager,
  options: QuickstartOptions,
  key: string | null,
  { terminal, steps, interrupts: { signal } }: Surroundings,
): Promise<{ readonly exit: number; readonly sessionId: string }> {
  const find = () => managerAddress({ url: manager.url, apiKeyFile: manager.apiKeyFile }, terminal);
  const api = new ManagerApi(await find(), find);
  const { profile, prompt } = options;
  const sessionId = await steps.do('session', 'opening a session', async () => {
    const said = await setProfile(api, options, key);
    const { session } = await api.ask<{ session: { sessionId: string } }>('POST', 'sessions', {
      key: randomUUID(),
      body: { tenantId: 'default', projectId: 'quickstart', backendProfile: profile },
    });
    return [`${session.sessionId}, ${['profile', profile, ...said].join(' ')}`, session.sessionId];
  });
  const { run, command } = await steps.do('turn', 'sending a turn', async () => {
    const path = `sessions/${sessionId}/send`;
    const sent = await api.ask<{ run: Run; command: Command }>('POST', path, { key: randomUUID(), body: { prompt } });
    return [`${sent.command.id} of ${sent.run.id}`, sent];
  });
  steps.say('');
  const shown = new ShownRun(terminal, {});
  try {
    const outcome = await waitForCommand(
      api,
      { runId: run.id, commandId: command.id, afterSeq: 0 },
      {
        signal,
        reconnectMs: RECONNECT_MS,
        onEvent: (event) => shown.event(event),
        onConnection: (state, reason) =>
          shown.tell(state === 'lost' ? `(the manager is away: ${reason})` : '(it is back)'),
      },
    );
    shown.end();
    steps.say('');
    return { exit: exitOf(outcome.terminalStatus), sessionId };
  } finally {
    shown.end();
  }
}

/** Until Ctrl-C; a manager that ends by itself is a failure. */
async function stay(manager: StartedManager, path: string, steps: Steps, signal: AbortSignal): Promise<void> {
  steps.say(`\nCtrl-C ends everything. The data stays in ${path}; --reset removes it.`);
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (signal.aborted) return;
  const exit = await Promise.race([manager.exited, stopped]);
  if (exit !== undefined && !signal.aborted) throw clientError('start-failed', `the manager ended with ${how(exit)}`);
}

/** Ends the manager, unless somebody did, and makes sure that nothing of it is left. */
async function ended(
  manager: StartedManager,
  path: string,
  interrupts: Interrupts,
): Promise<readonly [string, undefined]> {
  if (interrupts.count === 0) manager.stop();
  const exit = await manager.exited;
  // One that came to its own end in its own time has ended all that it started.
  if (exit.code !== 0 || interrupts.count > 1) await endLeftovers(path);
  return [`everything has ended${exit.code === 0 ? '' : ` (the manager with ${how(exit)})`}`, undefined];
}

const short = (digest: string): string => digest.slice(0, 'sha256:'.length + 12);
