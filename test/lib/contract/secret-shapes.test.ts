import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  findOpaqueSecret,
  findSecret,
  findSecrets,
  maskSecrets,
  secretAssignment,
} from '../../../lib/src/contract/secret-shapes.ts';
import { BENIGN_VALUES } from '../../helpers/benign-values.ts';
import { contractLane } from '../../helpers/contract-lane.ts';
import { opaqueSecrets, plantedSecrets } from '../../helpers/planted-secrets.ts';

const PLANTED = plantedSecrets(4);
const OPAQUE = opaqueSecrets(200);
const LANE_FILE = join(import.meta.dirname, '../../../lanes/v0.1.yaml');

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [key, ...stringsOf(child)]);
}

/** What any of the finders says of a value; undefined if all let it pass. */
function alarm(value: string): string | undefined {
  return (findSecret(value) ?? findOpaqueSecret(value) ?? secretAssignment('LANE_SETTING', value))?.shape;
}

describe('known shapes', () => {
  it('are planted in more than 100 secrets of more than 25 shapes', () => {
    expect(PLANTED.length).toBeGreaterThanOrEqual(100);
    expect(new Set(PLANTED.map(({ shape }) => shape.split(' ')[0])).size).toBeGreaterThan(25);
    expect(new Set(PLANTED.map(({ secret }) => secret)).size).toBe(PLANTED.length);
  });

  const positions: Record<string, (text: string) => string> = {
    alone: (text) => text,
    'in a sentence': (text) => `The lane holds ${text} and more.`,
    'on a line of a script': (text) => `set -eu\nrun ${text}\nexit 0\n`,
    'in quotes': (text) => `value: '${text}'`,
    'behind an escaped line end': (text) => `first\\n${text}\\nlast`,
    'within JSON': (text) => JSON.stringify({ note: text }),
    'within JSON within JSON': (text) => JSON.stringify({ note: JSON.stringify({ note: text }) }),
  };
  for (const [name, place] of Object.entries(positions)) {
    it(`are found and masked ${name}`, () => {
      for (const { shape, text, secret } of PLANTED) {
        const placed = place(text);
        expect(findSecret(placed), `${shape} ${name}`).toBeDefined();
        const masked = maskSecrets(placed);
        expect(masked, `${shape} ${name}`).toContain('[secret]');
        expect(masked.includes(secret), `${shape} ${name} is still there`).toBe(false);
        // No long part of it is left either.
        for (let at = 0; at + 16 <= secret.length; at += 4) {
          expect(masked.includes(secret.slice(at, at + 16)), `${shape} ${name} is left in part`).toBe(false);
        }
      }
    });
  }

  it('are found in the query of a URL', () => {
    for (const { shape, text, secret } of PLANTED.filter((planted) => /^[\w.-]+$/.test(planted.text))) {
      expect(maskSecrets(`https://files.example.internal/get?x=${text}&y=1`).includes(secret), shape).toBe(false);
    }
  });

  it('are named', () => {
    const named = (shape: string): string =>
      /^(aws-secret|google-service|azure-shared)/.test(shape) ? '' : (shape.split(' ')[0] ?? '');
    for (const { shape, text } of PLANTED.filter((planted) => named(planted.shape) !== '')) {
      expect(findSecret(text)?.shape).toBe(named(shape));
    }
  });

  it('leave nothing to find once masked, and what is around them as it was', () => {
    for (const { shape, text } of PLANTED) {
      const masked = maskSecrets(`before ${text} after`);
      expect(findSecrets(masked), `${shape}: ${masked}`).toEqual([]);
      expect(masked.startsWith('before ') && masked.endsWith(' after')).toBe(true);
    }
  });

  it('are found in order and without overlap when many stand in one text', () => {
    const text = PLANTED.map((planted) => planted.text).join('\n');
    const found = findSecrets(text);
    expect(found.length).toBeGreaterThanOrEqual(PLANTED.length);
    for (const [index, { start, end }] of found.entries()) {
      expect(start).toBeLessThan(end);
      expect(start).toBeGreaterThanOrEqual(found[index - 1]?.end ?? 0);
    }
  });

  it('take only the password out of a URL', () => {
    const url = (password: string): string =>
      `postgres://agentrun:${password}@db.example.internal:5432/agentrun?sslmode=require`;
    expect(maskSecrets(`at ${url('hunter2')},${url('b@dword')}`)).toBe(`at ${url('[secret]')},${url('[secret]')}`);
  });
});

describe('what is no secret', () => {
  it.each([
    'ssh://git@git.example.internal/a.git',
    'git@git.example.internal:a/b.git',
    'https://user@example.com/',
    'http://host:8080/@scope/name',
    'postgres://agentrun:$(PGPASSWORD)@db/agentrun',
    'password=$(cat /run/password)',
    'password: must not be empty',
    'Use --token to authenticate, or --token TOKEN.',
    ['grep -q "-----BEGIN OPENSSH', 'PRIVATE KEY-----" "$file"'].join(' '),
    'Unexpected token: end of file',
    'Secret: agentrun-v01-api-key',
    'automountServiceAccountToken: false',
    'task-abcdefghijklmnopqrstuvwxyz1234567890',
  ])('passes: %s', (text) => {
    expect(findSecrets(text)).toEqual([]);
  });

  it('is each of the usual values of environments', () => {
    expect(BENIGN_VALUES.length).toBeGreaterThanOrEqual(150);
    expect(BENIGN_VALUES.map((value) => [value, alarm(value)]).filter(([, shape]) => shape !== undefined)).toEqual([]);
  });

  it("is every key and value of the contract's example lane and of the lane of this repository", () => {
    const lanes: unknown[] = [contractLane(), parse(readFileSync(LANE_FILE, 'utf8'))];
    for (const value of lanes.flatMap(stringsOf)) expect(alarm(value), value).toBeUndefined();
    expect(findSecrets(readFileSync(LANE_FILE, 'utf8'))).toEqual([]);
  });

  it('is any value of the grammars that lanes use', () => {
    const word = fc.constantFrom(
      'agent',
      'run',
      'lane',
      'manager',
      'queue',
      'Session',
      'MAX',
      'Interval',
      'gitops',
      'retry',
      'east',
      'v1',
      'db',
      '2026',
      '8',
      'k8s',
    );
    const words = (sign: string) => fc.array(word, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(sign));
    const hex = (length: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
    const host = fc.tuple(words('-'), words('.')).map(([a, b]) => `${a}.${b}.example.internal`.toLowerCase());
    const port = fc.integer({ min: 1, max: 65535 });
    const path = fc.oneof(
      words('/'),
      words('/').map((p) => `/${p}`),
      words('/').map((p) => `./${p}.yaml`),
    );
    const benign = fc.oneof(
      words('-'),
      words('_'),
      words(' '),
      words(','),
      words('.'),
      path,
      host,
      hex(40),
      hex(64),
      fc.uuid(),
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(host, port, path).map(([h, p, rest]) => `http://${h}:${p}/${rest}`),
      fc
        .tuple(host, words('/'), hex(64))
        .map(([h, name, digest]) => `${h}/${name.toLowerCase()}:1.2.3@sha256:${digest}`),
      fc.tuple(word, host).map(([user, h]) => `ssh://${user}@${h}/a.git`),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
      fc
        .tuple(fc.nat(99), fc.nat(99), fc.nat(99), word, fc.nat(9))
        .map(([a, b, c, name, d]) => `v${a}.${b}.${c}-${name}.${d}`),
      fc.dictionary(words('-'), fc.oneof(words('_'), fc.integer(), fc.boolean())).map((map) => JSON.stringify(map)),
      fc.tuple(fc.nat(59), fc.nat(23)).map(([minute, hour]) => `${minute} ${hour} * * 1-5`),
      fc.integer().map(String),
    );
    fc.assert(
      fc.property(benign, (value) => {
        expect(alarm(value)).toBeUndefined();
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('long random strings', () => {
  it('are found, alone and behind a name', () => {
    for (const text of OPAQUE) {
      expect(findOpaqueSecret(text), text).toBeDefined();
      expect(findOpaqueSecret(`--cache-salt=${text}`), text).toBeDefined();
      const place = findOpaqueSecret(`before "${text}" after`);
      expect(place === undefined ? '' : `before "${text}" after`.slice(place.start, place.end)).toBe(text);
    }
  });

  it('are not digests, ids, public keys, or hex of 40 or 64 digits', () => {
    for (const hex of OPAQUE.filter((text) => /^[0-9a-f]{48}$/.test(text))) {
      expect(findOpaqueSecret(hex.slice(0, 40))).toBeUndefined();
      expect(findOpaqueSecret(`${hex}${hex.slice(0, 16)}`)).toBeUndefined();
      expect(findOpaqueSecret(`sha384:${hex}${hex}`)).toBeUndefined();
    }
    const body = OPAQUE.filter((text) => text.endsWith('='))
      .join('')
      .replaceAll('=', '');
    const lines = (body.match(/.{1,64}/g) ?? []).join('\n');
    expect(findOpaqueSecret(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`)).toBeUndefined();
    expect(findOpaqueSecret(`git.example.internal ssh-rsa AAAAB3NzaC1yc2E${body}`)).toBeUndefined();
  });
});

describe('secretAssignment', () => {
  it.each([
    'API_KEY',
    'GIT_TOKEN',
    'CLIENT_SECRET',
    'POSTGRES_PASSWORD',
    'AWS_CREDENTIALS',
    'apiKey',
    'db-password',
    'registry.token',
  ])('refuses a plain word as the value of %s', (name) => {
    expect(secretAssignment(name, 'hunter')?.shape).toBe('secret-assignment');
  });

  it.each([
    '',
    '42',
    '3.5',
    'true',
    'false',
    'null',
    '/run/secrets/key',
    './key.pem',
    'config/keys',
    'https://vault.example.internal/v1',
    '$(OTHER)',
    '${OTHER}',
  ])('takes %j as the value of API_KEY', (value) => {
    expect(secretAssignment('API_KEY', value)).toBeUndefined();
  });

  it.each(['KEY_FILE', 'TOKEN_TTL', 'MONKEY', 'SECRET_NAME', 'PASSWORD_MIN_LENGTH', 'KEYBOARD', 'key'])(
    'asks nothing of %s',
    (name) => {
      expect(secretAssignment(name, 'hunter')).toBeUndefined();
    },
  );

  it('finds known shapes and random strings under any name', () => {
    for (const { shape, text } of PLANTED) expect(secretAssignment('NOTE', text), shape).toBeDefined();
    for (const text of OPAQUE) expect(secretAssignment('NOTE', text), text).toBeDefined();
    expect(secretAssignment('SERVICE_KEY', 'https://bot:hunter2@example.internal')?.shape).toBe('url-password');
  });
});
