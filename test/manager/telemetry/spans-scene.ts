import { expect } from 'vitest';
import { type Collector, caller, collector, type ReceivedSpan } from './spans-collector.ts';
import { type SpanningManager, spanningManager } from './spans-manager.ts';

/** A manager, and the collector that its spans go to. */
export interface SpanScene {
  readonly sink: Collector;
  readonly manager: SpanningManager;
  /** The span of the request that this one is below. */
  readonly requestOf: (span: ReceivedSpan) => ReceivedSpan | undefined;
  /** Asserts what each of the contract's spans has in common. */
  readonly assertBelow: (span: ReceivedSpan, method: string, route: string) => Promise<void>;
  /** All spans of a name about a run. */
  readonly allOf: (runId: string, name: string) => ReceivedSpan[];
  /** Waits until all spans that were made by now are there. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Each span reads the time of day for itself, which the system may correct in between; milliseconds. */
const CLOCKS_MS = 50;

export async function spanScene(): Promise<SpanScene> {
  const sink = await collector();
  const manager = await spanningManager(sink.url);
  const requestOf = ({ traceId, parentSpanId }: ReceivedSpan) =>
    sink.spans.find((span) => span.traceId === traceId && span.spanId === parentSpanId);
  return {
    sink,
    manager,
    requestOf,
    assertBelow: async (span, method, route) => {
      expect(span).toMatchObject({
        kind: 2,
        attributes: { 'http.method': method, 'http.route': route, 'http.status_code': 200 },
      });
      await expect.poll(() => requestOf(span)?.name, { timeout: 5000 }).toBe(`${method} ${route}`);
      const request = requestOf(span);
      expect(span.begun).toBeGreaterThanOrEqual((request?.begun ?? Number.NaN) - CLOCKS_MS);
      expect(span.ended).toBeLessThanOrEqual((request?.ended ?? Number.NaN) + CLOCKS_MS);
    },
    allOf: (runId, name) => sink.spans.filter((span) => span.name === name && span.attributes['runId'] === runId),
    settled: async () => {
      const { traceparent, traceId } = caller();
      await manager.request('GET', 'runs', undefined, { traceparent });
      await expect.poll(() => sink.spans.some((span) => span.traceId === traceId), { timeout: 10_000 }).toBe(true);
    },
    close: async () => {
      await manager.stop();
      await sink.close();
    },
  };
}
