import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What a running server says of itself in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  /** Null while the server has not come so far. */
  readonly port: number | null;
  readonly status: 'starting' | 'stopping' | 'ready';
}

/** The file in the cluster that a server keeps while it runs. */
export const postmasterFile = (cluster: string): string => join(cluster, 'postmaster.pid');

/** Reads `postmaster.pid`; null when there is none, or no process id in it. It says nothing of whether that runs. */
export async function readPostmaster(cluster: string): Promise<Postmaster | null> {
  const text = await readFile(postmasterFile(cluster), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid < 1) return null;
  const port = Number(lines[3]);
  const status = lines[7]?.trim();
  return {
    pid,
    port: Number.isSafeInteger(port) && port > 0 ? port : null,
    status: status === 'ready' || status === 'standby' ? 'ready' : status === 'stopping' ? 'stopping' : 'starting',
  };
}

/**
 * Whether the process is a server of this cluster: the id alone may have been given to another process since. A
 * server stands in its cluster; where the system does not tell that, its name decides.
 */
export async function servesCluster(pid: number, cluster: string): Promise<boolean> {
  if (!exists(pid)) return false;
  if (process.platform === 'linux') {
    const [name, directory, own] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      realpath(cluster).catch(() => null),
    ]);
    return name.trim() === 'postgres' && directory === own;
  }
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'comm=', '-p', String(pid)], (error, stdout) =>
      resolve(error === null && basename(stdout.trim()) === 'postgres'),
    );
  });
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
