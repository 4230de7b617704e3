import type { FailureKind } from '@agentrun/lib/contract';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Spans, SpansOfAnswer } from '../telemetry/spans.ts';
import type { RouteAuth } from './authenticate.ts';
import type { RunnerCredential } from './credentials.ts';
import type { Drain } from './drain.ts';
import type { SseStreams } from './sse-streams.ts';
import type { Trace } from './trace.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; default `operator`. */
    auth?: RouteAuth;
    /** The handler answers by itself: no envelope is put around what it returns. */
    raw?: boolean;
    /** The media type of a successful answer that is not the JSON envelope, for the OpenAPI document. */
    mediaType?: string;
    /** The spans of a successful answer, below the one of the request. */
    spans?: SpansOfAnswer;
  }
  interface FastifyRequest {
    trace: Trace;
    /** Set on routes for runners when a runner asks; null when the operator does. */
    runner: RunnerCredential | null;
    /** Why the request failed, for the log. */
    failureKind: FailureKind | null;
  }
  interface FastifyInstance {
    /** The state of the stop; its signal ends long-polls. */
    readonly drain: Drain;
    /** All open event streams. */
    readonly streams: SseStreams;
    readonly metrics: Metrics;
    readonly spans: Spans;
  }
}
