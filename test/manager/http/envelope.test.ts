import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import { type KernelServer, kernelServer, OPERATOR_KEY } from '../../helpers/kernel-server.ts';

let server: KernelServer;

const failing = (name: string, make: () => unknown) => ({ name, make });
const FAILURES = [
  failing('untyped', () => new Error('column "password" of relation users does not exist')),
  failing('thrown-text', () => 'a text'),
  failing('thrown-nothing', () => undefined),
  failing('outcome', () => new Failure('profile-invalid', 'the agent is not installed')),
  failing(
    'fenced',
    () => new Failure('lease-fenced', 'epoch 1 is over', { details: { currentEpoch: 2, yourEpoch: 1 } }),
  ),
  failing(
    'secret',
    () =>
      new Failure('conflict', 'password=hunter2secret in sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD', {
        details: { text: `the key ${OPERATOR_KEY}` },
      }),
  ),
  failing('later', () => new Failure('unavailable', 'busy', { retryAfterMs: 1_500 })),
  failing('refused-connection', () =>
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
  ),
  failing('several-addresses', () => new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })], '')),
  failing('admin-shutdown', () =>
    Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' }),
  ),
  failing('broken-connection', () => Object.assign(new Error('connection failure'), { code: '08006' })),
  failing('pool-timeout', () => new Error('timeout exceeded when trying to connect')),
  failing(
    'wrapped',
    () => new Error('could not read the run', { cause: new Error('Connection terminated unexpectedly') }),
  ),
  failing('unique', () => Object.assign(new Error('duplicate key value'), { code: '23505' })),
];

beforeAll(async () => {
  server = await kernelServer((app) => {
    app.get('/object', async () => ({ id: 1, extra: { kept: true } }));
    app.get(
      '/schema',
      { schema: { response: { 200: { type: 'object', properties: { id: { type: 'integer' } } } } } },
      async () => ({
        id: 1,
        notInTheSchema: true,
      }),
    );
    app.get('/text', async () => 'a text');
    app.get('/nothing', async () => undefined);
    app.get('/null', async () => null);
    app.get('/list', () => [1, 2]);
    app.get('/number', async () => 0);
    app.get('/cyclic', async () => {
      const self: Record<string, unknown> = {};
      self['self'] = self;
      return self;
    });
    app.get('/sync', () => {
      throw new Failure('not-found', 'no run run_1');
    });
    for (const { name, make } of FAILURES) {
      app.get(`/fail/${name}`, async () => {
        throw make();
      });
    }
  });
});
afterAll(() => server.close());

describe('success', () => {
  it.each([
    ['/object', { id: 1, extra: { kept: true } }],
    ['/schema', { id: 1, notInTheSchema: true }],
    ['/text', 'a text'],
    ['/nothing', null],
    ['/null', null],
    ['/list', [1, 2]],
    ['/number', 0],
  ])('wraps what %s returns, whole', async (path, data) => {
    const answer = await server.call('GET', path);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ ok: true, data, traceId: answer.headers.get('x-trace-id') });
    expect(answer.text.endsWith('}\n')).toBe(true);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(answer.text)));
  });
});

describe('failure', () => {
  it('is a problem with the members of the envelope', async () => {
    const { status, headers, problem, text } = await server.call('GET', '/sync');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(text.endsWith('}\n')).toBe(true);
    expect(problem).toEqual({
      type: 'urn:agentrun:failure:not-found',
      title: 'Not found',
      status: 404,
      detail: 'no run run_1',
      instance: '/sync',
      ok: false,
      failureKind: 'not-found',
      message: 'no run run_1',
      traceId: headers.get('x-trace-id'),
      retryable: false,
      nextStep: expect.any(String) as string,
      error: { failureKind: 'not-found', message: 'no run run_1', httpStatus: 404, details: {} },
    });
  });

  it('carries the details of its kind', async () => {
    const { status, problem } = await server.call('GET', '/fail/fenced');
    expect([status, problem.failureKind]).toEqual([403, 'lease-fenced']);
    expect(problem.error.details).toEqual({ currentEpoch: 2, yourEpoch: 1 });
  });

  it.each(['untyped', 'thrown-text', 'thrown-nothing', 'unique'])('hides what was thrown untyped: %s', async (name) => {
    const { status, problem, text } = await server.call('GET', `/fail/${name}`);
    expect([status, problem.failureKind, problem.retryable]).toEqual([500, 'infra-failed', true]);
    expect(text).not.toMatch(/column|duplicate key|a text/);
  });

  it('logs under the trace what the caller is not told', async () => {
    const { problem } = await server.call('GET', '/fail/untyped');
    const line = server.lines.find(({ traceId, err }) => traceId === problem.traceId && err !== undefined);
    expect(line).toMatchObject({
      level: 'error',
      err: { message: 'column "password" of relation users does not exist' },
    });
  });

  it('answers 500 when what a handler returns is no JSON', async () => {
    expect((await server.call('GET', '/cyclic')).problem.failureKind).toBe('infra-failed');
  });

  it.each([
    'refused-connection',
    'several-addresses',
    'admin-shutdown',
    'broken-connection',
    'pool-timeout',
    'wrapped',
  ])('says unavailable, and when to come back, for %s', async (name) => {
    const { status, headers, problem, text } = await server.call('GET', `/fail/${name}`);
    expect([status, problem.failureKind, problem.retryable]).toEqual([503, 'unavailable', true]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(text).not.toMatch(/5432|terminat/);
  });

  it('rounds Retry-After up to seconds', async () => {
    expect((await server.call('GET', '/fail/later')).headers.get('retry-after')).toBe('2');
  });

  it('answers an outcome of a run with 500, as the kind that it is', async () => {
    const { status, problem } = await server.call('GET', '/fail/outcome');
    expect([status, problem.failureKind]).toEqual([500, 'profile-invalid']);
  });

  it('shows no secret in message, details or log', async () => {
    const { text } = await server.call('GET', '/fail/secret');
    expect(text).toContain('[secret]');
    expect(text).not.toMatch(/hunter2|sk-proj-abc/);
    expect(text).not.toContain(OPERATOR_KEY);
    expect(JSON.stringify(server.lines)).not.toMatch(/hunter2|sk-proj-abc/);
  });
});
