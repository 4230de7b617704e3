import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ProcessExit, spawnGroup } from '@agentrun/lib/processes';
import { clientError } from '../client/client-error.ts';
import { readClientFile } from '../client/manager-address.ts';
import type { QuickstartFolder } from './data-folder.ts';
import { endLeftovers } from './leftovers.ts';
import { installedProgram, passedEnvironment } from './program.ts';

/** A manager that was started here; it leads a session of its own, so that a Ctrl-C reaches it by us alone. */
export interface StartedManager {
  readonly url: string;
  readonly apiKeyFile: string;
  readonly pid: number;
  /** Settles when it has ended, asked or not. */
  readonly exited: Promise<ProcessExit>;
  /**
   * Asks it to end: runners are interrupted, PostgreSQL is stopped last. Asked again it hurries, and asked once more it
   * is killed.
   */
  stop(): void;
}

const READY_MS = 120_000;
const LOOK_MS = 25;
const TAIL_LINES = 12;

/**
 * Starts a manager with PostgreSQL for the data folder, and waits until it serves.
 *
 * @param onStarted told as soon as there is something to stop
 * @throws ClientError `start-failed` with what the manager said, `program-missing`
 */
export async function startManager(
  folder: QuickstartFolder,
  { port, env }: { readonly port: number | undefined; readonly env: Readonly<Record<string, string | undefined>> },
  onStarted: (stop: () => void) => void,
): Promise<StartedManager> {
  installedProgram('runner');
  const argv = [process.execPath, installedProgram('manager')];
  argv.push('--environment', folder.environment, '--data-dir', folder.path);
  if (port !== undefined) argv.push('--port', String(port));
  // Of a manager that was killed.
  await rm(join(folder.path, 'client.json'), { force: true });
  const log = openSync(folder.log, 'w', 0o600);
  const group = await spawnGroup(argv, { cwd: folder.path, env: passedEnvironment(env), stdio: ['ignore', log, log] });
  closeSync(log);
  if (!group.started) throw clientError('start-failed', `the manager cannot be started: ${group.message}`);
  let [stops, isReady] = [0, false];
  const stop = () => {
    stops += 1;
    // While it starts it knows no order of ending: one who can wait a moment lets it come to that.
    if (stops === 1 && !isReady) return;
    if (stops <= 2) group.interrupt();
    else group.kill();
  };
  onStarted(stop);
  const end: { exit?: ProcessExit } = {};
  void group.exited.then((exit) => {
    end.exit = exit;
  });
  const begun = performance.now();
  for (;;) {
    const client = await readClientFile(folder.path);
    if (client !== undefined) {
      isReady = true;
      if (stops > 0) group.interrupt();
      return { ...client, pid: group.pid, exited: group.exited, stop };
    }
    if (end.exit !== undefined) {
      await endLeftovers(folder.path);
      throw await notStarted(folder, `it ended with ${how(end.exit)}`);
    }
    if (performance.now() - begun > READY_MS) {
      group.kill();
      await group.exited;
      await endLeftovers(folder.path);
      throw await notStarted(folder, `it was not ready after ${READY_MS / 1000} s`);
    }
    await delay(LOOK_MS);
  }
}

export const how = ({ code, signal }: ProcessExit): string => signal ?? `code ${code}`;

async function notStarted(folder: QuickstartFolder, why: string) {
  const lines = (await readFile(folder.log, 'utf8').catch(() => '')).trimEnd().split('\n');
  // Its own words for people come last, and stand before what it logs.
  const at = lines.findIndex((line) => line.startsWith('error['));
  const tail = (at < 0 ? lines.slice(-TAIL_LINES) : lines.slice(at)).join('\n  ');
  return clientError('start-failed', `the manager did not start, ${why}:\n  ${tail}`, `Read ${folder.log}.`);
}
