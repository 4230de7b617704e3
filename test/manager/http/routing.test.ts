import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelServer, kernelServer } from '../../helpers/kernel-server.ts';

let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer((app) => {
    app.get('/runs', async () => 'list');
    app.post('/runs', async () => 'created');
    app.get('/runs/:runId', async ({ params }) => params);
    app.delete('/runs/:runId', async () => 'deleted');
    app.register(
      async (scope) => {
        scope.get('/tasks/:taskId', async ({ params }) => params);
      },
      { prefix: '/api/v1/queue' },
    );
    app.patch('/runs/:runId/lease', async () => 'beat');
  });
});
afterAll(() => server.close());

describe('an unknown route', () => {
  it.each(['/nope', '/run', '/runs/1/2/3', '/', '//runs', '/%F0%9F%98%80'])('is not found: %s', async (path) => {
    const { status, problem } = await server.call('GET', path);
    expect([status, problem.failureKind]).toEqual([404, 'not-found']);
    expect(problem.message).toContain('GET');
    expect(problem.message).toContain('/openapi.json');
  });

  it('says that the slash at the end is too much', async () => {
    const { status, problem } = await server.call('GET', '/runs/');
    expect([status, problem.failureKind]).toEqual([404, 'not-found']);
    expect(problem.message).toBe('No route GET /runs/. Leave out the slash at the end: /runs');
  });

  it('is told without a credential', async () => {
    expect((await server.call('GET', '/nope', { headers: {} })).status).toBe(404);
  });

  it('reads no body', async () => {
    const body = 'x'.repeat(3 * 1024 * 1024);
    expect((await server.call('POST', '/nope', { body })).problem.failureKind).toBe('not-found');
  });

  it('does not show its query, which may hold a secret', async () => {
    const { text } = await server.call('GET', '/nope?token=abcdef');
    expect(text).not.toContain('abcdef');
  });
});

describe('an unknown method', () => {
  it.each([
    ['PUT', '/runs', 'GET, HEAD, POST'],
    ['OPTIONS', '/runs', 'GET, HEAD, POST'],
    ['POST', '/runs/run_1', 'GET, HEAD, DELETE'],
    ['GET', '/runs/run_1/lease', 'PATCH'],
    ['QUERY', '/runs', 'GET, HEAD, POST'],
  ])('%s %s is not allowed; the answer lists %s', async (method, path, allow) => {
    const { status, headers, problem } = await server.call(method, path);
    expect([status, problem.failureKind, headers.get('allow')]).toEqual([405, 'method-not-allowed', allow]);
    expect(problem.message).toBe(`${method} is not allowed on ${path}; allowed: ${allow}.`);
  });

  it.each(['PROPFIND', 'TRACE', 'LOCK', 'M-SEARCH'])('%s is one too', async (method) => {
    const text = await server.raw(`${method} /runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 405 /);
    expect(text).toContain('allow: GET, HEAD, POST');
  });

  it('does not end the process when the method or the target is odd', async () => {
    await server.raw('OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await server.raw('CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await server.raw('BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await server.raw('GET http://x/runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/ 401 /);
    expect((await server.call('GET', '/runs')).status).toBe(200);
  });

  it('gives no CORS headers', async () => {
    const { headers } = await server.call('GET', '/runs', {
      headers: { origin: 'http://evil.example', authorization: 'Bearer x' },
    });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a route of a plugin', () => {
  it('has all of it as well', async () => {
    const path = '/api/v1/queue/tasks/task_1';
    const { data, headers } = await server.call('GET', path);
    expect([data, headers.get('x-trace-id')]).toEqual([{ taskId: 'task_1' }, expect.stringMatching(/^trc_/)]);
    expect((await server.call('GET', path, { headers: {} })).status).toBe(401);
    expect((await server.call('PUT', path)).problem.error.details).toMatchObject({ allowed: ['GET', 'HEAD'] });
    expect((await server.call('GET', '/api/v1/queue/tasks/')).status).toBe(404);
  });
});

describe('HEAD', () => {
  it('gives the headers of GET without a body', async () => {
    const head = await server.call('HEAD', '/runs');
    const get = await server.call('GET', '/runs');
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
  });

  it('gives the status of a failure without a body', async () => {
    const { status, text } = await server.call('HEAD', '/nope');
    expect([status, text]).toEqual([404, '']);
  });
});

describe('a URL', () => {
  it.each(['/runs/%', '/runs/%zz', '/runs/%ff', '/runs?cursor=%', '/runs?cursor=%zz', '/runs?cursor=%c3%28'])(
    'that is badly percent-encoded is refused: %s',
    async (path) => {
      const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"failureKind":"schema-invalid"');
      expect(answer).toMatch(/x-trace-id: trc_[0-9a-f]{32}/i);
    },
  );

  it.each(['/runs/a%00b', '/runs?cursor=a%00b'])('with a NUL is refused: %s', async (path) => {
    const { status, problem } = await server.call('GET', path);
    expect([status, problem.failureKind]).toEqual([400, 'schema-invalid']);
    expect(problem.message).toContain('NUL');
  });

  it('gives params decoded', async () => {
    expect((await server.call('GET', '/runs/a%20b%2Fc')).data).toEqual({ runId: 'a b/c' });
  });

  it('with too long a segment is refused', async () => {
    expect((await server.call('GET', `/runs/${'a'.repeat(256)}`)).status).toBe(200);
    const { status, problem } = await server.call('GET', `/runs/${'a'.repeat(257)}`);
    expect([status, problem.failureKind]).toEqual([400, 'schema-invalid']);
    expect(problem.message).toContain('256');
  });
});

describe('the trace', () => {
  const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const call = (traceparent: string) =>
    server.call('GET', '/nope', { headers: { traceparent } }).then(({ problem }) => problem.traceId);

  it('is the one of the caller', async () => {
    expect(await call(TRACEPARENT)).toBe('trc_0af7651916cd43dd8448eb211c80319c');
    expect(await call(`cc${TRACEPARENT.slice(2)}-more`)).toBe('trc_0af7651916cd43dd8448eb211c80319c');
  });

  it.each([
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'],
    [`ff${TRACEPARENT.slice(2)}`],
    [`${TRACEPARENT}-more`],
    [TRACEPARENT.toUpperCase()],
    ['nonsense'],
  ])('is a new one when that is not valid: %s', async (traceparent) => {
    const [first, second] = [await call(traceparent), await call(traceparent)];
    expect(first).toMatch(/^trc_[0-9a-f]{32}$/);
    expect(first).not.toBe(second);
    expect(first).not.toContain('0af7651916cd43dd8448eb211c80319c');
  });
});

describe('what is no HTTP request', () => {
  it.each([
    ['nonsense', 'nonsense\r\n\r\n', 400, 'schema-invalid'],
    [
      'two lengths',
      'POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'schema-invalid',
    ],
    [
      'a length beside chunks',
      'POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'schema-invalid',
    ],
    ['large headers', `GET /runs HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'too-large'],
    ['no Host', 'GET /runs HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'schema-invalid'],
  ])('is answered as a problem: %s', async (_, bytes, status, failureKind) => {
    const [head = '', body = ''] = (await server.raw(bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ ok: false, status, failureKind, error: { httpStatus: status } });
    expect(Number(/content-length: (\d+)/i.exec(head)?.[1])).toBe(Buffer.byteLength(body));
  });
});
