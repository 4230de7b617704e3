import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTEMPT_FILES, type AttemptFile, CREDENTIAL_NAME_PATTERN } from '@agentrun/lib/contract';
import { isAttemptId } from './attempt-id.ts';
import { type HostHandle, readHostHandle } from './handle.ts';
import type { AttemptStart } from './placement.ts';
import { PlacementError } from './placement-error.ts';

/** stdout and stderr of the runner. */
export const LOG_FILE = 'runner.log';
const RECORD_FILE = 'process.json';

/** `process.json`: which process was started for the attempt. */
export interface ProcessRecord {
  readonly formatVersion: 1;
  readonly handle: HostHandle;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** The folders of attempts below one folder: everything in them is the owner's alone. */
export class AttemptFolders {
  readonly #root: string;

  /** @param root absolute path of the folder `attempts` of the data folder; made when it is missing. */
  constructor(root: string) {
    this.#root = root;
  }

  path(attemptId: string, ...names: readonly string[]): string {
    return join(this.#root, attemptId, ...names);
  }

  /**
   * Writes what the runner reads, each file at once or not at all, the token last. A log that is there is kept.
   *
   * @throws PlacementError `attempt-invalid`, `disk-full`, `out-of-resources`, `folder-failed`.
   */
  async write({ attempt, token, profile, credential }: AttemptStart): Promise<void> {
    const file = (...names: readonly string[]) => this.path(attempt.attemptId, ...names);
    const names = Object.keys(credential);
    const wrong = names.find((name) => !new RegExp(CREDENTIAL_NAME_PATTERN).test(name));
    if (wrong !== undefined) {
      throw new PlacementError('attempt-invalid', `${JSON.stringify(wrong)} cannot be the name of a credential file`);
    }
    const content: AttemptFile = { ...attempt, placement: 'host-process', logFile: file(LOG_FILE) };
    await this.#guard(`write the folder of attempt ${attempt.attemptId}`, async () => {
      await mkdir(file(), { recursive: true, mode: 0o700 });
      await chmod(file(), 0o700);
      await this.forget(attempt.attemptId);
      await rm(file(RECORD_FILE), { force: true });
      if (names.length > 0) await mkdir(file(ATTEMPT_FILES.credential), { mode: 0o700 });
      for (const [name, value] of Object.entries(credential)) await put(file(ATTEMPT_FILES.credential, name), value);
      await put(file(ATTEMPT_FILES.profile), `${JSON.stringify(profile, null, 2)}\n`);
      await put(file(ATTEMPT_FILES.attempt), `${JSON.stringify(content, null, 2)}\n`);
      await put(file(ATTEMPT_FILES.token), token);
    });
  }

  /** Removes the secrets of an attempt that has ended, or is to be started again. */
  async forget(attemptId: string): Promise<void> {
    await rm(this.path(attemptId, ATTEMPT_FILES.token), { force: true });
    await rm(this.path(attemptId, ATTEMPT_FILES.credential), { recursive: true, force: true });
  }

  async record(record: ProcessRecord): Promise<void> {
    const { handle } = record;
    await this.#guard(`record the process of attempt ${handle.attemptId}`, () =>
      put(this.path(handle.attemptId, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`),
    );
  }

  /** Null when the start was cut short before it was recorded, or the record is none. */
  async readRecord(attemptId: string): Promise<ProcessRecord | null> {
    try {
      const record = JSON.parse(await readFile(this.path(attemptId, RECORD_FILE), 'utf8')) as ProcessRecord;
      const handle = readHostHandle(record.handle);
      return handle.attemptId === attemptId ? { ...record, handle } : null;
    } catch {
      return null;
    }
  }

  /** The ids of all attempts that have a folder, sorted. */
  async list(): Promise<string[]> {
    return this.#guard('read the folder of the attempts', async () => {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
      const entries = await readdir(this.#root, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && isAttemptId(entry.name))
        .map(({ name }) => name)
        .sort();
    });
  }

  async remove(attemptId: string): Promise<void> {
    await this.#guard(`remove the folder of attempt ${attemptId}`, () =>
      rm(this.path(attemptId), { recursive: true, force: true }),
    );
  }

  async #guard<T>(what: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      throw folderError(what, cause);
    }
  }
}

/** A failed file operation as an error of the placement. */
export function folderError(what: string, cause: unknown): PlacementError {
  if (cause instanceof PlacementError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const message = `could not ${what}: ${code}`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new PlacementError('disk-full', message, { cause });
  if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(code)) return new PlacementError('out-of-resources', message, { cause });
  return new PlacementError('folder-failed', message, { cause });
}

async function put(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, data, { flag: 'wx', mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
