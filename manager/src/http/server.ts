import { type Redactor, redactor } from '@agentrun/lib/contract';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import { Failure } from '../failure.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { recordRequest } from '../telemetry/request-record.ts';
import { NO_SPANS, type Spans } from '../telemetry/spans.ts';
import { spanHandlers } from '../telemetry/spans-hook.ts';
import { admission } from './admission.ts';
import { authenticator, type VerifyRunner } from './authenticate.ts';
import { clientErrorHandler, MAX_HEADER_BYTES } from './client-error.ts';
import { Drain } from './drain.ts';
import { wrapHandler } from './envelope.ts';
import { errorHandler } from './error-handler.ts';
import './fastify-fields.ts';
import { parseJsonBody } from './json-body.ts';
import { serveOpenapi } from './openapi.ts';
import { schemaCompiler } from './schema-compiler.ts';
import { SseStreams } from './sse-streams.ts';
import { traceIdOf } from './trace.ts';
import type { SchemaTypes } from './type-provider.ts';

/** A server whose routes are typed by their schemas. */
export type ManagerServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>;

export interface ServerOptions {
  readonly log: FastifyBaseLogger;
  /** Of the manager, for the OpenAPI document. */
  readonly version: string;
  /** The API key; null is allowed in local mode only, and makes every local caller the operator. */
  readonly operatorKey: string | null;
  /** One machine: the Host must be loopback, and `/metrics` is open. Default false. */
  readonly local?: boolean;
  readonly verifyRunner?: VerifyRunner;
  /** Goes over every message that leaves; default one that knows the API key. */
  readonly redactor?: Redactor;
  /** Default: a registry of its own. */
  readonly metrics?: Metrics;
  /** Default none. Who opened them closes them. */
  readonly spans?: Spans;
  /** Bytes of a body where the route does not say otherwise by `bodyLimit`; default 1 MiB. */
  readonly bodyLimit?: number;
  readonly timeouts?: Partial<ServerTimeouts>;
  /** Default 15 s. */
  readonly heartbeatMs?: number;
}

/** In milliseconds. */
interface ServerTimeouts {
  /** For the headers of a request; default 15 s. */
  readonly headers: number;
  /** For the whole request, headers and body; default 60 s. */
  readonly request: number;
  /** Without a byte in either direction while a request is answered; default 120 s, above every wait of ours. */
  readonly idle: number;
  /** Between two requests on one connection; default 75 s, above the 60 s after which proxies let go. */
  readonly keepAlive: number;
  /** How often the first two are looked at; default 5 s. */
  readonly check: number;
}

const TIMEOUTS: ServerTimeouts = { headers: 15_000, request: 60_000, idle: 120_000, keepAlive: 75_000, check: 5_000 };
const BODY_LIMIT = 1024 * 1024;
const MAX_PARAM_LENGTH = 256;

/**
 * The HTTP server without routes, but `GET /openapi.json` and `GET /metrics`. Add routes, then `listen`; stop it with
 * `server.drain.begin()`.
 *
 * Handlers return their data alone, and throw {@link Failure}.
 *
 * @throws {Error} without an API key outside local mode
 */
export async function buildServer(options: ServerOptions): Promise<ManagerServer> {
  const { operatorKey, local = false } = options;
  if (operatorKey === null && !local) throw new Error('without an API key the manager serves in local mode only');
  const redact = options.redactor ?? redactor(operatorKey === null ? [] : [operatorKey]);
  const app = createFastify(options, errorHandler(redact));
  const drain = new Drain(app);
  const streams = new SseStreams({ heartbeatMs: options.heartbeatMs });
  const metrics = options.metrics ?? new Metrics();
  app.decorate('drain', drain);
  app.decorate('streams', streams);
  app.decorate('metrics', metrics);
  const spans = options.spans ?? NO_SPANS;
  app.decorate('spans', spans);
  app.decorateRequest('runner', null);
  app.decorateRequest('failureKind', null);
  metrics.gauge({
    name: 'agentrun_http_event_streams',
    help: 'Event streams that are open.',
    collect() {
      this.set(streams.size);
    },
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
  app.setValidatorCompiler(schemaCompiler(redact));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(errorHandler(redact));
  app.setNotFoundHandler((request) => {
    throw new Failure('not-found', `There is nothing at ${request.method} ${request.routeOptions.url ?? 'this path'}.`);
  });
  app.addHook('onRoute', spanHandlers(spans));
  app.addHook('onRoute', wrapHandler);
  const authenticate = authenticator({ operatorKey, verifyRunner: options.verifyRunner });
  const closing = () => drain.state === 'closing' || drain.state === 'closed';
  app.addHook('onRequest', async (request, reply) => recordRequest(request, reply));
  app.addHook('onRequest', admission(app, { local, authenticate, closing }));
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (!drain.ready) reply.header('connection', 'close');
    done(null, payload);
  });

  await serveOpenapi(app, { version: options.version });
  app.get(
    '/metrics',
    { config: { auth: local ? 'open' : 'operator', raw: true, mediaType: 'text/plain' } },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
  return app.withTypeProvider<SchemaTypes>();
}

function createFastify(
  { log, bodyLimit = BODY_LIMIT, timeouts }: ServerOptions,
  answer: ReturnType<typeof errorHandler>,
): FastifyInstance {
  const limits = { ...TIMEOUTS, ...timeouts };
  return fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'traceId' }),
    genReqId: (raw) => traceIdOf(raw.headers['traceparent']),
    requestIdHeader: false,
    bodyLimit,
    requestTimeout: limits.request,
    connectionTimeout: limits.idle,
    keepAliveTimeout: limits.keepAlive,
    http: {
      headersTimeout: limits.headers,
      connectionsCheckingInterval: limits.check,
      maxHeaderSize: MAX_HEADER_BYTES,
      // A request without Host is answered as a problem, as every other one.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // While it closes, our own answer says so.
    return503OnClosing: false,
    clientErrorHandler: clientErrorHandler(log),
    frameworkErrors: (error, request, reply) => {
      recordRequest(request, reply);
      answer(error, request, reply);
    },
  });
}
