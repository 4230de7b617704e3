import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';

/** A span as a collector received it. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Null of a root. */
  readonly parentSpanId: string | null;
  /** 2 is server. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message?: string };
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Milliseconds of the epoch. */
  readonly begun: number;
  readonly ended: number;
}

export interface Collector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Attributes of the resource of the last request. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Requests that came, whatever became of them; the raw text of each. */
  readonly bodies: string[];
  /** Paths with the media types that were posted. */
  readonly posted: ReadonlySet<string>;
  /** Waits until a span is there that holds all of this; the newest such one. */
  span(match: { readonly name: string } & Readonly<Record<string, unknown>>): Promise<ReceivedSpan>;
  close(): Promise<void>;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}
type Pairs = readonly { readonly key: string; readonly value: Value }[];
interface Otlp {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Pairs };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}
type OtlpSpan = Omit<ReceivedSpan, 'parentSpanId' | 'attributes' | 'links'> & {
  readonly parentSpanId?: string;
  readonly attributes: Pairs;
  readonly links?: ReceivedSpan['links'];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
};

/** Accepts what it gets. */
const accept = (response: ServerResponse) => response.setHeader('content-type', 'application/json').end('{}');

/** A collector for OTLP over HTTP, in JSON. `answer` may refuse, wait or babble; then the spans do not count. */
export async function collector(answer: (response: ServerResponse) => unknown = accept): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const posted = new Set<string>();
  let resource: Record<string, unknown> = {};
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      posted.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
      if (answer === accept) {
        const { resourceSpans } = JSON.parse(body) as Otlp;
        for (const one of resourceSpans) {
          resource = plain(one.resource.attributes);
          spans.push(...one.scopeSpans.flatMap((scope) => scope.spans.map(received)));
        }
      }
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    posted,
    get resource() {
      return resource;
    },
    span: async ({ name, ...attributes }) => {
      const find = () =>
        spans.findLast(
          (span) =>
            span.name === name && Object.entries(attributes).every(([key, value]) => span.attributes[key] === value),
        );
      await expect.poll(find, { timeout: 15_000 }).toBeDefined();
      return find() as ReceivedSpan;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function received(span: OtlpSpan): ReceivedSpan {
  const { name, traceId, spanId, kind, status } = span;
  return {
    name,
    traceId,
    spanId,
    parentSpanId: span.parentSpanId ?? null,
    kind,
    attributes: plain(span.attributes),
    status,
    links: (span.links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    begun: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
    ended: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
  };
}

function plain(pairs: Pairs): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? doubleValue ?? boolValue ?? (intValue === undefined ? undefined : Number(intValue)),
    ]),
  );
}

/** A caller's place in a trace of its own. */
export function caller(flags = '01'): { traceparent: string; traceId: string; spanId: string } {
  const hex = (length: number) => Array.from({ length }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const traceId = `a${hex(31)}`;
  const spanId = `b${hex(15)}`;
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, traceId, spanId };
}
