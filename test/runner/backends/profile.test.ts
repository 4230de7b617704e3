import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  PROFILE_CONFIG,
  PROFILE_CREDENTIAL,
  PROFILE_DATA,
  PROFILE_FILE,
  SHIPPED_PROFILES,
} from '@agentrun/lib/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codexFiles } from '../../../runner/src/backends/codex/config.ts';
import { parseProfile, readProfile } from '../../../runner/src/profile.ts';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const KEY = 'the-value-of-the-key';

describe('the profiles that AgentRun ships', () => {
  it('are those of the contract, and fit its schema', () => {
    expect(Object.keys(PROFILE_DATA)).toEqual([...SHIPPED_PROFILES]);
    const valid = ajv.compile(PROFILE_FILE);
    for (const [name, { config, credential }] of Object.entries(PROFILE_DATA)) {
      expect(valid({ name, config, credential: { kind: credential } }), JSON.stringify(valid.errors)).toBe(true);
    }
  });

  it.each(['codex', 'deepseek', 'minimax-m3'] as const)('%s makes settings of codex', (name) => {
    const { config } = PROFILE_DATA[name];
    const files = codexFiles({ name, config, credential: { kind: 'api-key', value: KEY } }, '/state/codex');
    expect(files['config.toml']).toContain(`base_url = "${config.baseUrl}"`);
    expect(files['config.toml']).toContain('unbounded_connection_retries = false');
    expect(JSON.stringify(files)).not.toContain(KEY);
  });

  it('make a model known that codex does not know', () => {
    const { config } = PROFILE_DATA.deepseek;
    const files = codexFiles({ name: 'deepseek', config, credential: { kind: 'none' } }, '/state/codex');
    expect(files['config.toml']).toContain('model_catalog_json = "/state/codex/models.json"');
    expect(JSON.parse(files['models.json'] ?? '')).toMatchObject({
      models: [{ slug: 'deepseek-flash', context_window: 1_048_576, apply_patch_tool_type: 'freeform' }],
    });
  });
});

describe('the schema of a profile', () => {
  const config = ajv.compile(PROFILE_CONFIG);
  const credential = ajv.compile(PROFILE_CREDENTIAL);

  it.each([
    { backend: 'codex', baseUrl: 'http://user:password@host/v1' },
    { backend: 'codex', model: 'two words' },
    { backend: 'command', command: 'a shell line' },
    { backend: 'command', command: [] },
    { backend: 'unheard-of' },
    { backend: 'codex', key: KEY },
    {},
  ])('refuses %j', (value) => {
    expect(config(value)).toBe(false);
  });

  it('takes a key only as what a header can hold, and no value without a kind', () => {
    expect(credential({ kind: 'api-key', value: KEY })).toBe(true);
    expect(credential({ kind: 'none' })).toBe(true);
    for (const wrong of [{ kind: 'api-key' }, { kind: 'api-key', value: 'a\nb' }, { kind: 'none', value: KEY }, {}]) {
      expect(credential(wrong)).toBe(false);
    }
  });
});

describe('the profile of an attempt', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentrun-profile-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const put = (value: unknown): void => writeFileSync(join(folder, 'profile.json'), JSON.stringify(value));
  const codex = { name: 'codex', config: { backend: 'codex' }, credential: { kind: 'api-key' } };

  it('is read with its key', async () => {
    put(codex);
    mkdirSync(join(folder, 'credential'));
    writeFileSync(join(folder, 'credential', 'api-key'), `${KEY}\n`);
    expect(await readProfile(folder)).toEqual({ ...codex, credential: { kind: 'api-key', value: KEY } });
  });

  it('without a file is a fault of the profile', async () => {
    await expect(readProfile(folder)).rejects.toMatchObject({ failureKind: 'profile-invalid' });
    writeFileSync(join(folder, 'profile.json'), '{');
    await expect(readProfile(folder)).rejects.toMatchObject({ failureKind: 'profile-invalid' });
    put(codex);
    await expect(readProfile(folder)).rejects.toMatchObject({ failureKind: 'profile-invalid' });
  });

  it('without a key that it needs says so', () => {
    expect(() => parseProfile(codex)).toThrow(expect.objectContaining({ failureKind: 'provider-auth-failed' }));
  });

  it.each([
    [null, 'not an object'],
    [{ config: {} }, 'no name'],
    [{ name: 'p', config: [] }, 'config of profile p'],
    [{ name: 'p', config: { backend: 'gpt' } }, '"gpt"'],
    [{ name: 'p', config: { backend: 'command', command: 'rm -rf /' } }, '"command"'],
    [{ name: 'p', config: { backend: 'codex', env: { AGENTRUN_ATTEMPT_ID: 'x' } } }, 'AGENTRUN_ATTEMPT_ID'],
    [{ name: 'p', config: { backend: 'codex', env: { 'A=B': 'x' } } }, 'A=B'],
    [{ name: 'p', config: { backend: 'codex', env: { A: 1 } } }, 'variable A'],
    [{ name: 'p', config: { backend: 'codex' }, credential: { kind: 'oauth' } }, 'api-key, none'],
  ])('that no backend can use is refused: %j', (value, said) => {
    expect(() => parseProfile(value)).toThrow(
      expect.objectContaining({ failureKind: 'profile-invalid', message: expect.stringContaining(said) }),
    );
  });
});
