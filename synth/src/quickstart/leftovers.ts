import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fence } from '@agentrun/lib/processes';
import { clientError } from '../client/client-error.ts';
import { runProgram } from './program.ts';

const FENCE_MS = 10_000;
/** How PostgreSQL is asked to end, and for how long: first with everything written, then at once. */
const STOPS = [
  ['SIGINT', 8000],
  ['SIGQUIT', 4000],
] as const;
const LOOK_MS = 25;

/**
 * Ends what a manager that was killed left running for its data folder: runners with their agents, and PostgreSQL.
 * Nobody may hold the lock of the folder.
 *
 * @throws ClientError `processes-left`
 */
export async function endLeftovers(dataDir: string): Promise<void> {
  const left: string[] = [];
  for (const attemptId of await readdir(join(dataDir, 'attempts')).catch(() => [])) {
    const end = await fence(attemptId, { deadlineMs: FENCE_MS }).catch(() => null);
    if (end?.gone === false) left.push(...end.survivors.map(({ pid, command }) => `${pid} (${command})`));
  }
  const postgres = await endPostgres(dataDir);
  if (postgres !== null) left.push(`${postgres} (postgres)`);
  if (left.length > 0) throw clientError('processes-left', `processes of ${dataDir} are left: ${left.join(', ')}`);
}

/** The process id of a server that did not end; null for none. */
async function endPostgres(dataDir: string): Promise<number | null> {
  const home = join(dataDir, 'postgres');
  const elsewhere = await readlink(join(home, 'elsewhere')).catch(() => null);
  const cluster = join(elsewhere ?? home, 'cluster');
  for (const [signal, ms] of STOPS) {
    const pid = await serverOf(cluster);
    if (pid === null) return null;
    process.kill(pid, signal);
    for (const begun = performance.now(); performance.now() - begun < ms; await delay(LOOK_MS)) {
      if ((await serverOf(cluster)) === null) return null;
    }
  }
  return await serverOf(cluster);
}

/** The process id may have been given to another process since: a server stands in its cluster. */
async function serverOf(cluster: string): Promise<number | null> {
  const pid = Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n', 1)[0]);
  if (!Number.isSafeInteger(pid) || pid < 2) return null;
  if (process.platform === 'linux') {
    const [name, folder, own] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      realpath(cluster).catch(() => null),
    ]);
    return name.trim() === 'postgres' && folder === own ? pid : null;
  }
  const { stdout } = await runProgram(['/bin/ps', '-o', 'comm=', '-p', String(pid)], { cwd: '/', env: {} });
  return /(?:^|\/)postgres$/.test(stdout.trim()) ? pid : null;
}
