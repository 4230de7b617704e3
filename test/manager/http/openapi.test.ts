import { APPEND_EVENTS, CREATE_RUN } from '@agentrun/lib/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../manager/src/http/type-provider.ts';
import { type KernelServer, kernelServer } from '../../helpers/kernel-server.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: { default?: unknown } }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: unknown }> };
  readonly responses: Record<
    string,
    { $ref?: string; description?: string; content?: Record<string, { schema: unknown }> }
  >;
  readonly security: readonly Record<string, readonly string[]>[];
}
interface Document {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    securitySchemes: Record<string, unknown>;
    schemas: Record<string, object>;
    responses: Record<string, unknown>;
  };
}

let server: KernelServer;
let document: Document;

beforeAll(async () => {
  server = await kernelServer((app) => {
    app.post(
      '/api/v1/runs',
      {
        schema: {
          summary: 'Create a run',
          body: CREATE_RUN,
          response: { 200: { type: 'object', properties: { id: { type: 'string' } } } },
        },
      },
      async () => ({}),
    );
    app.get(
      '/api/v1/runs/:runId/events',
      {
        schema: {
          querystring: query({ limit: { type: 'integer', default: 50 }, afterSeq: { type: ['integer', 'null'] } }),
        },
      },
      async () => ({}),
    );
    app.post(
      '/api/v1/runs/:runId/events',
      { config: { auth: 'runner' }, schema: { operationId: 'appendEvents', body: APPEND_EVENTS } },
      async () => ({}),
    );
    app.get('/api/v1/runs/:runId/stream', { config: { mediaType: 'text/event-stream' } }, async () => ({}));
    app.post('/api/v1/runners/register', { config: { auth: 'any' } }, async () => ({}));
    app.get('/health', { config: { auth: 'open' } }, async () => ({}));
  });
  document = JSON.parse((await server.call('GET', '/openapi.json', { headers: {} })).text) as Document;
});
afterAll(() => server.close());

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : references(item),
  );
}

const resolve = (reference: string): unknown =>
  reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the OpenAPI document', () => {
  it('is 3.1, plain JSON without the envelope', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'AgentRun manager', version: '0.0.0-test' });
  });

  it('holds every route', () => {
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .sort(),
    ).toEqual(
      [
        'get /api/v1/runs/{runId}/events',
        'get /api/v1/runs/{runId}/stream',
        'get /health',
        'get /metrics',
        'get /openapi.json',
        'post /api/v1/runners/register',
        'post /api/v1/runs',
        'post /api/v1/runs/{runId}/events',
      ].sort(),
    );
  });

  it('has no reference that leads nowhere', () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(0);
    for (const reference of all) expect(resolve(reference), reference).toBeTypeOf('object');
  });

  it('names each operation once', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(['postRuns', 'appendEvents', 'getRunsByRunIdEvents', 'getHealth']));
  });

  it('declares the params of each path', () => {
    for (const { path, operation } of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((each) => each.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual(named);
      expect(declared.every(({ required }) => required === true)).toBe(true);
    }
  });

  it('gives each operation a success with the envelope, and the problem', () => {
    for (const { operation } of operations()) {
      expect(operation.responses['200']?.description).toBeTypeOf('string');
      expect(operation.responses['default']).toEqual({ $ref: '#/components/responses/Problem' });
    }
    expect(
      document.paths['/api/v1/runs']?.['post']?.responses['200']?.content?.['application/json']?.schema,
    ).toMatchObject({
      required: ['ok', 'data', 'traceId'],
      properties: { ok: { const: true }, data: { properties: { id: { type: 'string' } } } },
    });
    expect(
      Object.keys(document.paths['/api/v1/runs/{runId}/stream']?.['get']?.responses['200']?.content ?? {}),
    ).toEqual(['text/event-stream']);
  });

  it('says who may use what, by schemes that are declared', () => {
    const security = (path: string, method: string) =>
      document.paths[path]?.[method]?.security.flatMap((each) => Object.keys(each));
    expect(security('/api/v1/runs', 'post')).toEqual(['operatorKey', 'apiKeyHeader']);
    expect(security('/api/v1/runs/{runId}/events', 'post')).toEqual(['attemptToken']);
    expect(security('/api/v1/runners/register', 'post')).toEqual(['operatorKey', 'apiKeyHeader', 'attemptToken']);
    expect(security('/health', 'get')).toEqual([]);
    expect(Object.keys(document.components.securitySchemes).sort()).toEqual([
      'apiKeyHeader',
      'attemptToken',
      'operatorKey',
    ]);
  });

  it('holds the schemas as they are', () => {
    const create = document.paths['/api/v1/runs']?.['post']?.requestBody;
    expect(create).toMatchObject({ required: true, content: { 'application/json': { schema: CREATE_RUN } } });
    expect(document.paths['/api/v1/runs/{runId}/events']?.['post']?.requestBody?.required).toBe(false);
    const limit = document.paths['/api/v1/runs/{runId}/events']?.['get']?.parameters?.find(
      ({ name }) => name === 'limit',
    );
    expect(limit).toMatchObject({ in: 'query', required: false, schema: { type: 'integer', default: 50 } });
    expect(JSON.stringify(document)).not.toContain('x-defaults');
  });

  it('holds only schemas of draft 2020-12 that compile', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { operation } of operations()) {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ];
      for (const content of contents)
        for (const { schema } of Object.values(content ?? {}))
          expect(() => ajv.compile(schema as object)).not.toThrow();
    }
  });

  it('describes the problems that are answered', async () => {
    const validate = new Ajv2020().compile(document.components.schemas['Problem'] ?? {});
    for (const [method, path] of [
      ['GET', '/nope'],
      ['PUT', '/health'],
      ['POST', '/api/v1/runs'],
    ] as const) {
      const { problem } = await server.call(method, path);
      expect(validate(problem), JSON.stringify(validate.errors)).toBe(true);
    }
  });
});
