import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import { buildServer } from '../../../manager/src/http/server.ts';
import { createLog } from '../../../manager/src/telemetry/log.ts';
import { type KernelServer, kernelServer, OPERATOR_KEY } from '../../helpers/kernel-server.ts';

const TOKEN = 'art_att_01jd_dG9rZW4tb2YtYW4tYXR0ZW1wdC10aGF0LWlzLXJhbmRvbQ';
const verify = vi.fn(async ({ token }: { token: string }) => {
  if (token !== TOKEN) throw new Failure('unauthenticated', 'No attempt has this token.');
});
let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer(
    (app) => {
      for (const auth of ['open', 'operator', 'runner', 'any'] as const) {
        app.post(`/${auth}`, { config: { auth } }, async ({ runner }) => runner);
      }
      app.post('/default', async () => 'in');
    },
    { verifyRunner: verify },
  );
});
afterAll(() => server.close());

const post = (path: string, headers: Record<string, string> = {}, body?: string) =>
  server.call('POST', path, { headers, body });
const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

describe('the API key', () => {
  it.each([
    ['as a bearer', bearer(OPERATOR_KEY)],
    ['as a bearer in another case', { authorization: `bEaReR   ${OPERATOR_KEY} ` }],
    ['as x-api-key', { 'x-api-key': OPERATOR_KEY }],
  ])('is taken %s', async (_, headers) => {
    for (const path of ['/operator', '/default', '/any']) expect((await post(path, headers)).status).toBe(200);
  });

  it.each([
    ['none', {}],
    ['an empty one', { authorization: '' }],
    ['another one', bearer(`${OPERATOR_KEY}x`)],
    ['its beginning', bearer(OPERATOR_KEY.slice(0, -1))],
    ['another case', bearer(OPERATOR_KEY.toUpperCase())],
    ['a wrong x-api-key', { 'x-api-key': 'x' }],
    ['another scheme', { authorization: `Basic ${OPERATOR_KEY}` }],
    ['no scheme', { authorization: OPERATOR_KEY }],
    ['a wrong bearer beside the right x-api-key', { ...bearer('x'), 'x-api-key': OPERATOR_KEY }],
    ['the token of an attempt', bearer(TOKEN)],
  ])('is asked for where no route says otherwise; refused: %s', async (_, headers) => {
    for (const path of ['/operator', '/default']) {
      const { status, problem, headers: answered, text } = await post(path, headers);
      expect([status, problem.failureKind]).toEqual([401, 'unauthenticated']);
      expect(answered.get('www-authenticate')).toBe('Bearer realm="agentrun"');
      expect(text).not.toContain(OPERATOR_KEY);
      expect(text).not.toContain(TOKEN);
    }
  });

  it('is not asked for on an open route', async () => {
    expect((await post('/open')).status).toBe(200);
    expect((await post('/open', bearer('wrong'))).status).toBe(200);
  });

  it('is checked before the body is read', async () => {
    const answer = await server.raw(
      'POST /operator HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"never":',
      /"failureKind"/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('never stands in the log', () => {
    expect(server.lines.length).toBeGreaterThan(10);
    expect(JSON.stringify(server.lines)).not.toContain(OPERATOR_KEY);
    expect(JSON.stringify(server.lines)).not.toContain(TOKEN);
  });

  it('must be there outside local mode', async () => {
    await expect(buildServer({ log: createLog({ level: 'silent' }), version: '0', operatorKey: null })).rejects.toThrow(
      'API key',
    );
  });
});

describe('the token of an attempt', () => {
  it('comes to the handler with its epoch and number', async () => {
    expect((await post('/runner', { ...bearer(TOKEN), 'runner-epoch': '7', 'producer-seq': '12' })).data).toEqual({
      token: TOKEN,
      epoch: 7,
      producerSeq: 12,
    });
    expect((await post('/any', bearer(TOKEN))).data).toEqual({ token: TOKEN, epoch: null, producerSeq: null });
    expect((await post('/any', bearer(OPERATOR_KEY))).data).toBeNull();
  });

  it.each([
    ['none', {}, 'has no credential'],
    ['the API key', bearer(OPERATOR_KEY), 'is not one'],
    ['something else', bearer('art_x'), 'is not one'],
  ])('is asked for on a route for runners; refused: %s', async (_, headers, words) => {
    const { status, problem } = await post('/runner', headers);
    expect([status, problem.failureKind]).toEqual([401, 'unauthenticated']);
    expect(problem.message).toContain(words);
  });

  it('is looked up before the body is read', async () => {
    verify.mockClear();
    const { status, problem } = await post('/runner', bearer('art_att_02_unknown-unknown-unknown'), '{{{{');
    expect([status, problem.message]).toEqual([401, 'No attempt has this token.']);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['runner-epoch', 'x'],
    ['runner-epoch', '-1'],
    ['runner-epoch', '1.5'],
    ['runner-epoch', '01'],
    ['runner-epoch', '9007199254740993'],
    ['runner-epoch', '1, 2'],
    ['producer-seq', '0'],
    ['producer-seq', '1e3'],
  ])('has headers that are refused when malformed: %s %s', async (name, value) => {
    const { status, problem } = await post('/runner', { ...bearer(TOKEN), [name]: value });
    expect([status, problem.failureKind]).toEqual([400, 'schema-invalid']);
    expect(problem.message).toContain(`The header ${name} must be an integer`);
    expect(problem.error.details).toMatchObject({ errors: [{ path: `headers.${name}` }] });
  });
});

describe('local mode', () => {
  let local: KernelServer;
  beforeAll(async () => {
    local = await kernelServer((app) => void app.get('/runs', async () => 'in'), { local: true, operatorKey: null });
  });
  afterAll(() => local.close());

  const ask = (host: string, more = '') =>
    local.raw(`GET /runs HTTP/1.1\r\n${host === '' ? '' : `Host: ${host}\r\n`}${more}Connection: close\r\n\r\n`);

  it.each([
    'localhost',
    'localhost:8080',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.8.9.1:80',
    '[::1]:8080',
    'agentrun.localhost:1',
  ])('answers to a loopback name: %s', async (host) => {
    expect(await ask(host)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '127.0.0.1@evil',
    '0.0.0.0:80',
    '[::2]',
  ])('refuses every other name and says why: %s', async (host) => {
    const answer = await ask(host);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('DNS rebinding');
  });

  it('refuses pages of other sites, and answers its own', async () => {
    expect(await ask('localhost:8080', 'Origin: http://evil.example\r\n')).toMatch(/ 403 /);
    expect(await ask('localhost:8080', 'Origin: http://localhost:3000\r\n')).toMatch(/ 403 /);
    expect(await ask('localhost:8080', 'Origin: null\r\n')).toMatch(/ 403 /);
    expect(await ask('localhost:8080', 'Origin: http://localhost:8080\r\n')).toMatch(/ 200 /);
  });

  it('opens the metrics, which otherwise ask for the API key', async () => {
    expect((await local.call('GET', '/metrics', { headers: {} })).status).toBe(200);
    expect((await server.call('GET', '/metrics', { headers: {} })).status).toBe(401);
    expect((await server.call('GET', '/metrics')).status).toBe(200);
  });

  it('asks for the API key all the same when there is one', async () => {
    const keyed = await kernelServer((app) => void app.get('/runs', async () => 'in'), { local: true });
    expect((await keyed.call('GET', '/runs', { headers: {} })).status).toBe(401);
    expect((await keyed.call('GET', '/runs')).status).toBe(200);
    await keyed.close();
  });
});
