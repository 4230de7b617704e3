import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Redactor } from '@agentrun/lib/contract';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { FastifyBaseLogger } from 'fastify';
import { bounded } from '../services/bounded-text.ts';
import type { Metrics } from './metrics.ts';
import type { SpanBounds } from './spans.ts';

/** Why spans were lost: memory was full, the collector did not take them, or the manager stopped. */
type Loss = 'queue-full' | 'not-exported' | 'stopped';
type Done = Parameters<SpanExporter['export']>[1];

type Code = Parameters<Done>[0]['code'];

// The enum is of a package that the exporter has, and we have not.
const SUCCESS = 0 as unknown as Code;
const FAILED = 1 as unknown as Code;
/** Above the batches that can be under way at the end. */
const CONCURRENT = 16;

export interface ExportOptions {
  /** Where spans are posted to. */
  readonly url: URL;
  readonly redact: Redactor;
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  readonly bounds: SpanBounds;
}

/**
 * Sends spans to a collector in batches, behind everything else. Whatever the collector does, at most
 * {@link SpanBounds.most} spans are held, and each one is counted as exported or as dropped.
 */
export class SpanExport implements SpanProcessor {
  readonly #options: ExportOptions;
  readonly #batches: BatchSpanProcessor;
  readonly #agent: HttpAgent;
  readonly #exported;
  readonly #dropped;
  #held = 0;
  #closed = false;
  #lost = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ExportOptions) {
    const { url, metrics, bounds } = options;
    this.#options = options;
    this.#agent = new (url.protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true });
    const exporter = new OTLPTraceExporter({
      url: url.href,
      timeoutMillis: bounds.exportMs,
      concurrencyLimit: CONCURRENT,
      httpAgentOptions: () => this.#agent,
    });
    this.#batches = new BatchSpanProcessor(this.#watched(exporter), {
      maxQueueSize: bounds.most,
      maxExportBatchSize: bounds.batch,
      scheduledDelayMillis: bounds.delayMs,
      // After the deadline of the export itself.
      exportTimeoutMillis: bounds.exportMs * 3,
    });
    this.#exported = metrics.counter({
      name: 'agentrun_spans_exported_total',
      help: 'Spans that the collector took.',
    });
    this.#dropped = metrics.counter({
      name: 'agentrun_spans_dropped_total',
      help: 'Spans that were lost: memory was full, the collector did not take them, or the manager stopped.',
      labelNames: ['reason'],
    });
    const held = () => this.#held;
    metrics.gauge({
      name: 'agentrun_spans_waiting',
      help: 'Spans that wait for their export, or are being sent.',
      collect() {
        this.set(held());
      },
    });
  }

  /** Whether there is room for one more span; where there is none it is counted as lost, and need not be made. */
  hasRoom(): boolean {
    if (this.#closed) return false;
    if (this.#held < this.#options.bounds.most) return true;
    this.#drop('queue-full', 1);
    return false;
  }

  onStart(): void {
    // What counts is the end.
  }

  onEnd(span: ReadableSpan): void {
    if (!this.hasRoom()) return;
    this.#held += 1;
    this.#batches.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush();
  }

  /** Sends what waits, however long that takes. */
  async shutdown(): Promise<void> {
    this.#closed = true;
    // An export that fails was counted, and told of, where it failed.
    await this.#batches.shutdown().catch(() => undefined);
  }

  /** Counts what has not been sent as lost, and lets go of the collector. */
  end(): void {
    this.#closed = true;
    if (this.#held > 0) this.#drop('stopped', this.#held);
    this.#held = 0;
    this.#agent.destroy();
  }

  /** The exporter with a deadline of its own: what the collector keeps open for ever is cut. */
  #watched(exporter: OTLPTraceExporter): SpanExporter {
    return {
      export: (spans, done) => {
        const settle = this.#settleOnce(spans.length, done);
        const timer = setTimeout(() => {
          this.#agent.destroy();
          settle({ code: FAILED, error: new Error('the collector did not answer in time') });
        }, this.#options.bounds.exportMs * 2);
        exporter.export(spans, (result) => {
          clearTimeout(timer);
          settle(result);
        });
      },
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    };
  }

  #settleOnce(count: number, done: Done): Done {
    let isSettled = false;
    return (result) => {
      if (isSettled) return;
      isSettled = true;
      // After the end all that was held is counted already.
      if (this.#held > 0) {
        this.#held -= count;
        if (result.code === SUCCESS) this.#exported.inc(count);
        else this.#drop('not-exported', count, result.error);
      }
      done(result);
    };
  }

  #drop(reason: Loss, count: number, error?: Error): void {
    this.#dropped.inc({ reason }, count);
    this.#lost += count;
    const now = performance.now();
    const { bounds, log, redact, url } = this.#options;
    if (now - this.#warnedAt < bounds.warnMs) return;
    this.#warnedAt = now;
    const why = error === undefined ? {} : { error: bounded(redact.text(error.message), 300) };
    // The host alone: a URL may hold a credential.
    log.warn({ collector: url.host, reason, lost: this.#lost, ...why }, 'spans are lost');
    this.#lost = 0;
  }
}
