import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How a client on this machine finds the manager: what `client.json` of the data folder says. */
export interface ClientFile {
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The file with the API key; mode 0600. */
  readonly apiKeyFile: string;
}

/**
 * Writes `<dataDir>/client.json`, with mode 0600, when the manager listens.
 *
 * @returns removes the file again, unless another manager has written its own since; for a clean end.
 */
export async function writeClientFile(dataDir: string, client: ClientFile): Promise<() => Promise<void>> {
  const file = join(dataDir, 'client.json');
  const text = `${JSON.stringify({ url: client.url, apiKeyFile: client.apiKeyFile }, null, 2)}\n`;
  const fresh = `${file}.${process.pid}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, text, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
  return async () => {
    if ((await readFile(file, 'utf8').catch(() => null)) === text) await rm(file, { force: true });
  };
}
