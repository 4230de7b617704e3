import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { measureFolder } from './measure-folder.ts';
import type { VolumeFolders, Volumes } from './volumes.ts';
import { workspaceChanges } from './workspace-changes.ts';
import { readWorkspaceFile } from './workspace-files.ts';

const NAME = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})-g([1-9]\d{0,8})$/;

/**
 * Volumes as folders of the data folder: `sessions/<id>/g<generation>/{workspace,home,state}`, and `evicted/` for what is
 * out of use. A volume is named `<id>-g<generation>`.
 */
export function hostFolders(dataDir: string, namespace: string): Volumes {
  const sessions = join(dataDir, 'sessions');
  const evicted = join(dataDir, 'evicted');
  const placeOf = (name: string) => {
    const [, id, generation] = NAME.exec(name) ?? [];
    if (id === undefined) throw new Failure('not-found', `there is no volume "${name.slice(0, 200)}"`);
    return join(sessions, id, `g${generation}`);
  };
  const folders = (name: string): VolumeFolders => foldersIn(placeOf(name));

  return {
    create: (sessionId, generation) =>
      attempted(`the volume of session ${sessionId}`, async () => {
        const name = `${sessionId}-g${generation}`;
        await make(folders(name));
        return { name, namespace, phase: 'Bound' };
      }),
    measure: (name) =>
      attempted(`volume ${name}`, async () => {
        const place = placeOf(name);
        if (!(await exists(place))) return null;
        return { ...(await measureFolder(place)), phase: 'Bound' };
      }),
    evict: (name) =>
      attempted(`volume ${name}`, async () => {
        const place = placeOf(name);
        if (!(await exists(place))) return;
        await mkdir(evicted, { recursive: true, mode: 0o700 });
        const target = join(evicted, name);
        await rename(place, target);
        // The time of the eviction, from which it is kept.
        await utimes(target, new Date(), new Date());
        await rm(join(place, '..'), { recursive: false }).catch(() => undefined);
      }),
    list: () =>
      attempted('the volumes', async () => {
        const ids = await readdir(sessions);
        const generations = await Promise.all(ids.map(async (id) => [id, await readdir(join(sessions, id))] as const));
        return generations
          .flatMap(([id, names]) => names.map((generation) => `${id}-${generation}`))
          .filter((name) => NAME.test(name));
      }),
    purge: (ms) =>
      attempted('the evicted volumes', async () => {
        const purged: string[] = [];
        for (const name of (await exists(evicted)) ? await readdir(evicted) : []) {
          const { mtimeMs } = await stat(join(evicted, name));
          if (Date.now() - mtimeMs < ms) continue;
          await rm(join(evicted, name), { recursive: true, force: true });
          purged.push(name);
        }
        return purged;
      }),
    folders,
    changes: (name) => attempted(`volume ${name}`, () => workspaceChanges(folders(name).workspace)),
    file: (name, path) => attempted(`volume ${name}`, () => readWorkspaceFile(folders(name).workspace, path)),
    ephemeral: (runId) =>
      attempted(`the workspace of run ${runId}`, async () => {
        const made = foldersIn(join(dataDir, 'runs', runId));
        await make(made);
        return made;
      }),
  };
}

function foldersIn(place: string): VolumeFolders {
  return { workspace: join(place, 'workspace'), home: join(place, 'home'), state: join(place, 'state') };
}

async function make(folders: VolumeFolders): Promise<void> {
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** What the file system refuses is told with the object; a full disk has a name of its own. */
async function attempted<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code = 'error' } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new Failure('unavailable', `${what} cannot be used: ${isFull ? 'the disk is full' : code}`, {
      cause: error,
      details: { reason: isFull ? 'disk-full' : code },
      retryAfterMs: 5000,
    });
  }
}
