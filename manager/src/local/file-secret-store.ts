import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../config/start-error.ts';
import type { SecretStore } from './secret-store.ts';

/** Names of files that are being written; no key begins so. */
const UNFINISHED = '.new-';

/**
 * The file of a secret: `<dataDir>/secrets/<namespace>/<name>/<key>`.
 *
 * @throws StartError `secret-name-invalid`.
 */
export function secretFile(dataDir: string, namespace: string, name: string, key: string): string {
  return join(folderOf(dataDir, namespace, name), checkedKey(key));
}

/** Secrets as files with mode 0600 in folders with mode 0700, below `<dataDir>/secrets`. */
export function fileSecretStore(dataDir: string): SecretStore {
  const file = (namespace: string, name: string, key: string) => secretFile(dataDir, namespace, name, key);
  return {
    read: async (...place) => readSecret(file(...place)),
    write: async (namespace, name, key, value) =>
      withFile(file(namespace, name, key), value, (fresh, target) => rename(fresh, target)),
    writeOnce: async (namespace, name, key, value) => {
      const target = file(namespace, name, key);
      const kept = await readSecret(target);
      if (kept !== null) return kept;
      await withFile(target, value, (fresh) => link(fresh, target).catch(unless('EEXIST')));
      return (await readSecret(target)) ?? value;
    },
    remove: async (...place) => rm(file(...place), { force: true }),
    keys: async (namespace, name) => {
      const names = await readdir(folderOf(dataDir, namespace, name)).catch(unless('ENOENT'));
      return (names ?? []).filter((key) => !key.startsWith(UNFINISHED)).sort();
    },
  };
}

/** A new secret: 32 random bytes, as base64url. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

async function readSecret(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return null;
    throw new StartError('secret-unreadable', `The secret ${file} cannot be read: ${String(code ?? cause)}.`, {
      cause,
    });
  }
}

/** Writes a new file beside the target, which `place` then puts there. */
async function withFile(
  target: string,
  value: string,
  place: (fresh: string, target: string) => Promise<unknown>,
): Promise<void> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = join(folder, `${UNFINISHED}${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(value);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(fresh, target);
  } finally {
    await rm(fresh, { force: true });
  }
}

function folderOf(dataDir: string, namespace: string, name: string): string {
  const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const named = (what: string, value: string, allowed: RegExp) => {
    if (value.length > 253 || !allowed.test(value)) throw invalid(what, value);
    return value;
  };
  return join(
    dataDir,
    'secrets',
    named('namespace of a secret', namespace, label),
    named('name of a secret', name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/),
  );
}

function checkedKey(key: string): string {
  const allowed = /^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..');
  if (!allowed || key.startsWith(UNFINISHED)) throw invalid('key of a secret', key);
  return key;
}

const invalid = (what: string, value: string) =>
  new StartError('secret-name-invalid', `${JSON.stringify(value.slice(0, 80))} cannot be the ${what}.`);

const unless =
  (code: string) =>
  (error: unknown): null => {
    if (error instanceof Error && 'code' in error && error.code === code) return null;
    throw error;
  };
