import { APPEND_EVENTS, CREATE_COMMAND, CREATE_RUN } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { FieldError } from '../../../manager/src/http/field-error.ts';
import { query } from '../../../manager/src/http/type-provider.ts';
import { type Answer, type KernelServer, kernelServer, OPERATOR_KEY } from '../../helpers/kernel-server.ts';

const OPEN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    leaseMs: { type: 'integer', minimum: 1, default: 60_000 },
    at: { type: 'string', format: 'date-time' },
    url: { type: 'string', format: 'uri' },
    value: { type: 'string', minLength: 100, writeOnly: true },
    apiKey: { type: 'integer' },
    word: { type: 'string', maxLength: 5 },
    tags: { type: 'array', uniqueItems: true, maxItems: 2, items: { type: 'string' } },
    pets: {
      type: 'array',
      items: {
        oneOf: [
          {
            type: 'object',
            required: ['kind', 'lives'],
            properties: { kind: { const: 'cat' }, lives: { type: 'integer' } },
          },
          {
            type: 'object',
            required: ['kind', 'age'],
            properties: { kind: { const: 'dog' }, age: { type: 'integer' } },
          },
        ],
      },
    },
    maybe: { anyOf: [{ type: 'object', required: ['a'], properties: { a: { type: 'integer' } } }, { type: 'null' }] },
    labels: {
      type: 'object',
      propertyNames: { type: 'string', pattern: '^[a-z]+$' },
      additionalProperties: { type: 'string' },
    },
    fraction: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.5 },
  },
} as const;

let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer((app) => {
    app.post('/run', { schema: { body: CREATE_RUN } }, async ({ body }) => {
      expectTypeOf(body.tenantId).toEqualTypeOf<string>();
      // A default of a body is not filled in, and its type says so.
      expectTypeOf(body.executionPolicy?.maxAttempts).toEqualTypeOf<number | undefined>();
      return body;
    });
    app.post('/command', { schema: { body: CREATE_COMMAND } }, async ({ body }) => body);
    app.post('/events', { schema: { body: APPEND_EVENTS } }, async ({ body }) => body);
    app.post('/open', { schema: { body: OPEN } }, async ({ body }) => body);
    app.get(
      '/list/:version',
      {
        schema: {
          params: { type: 'object', required: ['version'], properties: { version: { type: 'integer', minimum: 1 } } },
          querystring: query({
            limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
            afterSeq: { type: 'integer', minimum: 0, default: 0 },
            state: { type: 'string', enum: ['running', 'idle'] },
            all: { type: 'boolean', default: false },
            cursor: { type: 'string' },
          }),
          headers: {
            type: 'object',
            properties: { 'Idempotency-Key': { type: 'string', maxLength: 4 }, 'X-Count': { type: 'integer' } },
          },
        },
      },
      async ({ query, params, headers }) => {
        expectTypeOf(query.limit).toEqualTypeOf<number>();
        expectTypeOf(query.cursor).toEqualTypeOf<string | undefined>();
        expectTypeOf(params.version).toEqualTypeOf<number>();
        return { query, params, count: headers['x-count'] };
      },
    );
  });
});
afterAll(() => server.close());

const post = (path: string, json: unknown) => server.call('POST', path, { json });
const errorsOf = ({ status, problem }: Answer): FieldError[] => {
  expect([status, problem.failureKind]).toEqual([400, 'schema-invalid']);
  return problem.error.details !== null ? (problem.error.details as { errors: FieldError[] }).errors : [];
};
const messagesOf = (answer: Answer) => errorsOf(answer).map(({ message }) => message);

const RUN = {
  tenantId: 't',
  projectId: 'p',
  providerId: 'x',
  backendProfile: 'codex',
  workspaceRef: { kind: 'session' },
};

describe('a body', () => {
  it('comes to the handler as it was sent: not converted, not filled in, nothing removed', async () => {
    const body = { ...RUN, executionPolicy: {}, metadata: { any: { thing: [1] } } };
    expect((await post('/run', body)).data).toEqual(body);
    expect((await post('/open', {})).data).toEqual({});
  });

  it('is refused with the place, what is expected, and what was received', async () => {
    const answer = await post('/run', { ...RUN, executionPolicy: { maxAttempts: 'three' } });
    expect(errorsOf(answer)).toEqual([
      {
        path: 'body.executionPolicy.maxAttempts',
        pointer: '/executionPolicy/maxAttempts',
        message: 'body.executionPolicy.maxAttempts must be an integer >= 1 and <= 20, received "three"',
        received: '"three"',
      },
    ]);
    expect(answer.problem.message).toBe(
      'body.executionPolicy.maxAttempts must be an integer >= 1 and <= 20, received "three"',
    );
    expect(answer.problem.error.details).toMatchObject({ part: 'body' });
  });

  it('is refused with all that is wrong', async () => {
    const answer = await post('/run', {
      tenantID: 't',
      projectId: '  ',
      providerId: 7,
      backendProfile: 'Codex!',
      workspaceRef: { kind: 'sesion' },
      metadata: [],
    });
    expect(messagesOf(answer)).toEqual([
      'body.tenantId is missing; it must be a string of 1 to 256 characters that is not blank',
      'body.tenantID is not known; did you mean "tenantId"?',
      'body.projectId must be a string of 1 to 256 characters that is not blank, received "  "',
      'body.providerId must be a string of 1 to 256 characters that is not blank, received 7',
      'body.backendProfile must be a string that matches ^[a-z0-9][a-z0-9-]{0,40}$, received "Codex!"',
      'body.workspaceRef.kind must be one of "session", "ephemeral", received "sesion"; did you mean "session"?',
      'body.metadata must be an object, received an empty list',
    ]);
    expect(answer.problem.message).toMatch(/ \(and 6 more\)$/);
  });

  it('names what is known when a member is not', async () => {
    expect(messagesOf(await post('/run', { ...RUN, workspaceRef: { kind: 'session', zzz: 1 } }))).toEqual([
      'body.workspaceRef.zzz is not known; known here: kind, subPath',
    ]);
  });

  it.each([
    [{ leaseMs: 0 }, 'body.leaseMs must be an integer >= 1, received 0'],
    [{ leaseMs: 1.5 }, 'body.leaseMs must be an integer >= 1, received 1.5'],
    [{ leaseMs: '5' }, 'body.leaseMs must be an integer >= 1, received "5"'],
    [{ leaseMs: null }, 'body.leaseMs must be an integer >= 1, received null'],
    [
      { leaseMs: 2 ** 53 },
      'body.leaseMs must be an integer >= 1, received 9007199254740992; beyond 2^53 digits are lost',
    ],
    [{ leaseMs: 1e300 }, 'body.leaseMs must be an integer >= 1, received 1e+300; beyond 2^53 digits are lost'],
    [
      { at: '2025-02-30T00:00:00Z' },
      'body.at must be a time such as "2025-01-31T12:00:00Z", received "2025-02-30T00:00:00Z"',
    ],
    [{ at: 'tomorrow' }, 'body.at must be a time such as "2025-01-31T12:00:00Z", received "tomorrow"'],
    [{ url: 'nowhere' }, 'body.url must be a URL, received "nowhere"'],
    [
      { value: 'short-credential' },
      'body.value must be a string of at least 100 characters, received a value that is not shown',
    ],
    [{ apiKey: 'abc-def-ghi' }, 'body.apiKey must be an integer, received a value that is not shown'],
    [
      { word: `key ${'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD'}` },
      'body.word must be a string of at most 5 characters, received a value that is not shown',
    ],
    [{ word: OPERATOR_KEY }, 'body.word must be a string of at most 5 characters, received a value that is not shown'],
    [
      { word: 'x'.repeat(100) },
      `body.word must be a string of at most 5 characters, received "${'x'.repeat(59)}…" (100 characters)`,
    ],
    [{ tags: ['a', 'a'] }, 'body.tags holds the same item twice, at 0 and 1'],
    [{ tags: ['a', 'b', 'c'] }, 'body.tags must be a list of at most 2 items, received a list of 3'],
    [{ pets: [{ kind: 'dog', age: 'old' }] }, 'body.pets[0].age must be an integer, received "old"'],
    [
      {
        pets: [
          { kind: 'cat', lives: 9 },
          { kind: 'cat', age: 1 },
        ],
      },
      'body.pets[1].lives is missing; it must be an integer',
    ],
    [{ maybe: { a: 'x' } }, 'body.maybe.a must be an integer, received "x"'],
    [{ maybe: 7 }, 'body.maybe must be an object, or null, received 7'],
    [
      { labels: { 'NOT-low': 'x' } },
      'body.labels has a key that must be a string that matches ^[a-z]+$, received "NOT-low"',
    ],
    [
      { labels: { 'a b': 1, ab: 2 } },
      'body.labels has a key that must be a string that matches ^[a-z]+$, received "a b"',
    ],
    [{ fraction: 0 }, 'body.fraction must be a number > 0, a multiple of 0.5, received 0'],
    [[], 'body must be an object, received an empty list'],
    ['text', 'body must be an object, received "text"'],
  ])('is refused in words: %j', async (body, message) => {
    expect(messagesOf(await post('/open', body))).toContain(message);
  });

  it('may be one of two forms, and is told when it is none or both', async () => {
    const event = { type: 'warning', payload: {} };
    expect((await post('/events', event)).status).toBe(200);
    expect((await post('/events', { events: [event] })).status).toBe(200);
    expect(messagesOf(await post('/events', {}))).toEqual(['body needs one of type, events']);
    expect(messagesOf(await post('/events', { ...event, events: [event] }))).toEqual([
      'body needs only one of type, events',
    ]);
    expect(messagesOf(await post('/events', { events: [event, { type: 'warn', payload: 1 }] }))).toEqual([
      expect.stringMatching(/^body\.events\[1\]\.type must be one of "backend_status".*received "warn"/) as string,
      'body.events[1].payload must be an object, received 1',
    ]);
  });

  it('is told of each item by the form that this item was meant to have', async () => {
    const pets = [
      { kind: 'cat', lives: 'x' },
      { kind: 'dog', age: 'y' },
      { kind: 'dog', age: 1 },
      { kind: 'cow', age: 1 },
    ];
    expect(messagesOf(await post('/open', { pets }))).toEqual([
      'body.pets[0].lives must be an integer, received "x"',
      'body.pets[1].age must be an integer, received "y"',
      'body.pets[3].kind must be "dog", received "cow"',
    ]);
  });

  it('may be absent where nothing in it is needed', async () => {
    expect((await server.call('POST', '/open')).data).toEqual({});
    expect((await server.call('POST', '/open', { body: 'null' })).data).toEqual({});
  });

  it('is asked for where something in it is needed', async () => {
    const answer = await server.call('POST', '/command');
    expect(answer.problem.message).toMatch(/^The request has no body: body\.type is missing/);
    expect(messagesOf(answer)).toHaveLength(2);
  });

  it('with very many faults is answered with twenty of them, and with one when it is large', async () => {
    const some = await post('/events', { events: Array.from({ length: 100 }, () => ({ type: 'nope' })) });
    expect(errorsOf(some)).toHaveLength(20);
    expect(some.problem.error.details).toMatchObject({ more: 80 });
    expect(some.problem.message).toMatch(/\(and 99 more\)$/);
    const many = await post('/events', { events: Array.from({ length: 20_000 }, () => ({ type: 'nope' })) });
    expect(errorsOf(many)).toHaveLength(1);
    const keys = await post(
      '/open',
      Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`leaseM${index}`, 1])),
    );
    expect(errorsOf(keys)).toHaveLength(20);
    expect(keys.text.length).toBeLessThan(20_000);
  });
});

describe('a query', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    server.call('GET', path, { headers: { authorization: `Bearer ${OPERATOR_KEY}`, ...headers } });

  it('is converted, and what is absent or empty has its default', async () => {
    const all = { limit: 50, afterSeq: 0, all: false };
    expect((await get('/list/2')).data).toEqual({ query: all, params: { version: 2 } });
    expect((await get('/list/2?limit=&cursor=&all=')).data).toMatchObject({ query: all });
    expect((await get('/list/2?limit=7&afterSeq=3&all=true&state=idle&cursor=007', { 'x-count': '12' })).data).toEqual({
      query: { limit: 7, afterSeq: 3, all: true, state: 'idle', cursor: '007' },
      params: { version: 2 },
      count: 12,
    });
  });

  it.each([
    ['/list/2?limit=abc', 'query.limit must be an integer >= 1 and <= 200, received "abc"'],
    ['/list/2?limit=0', 'query.limit must be an integer >= 1 and <= 200, received 0'],
    ['/list/2?limit=1.5', 'query.limit must be an integer >= 1 and <= 200, received "1.5"'],
    ['/list/2?limit=-1', 'query.limit must be an integer >= 1 and <= 200, received -1'],
    ['/list/2?limit=1&limit=2', 'query.limit must be an integer >= 1 and <= 200, received a list of 2'],
    [
      '/list/2?afterSeq=9007199254740993',
      'query.afterSeq must be an integer >= 0, received 9007199254740992; beyond 2^53 digits are lost',
    ],
    [
      '/list/2?afterSeq=1e999',
      'query.afterSeq must be an integer >= 0, received Infinity; beyond 2^53 digits are lost',
    ],
    ['/list/2?state=run', 'query.state must be one of "running", "idle", received "run"'],
    ['/list/2?all=maybe', 'query.all must be true or false, received "maybe"'],
    ['/list/2?limt=5', 'query.limt is not known; did you mean "limit"?'],
    ['/list/0', 'params.version must be an integer >= 1, received 0'],
    ['/list/x', 'params.version must be an integer >= 1, received "x"'],
  ])('is refused when it does not convert: %s', async (path, message) => {
    expect(messagesOf(await get(path))).toEqual([message]);
  });

  it('is refused with all that is wrong', async () => {
    expect(messagesOf(await get('/list/2?limit=x&state=y'))).toHaveLength(2);
  });

  it('has headers beside it that are checked by their names in any case', async () => {
    expect(messagesOf(await get('/list/2', { 'idempotency-key': 'too long' }))).toEqual([
      'headers.idempotency-key must be a string of at most 4 characters, received "too long"',
    ]);
  });
});
