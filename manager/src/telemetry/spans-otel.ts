import { setTimeout as delay } from 'node:timers/promises';
import type { Redactor } from '@agentrun/lib/contract';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
  trace,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BasicTracerProvider, ParentBasedSampler } from '@opentelemetry/sdk-trace-base';
import type { FastifyRequest } from 'fastify';
import { type Trace, traceOf } from '../http/trace.ts';
import { bounded } from '../services/bounded-text.ts';
import type { DomainSpan, RequestEnd, SpanBounds, Spans, SpansOptions } from './spans.ts';
import { SpanExport } from './spans-export.ts';
import { ChosenIds } from './spans-ids.ts';

/** Characters of an attribute. */
const TEXT = 300;
/** What is looked at of a text, and what of its end is not shown because a secret may have been cut there. */
const LOOKED_AT = 16_384;
const NOT_SHOWN = 8192;
/** Runs whose trace is looked up at once; more of them have their spans below the request. */
const LOOKUPS = 8;

export type OtelOptions = Omit<SpansOptions, 'endpoint' | 'bounds'> & {
  /** Where spans are posted to. */
  readonly url: URL;
  readonly bounds: SpanBounds;
};

/** Spans by OpenTelemetry. Nothing is registered globally: each manager of a process has its own. */
export function otelSpans(options: OtelOptions): Spans {
  const { version, lane, redact, log, traceOfRun, bounds } = options;
  const ids = new ChosenIds();
  const sending = new SpanExport(options);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'agentrun-mgr',
      'service.version': version,
      'agentrun.lane': lane,
    }),
    // The caller's word counts. Sampling by chance is the collector's: it sees whole traces.
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanLimits: { attributeCountLimit: 32 },
    idGenerator: ids,
    spanProcessors: [sending],
  });
  const tracer = provider.getTracer('agentrun-manager', version);
  const lookups = new Set<Promise<void>>();

  /** What is sent must not break what is done. */
  const safely = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      log.debug({ err: error }, 'a span could not be made');
    }
  };

  const emit = (spans: readonly DomainSpan[], at: Where): void => {
    for (const span of spans) {
      if (!sending.hasRoom()) continue;
      // Redacted once: the error is mostly the message.
      const error = span.error === undefined ? undefined : shown(span.error, redact);
      const { message, ...rest } = span.attributes;
      const attributes = attributesOf({ ...at.http, ...rest }, redact);
      if (typeof message === 'string') {
        attributes['message'] = message === span.error && error !== undefined ? error : shown(message, redact);
      }
      const made = tracer.startSpan(
        span.name,
        {
          kind: SpanKind.SERVER,
          startTime: at.begun,
          attributes,
          ...(at.link === undefined ? {} : { links: [{ context: at.link }] }),
        },
        at.parent,
      );
      made.setStatus(
        error === undefined ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: error },
      );
      made.end(at.ended);
    }
  };

  return {
    on: true,
    request: (request, end) =>
      safely(() => {
        if (!sending.hasRoom()) return;
        const { own, caller } = contextsOf(request);
        const ended = Date.now();
        const span = ids.with(own, () =>
          tracer.startSpan(
            requestName(end),
            {
              kind: SpanKind.SERVER,
              startTime: ended - end.ms,
              attributes: attributesOf(requestAttributes(request, end), redact),
            },
            caller === null ? ROOT_CONTEXT : below(caller),
          ),
        );
        if (end.status >= 500) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: request.failureKind ?? `HTTP ${end.status}` });
        }
        span.end(ended);
      }),
    answered: (request, begun, make) =>
      safely(() => {
        const spans = make(redact);
        const [first] = spans;
        if (first === undefined) return;
        const { own, caller } = contextsOf(request);
        const http = {
          'http.method': request.method,
          'http.route': request.routeOptions.url ?? null,
          'http.status_code': 200,
        };
        const at: Where = { begun, ended: Date.now(), http, parent: below(own) };
        // A runner that tells of no trace of its own: the one of its run is the better place.
        if (caller !== null || first.ofRun === undefined || lookups.size >= LOOKUPS) {
          emit(spans, at);
          return;
        }
        const looked = traceOfRun(first.ofRun)
          .catch(() => null)
          .then((traceparent) => {
            const run = traceparent === null ? null : spanContextOf(traceparent);
            safely(() => emit(spans, run === null ? at : { ...at, parent: below(run), link: own }));
          })
          .finally(() => lookups.delete(looked));
        lookups.add(looked);
      }),
    close: async () => {
      const sent = Promise.all(lookups).then(() => provider.shutdown());
      await Promise.race([sent, delay(bounds.closeMs, undefined, { ref: false })]);
      sending.end();
    },
  };
}

interface Where {
  readonly begun: TimeInput;
  readonly ended: TimeInput;
  readonly http: DomainSpan['attributes'];
  readonly parent: Context;
  readonly link?: SpanContext;
}

/** The span of a request, and the one of its caller, as others refer to them. */
function contextsOf(request: FastifyRequest): { own: SpanContext; caller: SpanContext | null } {
  // A request that the router refused has passed no hook.
  const given = request.trace as Trace | undefined;
  const { traceparent, parentSpanId } = given ?? traceOf(request.id, request.headers['traceparent']);
  const own = spanContextOf(traceparent);
  return { own, caller: parentSpanId === null ? null : { ...own, spanId: parentSpanId } };
}

function spanContextOf(traceparent: string): SpanContext {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const below = (parent: SpanContext): Context => trace.setSpanContext(ROOT_CONTEXT, parent);

function requestName({ method, route }: RequestEnd): string {
  return route === null ? method : `${method} ${route}`;
}

function requestAttributes({ failureKind }: FastifyRequest, end: RequestEnd): DomainSpan['attributes'] {
  return {
    'http.method': end.method,
    'http.route': end.route,
    'http.status_code': end.status,
    failureKind,
    ...end.subjects,
    ...(end.callerGone ? { callerGone: true } : {}),
  };
}

function attributesOf(given: DomainSpan['attributes'], redact: Redactor): Attributes {
  const kept: Attributes = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined) continue;
    kept[name] = typeof value === 'string' ? shown(value, redact) : value;
  }
  return kept;
}

/** Redacted before it is cut: half a secret is not known as one any more. */
function shown(text: string, redact: Redactor): string {
  if (text.length <= LOOKED_AT) return bounded(redact.text(text), TEXT);
  return bounded(`${redact.text(text.slice(0, LOOKED_AT)).slice(0, -NOT_SHOWN)}…`, TEXT);
}
