import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../config/start-error.ts';
import { lockFolder } from './folder-lock.ts';

/** The folders of a data folder: database, secrets, profiles that were changed, AIPod specs, sessions, runs, attempts. */
export const DATA_FOLDERS = ['postgres', 'secrets', 'profiles', 'aipods', 'sessions', 'runs', 'attempts'] as const;

/** A data folder that this manager has to itself: a path for each of {@link DATA_FOLDERS}. */
export type DataFolder = { readonly [Name in (typeof DATA_FOLDERS)[number]]: string } & {
  /** The data folder itself, absolute. */
  readonly path: string;
  /** Gives it back; the last step of the manager's end, after PostgreSQL. */
  release(): Promise<void>;
};

/**
 * Makes a data folder and the folders in it, all with mode 0700. What is there is kept; the mode of a data folder that
 * was there is its owner's choice, the ones in it are made 0700 again.
 *
 * @throws StartError `data-folder-invalid`.
 */
export async function prepareDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const { uid } = await stat(path);
    const me = process.geteuid?.();
    if (me !== undefined && uid !== me) throw new Error(`it belongs to the user with id ${uid}, and you are ${me}`);
    for (const name of DATA_FOLDERS) {
      await mkdir(join(path, name), { recursive: true, mode: 0o700 });
      await chmod(join(path, name), 0o700);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError('data-folder-invalid', `The data folder ${path} cannot be used: ${reason}.`, { cause });
  }
}

/**
 * Opens a data folder for this process alone, and makes what is missing in it.
 *
 * @param path absolute.
 * @throws StartError `data-folder-invalid`, or `data-folder-locked` when another manager has it.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  await prepareDataFolder(path);
  const lock = await lockFolder(path);
  const folders = Object.fromEntries(DATA_FOLDERS.map((name) => [name, join(path, name)]));
  return { ...(folders as Record<(typeof DATA_FOLDERS)[number], string>), path, release: () => lock.release() };
}
