import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSecretStore, newSecret, secretFile } from '../../../manager/src/local/file-secret-store.ts';
import type { SecretStore } from '../../../manager/src/local/secret-store.ts';

let dataDir: string;
let store: SecretStore;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'agentrun-secrets-'));
  store = fileSecretStore(dataDir);
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('secrets in files', () => {
  it('are read as they were written, at their place, by their owner alone', async () => {
    const value = '-----BEGIN KEY-----\nünï\n';
    await store.write('agentrun-v01', 'tools', 'github.pem', value);
    expect(await store.read('agentrun-v01', 'tools', 'github.pem')).toBe(value);
    const file = join(dataDir, 'secrets', 'agentrun-v01', 'tools', 'github.pem');
    expect(secretFile(dataDir, 'agentrun-v01', 'tools', 'github.pem')).toBe(file);
    expect(readFileSync(file, 'utf8')).toBe(value);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const folder of ['secrets', 'secrets/agentrun-v01', 'secrets/agentrun-v01/tools']) {
      expect(statSync(join(dataDir, folder)).mode & 0o777).toBe(0o700);
    }
  });

  it('are not there before they are written and after they are removed', async () => {
    expect(await store.read('ns', 'name', 'key')).toBeNull();
    expect(await store.keys('ns', 'name')).toEqual([]);
    await store.write('ns', 'name', 'key', 'value');
    await store.remove('ns', 'name', 'key');
    await store.remove('ns', 'name', 'key');
    expect(await store.read('ns', 'name', 'key')).toBeNull();
  });

  it('are replaced whole, and leave no draft behind', async () => {
    const long = 'x'.repeat(100_000);
    await store.write('ns', 'name', 'key', long);
    const reads = Array.from({ length: 20 }, () => store.read('ns', 'name', 'key'));
    await Promise.all([store.write('ns', 'name', 'key', 'short'), ...reads]);
    for (const value of await Promise.all(reads)) expect([long, 'short']).toContain(value);
    expect(await readdir(join(dataDir, 'secrets', 'ns', 'name'))).toEqual(['key']);
  });

  it('are made once, by whoever comes first', async () => {
    const values = Array.from({ length: 20 }, () => newSecret());
    const seen = new Set(await Promise.all(values.map((value) => store.writeOnce('ns', 'name', 'key', value))));
    expect(seen.size).toBe(1);
    expect(values).toContain([...seen][0]);
    expect(await store.writeOnce('ns', 'name', 'key', 'later')).toBe([...seen][0]);
    expect(await readdir(join(dataDir, 'secrets', 'ns', 'name'))).toEqual(['key']);
  });

  it('are listed by their keys in the order of code units', async () => {
    for (const key of ['b', 'a', 'B', '.hidden', 'a.b_c-d']) await store.write('ns', 'name', key, 'v');
    expect(await store.keys('ns', 'name')).toEqual(['.hidden', 'B', 'a', 'a.b_c-d', 'b']);
  });

  it('that are generated are 32 random bytes', () => {
    expect(newSecret()).toMatch(/^[\w-]{43}$/);
    expect(newSecret()).not.toBe(newSecret());
  });

  it.each([
    ['..', 'name', 'key'],
    ['a/b', 'name', 'key'],
    ['', 'name', 'key'],
    ['Upper', 'name', 'key'],
    ['ns', '../other', 'key'],
    ['ns', '..', 'key'],
    ['ns', '.', 'key'],
    ['ns', 'a\0b', 'key'],
    ['ns', 'x'.repeat(254), 'key'],
    ['ns', 'name', '..'],
    ['ns', 'name', '.'],
    ['ns', 'name', '../key'],
    ['ns', 'name', 'a/b'],
    ['ns', 'name', '..a'],
    ['ns', 'name', '.new-1'],
    ['ns', 'name', ''],
    ['ns', 'name', 'x'.repeat(254)],
  ])('with the name %j/%j/%j are refused before anything is touched', async (namespace, name, key) => {
    const refused = { code: 'secret-name-invalid' };
    await expect(store.read(namespace, name, key)).rejects.toMatchObject(refused);
    await expect(store.write(namespace, name, key, 'v')).rejects.toMatchObject(refused);
    await expect(store.writeOnce(namespace, name, key, 'v')).rejects.toMatchObject(refused);
    await expect(store.remove(namespace, name, key)).rejects.toMatchObject(refused);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('that cannot be read are named, without their value', async () => {
    mkdirSync(join(dataDir, 'secrets', 'ns', 'name', 'key'), { recursive: true });
    chmodSync(join(dataDir, 'secrets'), 0o700);
    await expect(store.read('ns', 'name', 'key')).rejects.toMatchObject({
      code: 'secret-unreadable',
      message: expect.stringMatching(/secrets\/ns\/name\/key.*EISDIR/),
    });
  });
});
