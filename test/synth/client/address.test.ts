import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentrun } from './agentrun.ts';

/** Who asked for what, at a server that answers as a manager without runs. */
const requests: IncomingMessage[] = [];
let server: Server;
let url: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    response.end(JSON.stringify({ ok: true, data: { items: [], count: 0, cursor: null }, traceId: 'trc_0' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'agentrun-address-'));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  requests.length = 0;
});

/** A data folder with a manager in it, and its key. */
function dataFolder(name: string, key: string, address = url): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'key'), `${key}\n`);
  writeFileSync(join(path, 'client.json'), JSON.stringify({ url: address, apiKeyFile: join(path, 'key') }));
  return path;
}

const runs = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  agentrun(['runs', ...args], { cwd: folder, env });
const sentKey = () => requests.at(-1)?.headers.authorization;

describe('the manager', () => {
  it('is found by the data folder: the given one, that of the environment, the usual ones', async () => {
    const state = join(folder, 'state');
    dataFolder('given', 'key-1');
    dataFolder('named', 'key-2');
    dataFolder('state/agentrun', 'key-3');
    dataFolder('home/.local/state/agentrun', 'key-4');
    const all = { AGENTRUN_DATA_DIR: join(folder, 'named'), XDG_STATE_HOME: state, HOME: join(folder, 'home') };
    await runs(['--data-dir', 'given'], all);
    expect(sentKey()).toBe('Bearer key-1');
    await runs([], all);
    expect(sentKey()).toBe('Bearer key-2');
    await runs([], { ...all, AGENTRUN_DATA_DIR: '' });
    expect(sentKey()).toBe('Bearer key-3');
    await runs([], { HOME: all.HOME, XDG_STATE_HOME: 'relative' });
    expect(sentKey()).toBe('Bearer key-4');
  });

  it('is the one that is named before that of the folder', async () => {
    const data = dataFolder('elsewhere', 'key', 'http://127.0.0.1:1');
    const env = { AGENTRUN_DATA_DIR: data, AGENTRUN_URL: 'http://127.0.0.1:2', AGENTRUN_API_KEY: 'k' };
    expect((await runs(['--url', `${url}/`], env)).code).toBe(0);
    expect((await runs([], { ...env, AGENTRUN_URL: url })).code).toBe(0);
    expect((await runs([], env)).code).toBe(5);
    expect(requests.map(({ url: path }) => path)).toEqual(Array(2).fill('/api/v1/runs?limit=50'));
  });

  it('is said to be missing where nothing tells of one', async () => {
    const { code, stderr } = await runs([], { HOME: join(folder, 'nobody') });
    expect(code).toBe(5);
    expect(stderr).toContain('error[manager-unknown]');
    expect((await runs([], {})).code).toBe(5);
  });
});

describe('the key', () => {
  it('comes from the option, then from the environment, then from the folder', async () => {
    const data = dataFolder('keys', 'of-folder');
    writeFileSync(join(folder, 'option.key'), 'of-option\n');
    writeFileSync(join(folder, 'named.key'), 'of-file\n');
    const env = { AGENTRUN_DATA_DIR: data, AGENTRUN_API_KEY_FILE: 'named.key', AGENTRUN_API_KEY: 'of-variable' };
    await runs(['--api-key-file', 'option.key'], env);
    expect(sentKey()).toBe('Bearer of-option');
    await runs([], env);
    expect(sentKey()).toBe('Bearer of-variable');
    await runs([], { ...env, AGENTRUN_API_KEY: '' });
    expect(sentKey()).toBe('Bearer of-file');
    await runs([], { AGENTRUN_DATA_DIR: data });
    expect(sentKey()).toBe('Bearer of-folder');
  });

  it('of the folder is sent to no other address', async () => {
    const data = dataFolder('other', 'of-folder', 'http://127.0.0.1:1');
    const { code, stderr } = await runs(['--url', url], { AGENTRUN_DATA_DIR: data });
    expect(code).toBe(2);
    expect(stderr).toContain('error[api-key-missing]');
    expect(requests).toHaveLength(0);
  });

  it('is not followed to where a server sends it', async () => {
    const elsewhere = createServer((_request, response) => {
      response.writeHead(307, { location: `${url}/api/v1/runs` }).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    const { code } = await runs(['--url', address], { AGENTRUN_API_KEY: 'k' });
    expect(code).toBe(5);
    expect(requests).toHaveLength(0);
    elsewhere.closeAllConnections();
    await new Promise((resolve) => elsewhere.close(resolve));
  });

  it('that cannot be read is named by its file', async () => {
    const { code, stderr } = await runs(['--url', url, '--api-key-file', 'none.key'], {});
    expect(code).toBe(2);
    expect(stderr).toMatch(/error\[file-unreadable\].*none\.key.*ENOENT/);
  });
});
