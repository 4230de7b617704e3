import { fastifySwagger } from '@fastify/swagger';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { RouteAuth } from './authenticate.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { PROBLEM_SCHEMA } from './problem-schema.ts';

export interface OpenapiOptions {
  /** The version of the manager. */
  readonly version: string;
}

type Operation = Record<string, unknown> & { responses: Record<string, unknown>; requestBody?: { required?: boolean } };
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}

const SECURITY: Readonly<Record<RouteAuth, readonly Record<string, string[]>[]>> = {
  open: [],
  operator: [{ operatorKey: [] }, { apiKeyHeader: [] }],
  runner: [{ attemptToken: [] }],
  any: [{ operatorKey: [] }, { apiKeyHeader: [] }, { attemptToken: [] }],
};

/** Serves the OpenAPI 3.1 document of all routes that are registered after it, at `GET /openapi.json`. */
export async function serveOpenapi(app: FastifyInstance, { version }: OpenapiOptions): Promise<void> {
  await app.register(fastifySwagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'AgentRun manager',
        version,
        description: `Success is 200 with \`{ok: true, data, traceId}\`. A failure is \`${PROBLEM_TYPE}\` (RFC 9457) with \`ok: false\`, \`failureKind\`, \`message\`, \`traceId\` and \`error\`.`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      components: {
        securitySchemes: {
          operatorKey: { type: 'http', scheme: 'bearer', description: 'The API key of the operator.' },
          apiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key.' },
          attemptToken: { type: 'http', scheme: 'bearer', description: 'The token of an attempt: art_…' },
        },
      },
    },
    transform: ({ schema, url, route }) => ({ schema: documented(schema ?? {}, route), url }),
    transformObject: (found) => {
      // The plugin would rewrite what stands here already.
      const document = ('openapiObject' in found ? found.openapiObject : found.swaggerObject) as unknown as Document;
      return withProblems(document) as never;
    },
  });
  app.get('/openapi.json', { config: { auth: 'open', raw: true, mediaType: 'application/json' } }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(`${JSON.stringify(app.swagger())}\n`),
  );
}

function documented(schema: FastifySchema, route: RouteOptions): FastifySchema {
  const { method, url, config } = route;
  const { response, querystring, ...rest } = schema as FastifySchema & {
    response?: Record<string, unknown>;
    querystring?: Record<string, unknown>;
  };
  const data = (response?.['200'] ?? {}) as Record<string, unknown>;
  const success =
    config?.mediaType === undefined
      ? {
          description: 'Done',
          type: 'object',
          required: ['ok', 'data', 'traceId'],
          properties: { ok: { const: true }, data, traceId: { type: 'string' } },
        }
      : { description: 'Done', content: { [config.mediaType]: { schema: data } } };
  const { 'x-defaults': _, ...parameters } = querystring ?? {};
  return {
    operationId: operationId(String(method), url),
    security: SECURITY[config?.auth ?? 'operator'],
    ...rest,
    ...(querystring === undefined ? {} : { querystring: parameters }),
    response: { 200: success },
  } as FastifySchema;
}

/** `GET /api/v1/runs/:runId/events` is `getRunsByRunIdEvents`. */
function operationId(method: string, url: string): string {
  const words = url
    .replace(/^\/api\/v\d+/, '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `by-${part.slice(1)}` : part))
    .flatMap((part) => part.split(/[^A-Za-z0-9]+/));
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function withProblems(document: Document): Record<string, unknown> {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  for (const operation of operations) {
    operation.responses['default'] = { $ref: '#/components/responses/Problem' };
    const body = operation.requestBody as
      | { required?: boolean; content?: Record<string, { schema?: { required?: unknown[] } }> }
      | undefined;
    // An absent body is an empty object: it is asked for where a member is.
    if (body !== undefined) body.required = (body.content?.['application/json']?.schema?.required?.length ?? 0) > 0;
  }
  const { components, ...rest } = document as unknown as { components: Record<string, Record<string, unknown>> };
  return {
    ...rest,
    components: {
      ...components,
      schemas: { ...components['schemas'], Problem: PROBLEM_SCHEMA },
      responses: {
        Problem: {
          description: 'The request failed.',
          headers: { 'x-trace-id': { schema: { type: 'string' }, description: 'The same as traceId.' } },
          content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}
