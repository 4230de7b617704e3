import type { Redactor } from '@agentrun/lib/contract';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type { Metrics } from './metrics.ts';

/** A span below the one of its request; the names and attributes are those of the contract. */
export interface DomainSpan {
  readonly name: string;
  /** What is null or absent is not sent. Texts are redacted, and cut at 300 characters, on their way out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | null | undefined>>;
  /** Why the status of the span is an error; without it the status is OK. */
  readonly error?: string;
  /** Of what a runner tells: the run whose trace it belongs to, should its request belong to none. */
  readonly ofRun?: string;
}

/**
 * Makes the spans of a successful answer. It stands in the `config` of a route. Attributes are redacted later; what
 * becomes part of a name must be before.
 */
export type SpansOfAnswer = (data: unknown, request: FastifyRequest, redact: Redactor) => readonly DomainSpan[];

/** How a request ended. */
export interface RequestEnd {
  /** As the metrics count it: bounded. */
  readonly method: string;
  readonly route: string | null;
  readonly status: number;
  readonly ms: number;
  /** The ids that the path names. */
  readonly subjects: Readonly<Record<string, string>>;
  readonly callerGone: boolean;
}

/** Where spans go. Nothing here waits, and nothing throws: a request never depends on its spans. */
export interface Spans {
  /** False: nothing is recorded, and nobody needs to prepare anything. */
  readonly on: boolean;
  /** The span of a request whose answer has gone out, or whose caller has. */
  request(request: FastifyRequest, end: RequestEnd): void;
  /** What a request has done since `begunMs` (epoch), told by its answer. */
  answered(request: FastifyRequest, begunMs: number, make: (redact: Redactor) => readonly DomainSpan[]): void;
  /** Sends what waits, for at most a second; the rest counts as dropped. */
  close(): Promise<void>;
}

export const NO_SPANS: Spans = {
  on: false,
  request: () => undefined,
  answered: () => undefined,
  close: () => Promise.resolve(),
};

export interface SpansOptions {
  /** The URL of a collector for OTLP over HTTP, without `/v1/traces`; null for no spans at all. */
  readonly endpoint: string | null;
  readonly version: string;
  readonly lane: string;
  readonly redact: Redactor;
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  /** The traceparent that a run was given, or null. */
  readonly traceOfRun: (runId: string) => Promise<string | null>;
  readonly bounds?: Partial<SpanBounds>;
}

/** What spans may cost; times in milliseconds. */
export interface SpanBounds {
  /** Spans in memory, those that are being sent included; more are dropped. */
  readonly most: number;
  readonly batch: number;
  /** Between the first span that waits and its export. */
  readonly delayMs: number;
  /** For one export, with its retries. */
  readonly exportMs: number;
  /** Between two warnings. */
  readonly warnMs: number;
  /** For the export of what waits at the end. */
  readonly closeMs: number;
}

const SPAN_BOUNDS: SpanBounds = {
  most: 2048,
  batch: 256,
  delayMs: 1000,
  exportMs: 5000,
  warnMs: 60_000,
  closeMs: 1000,
};

/**
 * Loads OpenTelemetry when there is somewhere to send spans to, and nothing of it otherwise.
 *
 * @throws {TypeError} when the endpoint is no http or https URL
 */
export async function openSpans({ endpoint, bounds, ...options }: SpansOptions): Promise<Spans> {
  if (endpoint === null) return NO_SPANS;
  const { otelSpans } = await import('./spans-otel.ts');
  return otelSpans({ ...options, url: tracesUrl(endpoint), bounds: { ...SPAN_BOUNDS, ...bounds } });
}

function tracesUrl(endpoint: string): URL {
  const url = new URL(endpoint);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`a collector has an http or https URL, not ${url.protocol}`);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url;
}
