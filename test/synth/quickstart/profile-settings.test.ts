import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagerApi } from '../../../synth/src/client/manager-api.ts';
import { assertKey, givenKey, setProfile } from '../../../synth/src/quickstart/profile-settings.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';

const KEY = 'sk-quickstart-0123456789abcdef0123456789';

let manager: TestManager;
let api: ManagerApi;
let scratch: string;

beforeAll(async () => {
  manager = await testManager();
  const find = () => Promise.resolve({ url: manager.url, key: manager.key });
  api = new ManagerApi(await find(), find);
  scratch = mkdtempSync(join(tmpdir(), 'agentrun-profile-'));
});
afterAll(async () => {
  await manager.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const terminal = (env: Readonly<Record<string, string>> = {}) => ({
  stdout: { write: () => true },
  stderr: { write: () => true },
  env,
  cwd: () => scratch,
});

describe('the profile of the quickstart', () => {
  it('takes the key from the file, or from the variable of its provider', async () => {
    writeFileSync(join(scratch, 'key'), `${KEY}\n`);
    expect(await givenKey({ profile: 'codex', keyFile: 'key' }, terminal())).toBe(KEY);
    expect(await givenKey({ profile: 'codex' }, terminal({ OPENAI_API_KEY: KEY }))).toBe(KEY);
    expect(await givenKey({ profile: 'deepseek' }, terminal({ OPENAI_API_KEY: KEY }))).toBe(null);
    expect(await givenKey({ profile: 'demo' }, terminal({ OPENAI_API_KEY: KEY }))).toBe(null);
    await expect(givenKey({ profile: 'codex', keyFile: 'none' }, terminal())).rejects.toMatchObject({
      code: 'file-unreadable',
    });
  });

  it('needs nothing for the demo', async () => {
    expect(await setProfile(api, { profile: 'demo' }, null)).toEqual([]);
  });

  it('says which key is missing, before anything runs', async () => {
    await expect(setProfile(api, { profile: 'codex' }, null)).rejects.toMatchObject({
      code: 'profile-key-missing',
      exitCode: 2,
      hint: expect.stringContaining('OPENAI_API_KEY'),
    });
  });

  it('says so before anything starts, where no earlier start can have given it', () => {
    expect(() => assertKey({ profile: 'codex' }, null)).toThrow('needs a key');
    for (const [profile, key] of [
      ['codex', KEY],
      ['demo', null],
      ['nobody', null],
    ] as const) {
      expect(() => assertKey({ profile }, key)).not.toThrow();
    }
    expect(() => assertKey({ profile: 'codex', baseUrl: 'http://127.0.0.1:1' }, null)).not.toThrow();
  });

  it('takes another provider without a key', async () => {
    const options = { profile: 'codex', baseUrl: 'http://127.0.0.1:8000/v1', model: 'small' };
    expect(await setProfile(api, options, null)).toEqual(['at http://127.0.0.1:8000/v1', 'with small']);
    const { config } = await manager.ask<{ config: object }>('GET', 'provider-profiles/codex/config');
    expect(config).toMatchObject({ backend: 'codex', baseUrl: options.baseUrl, model: 'small' });
  });

  it('keeps the key for the next start, and shows it to nobody', async () => {
    expect(await setProfile(api, { profile: 'deepseek' }, KEY)).toEqual(['with your key']);
    expect(await setProfile(api, { profile: 'deepseek' }, null)).toEqual([]);
    expect(JSON.stringify(await manager.ask('GET', 'provider-profiles/deepseek'))).not.toContain(KEY);
  });

  it('is named when it does not exist', async () => {
    await expect(setProfile(api, { profile: 'nobody' }, null)).rejects.toMatchObject({ code: 'not-found' });
  });
});
