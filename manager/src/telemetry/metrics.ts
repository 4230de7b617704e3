import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

/** Seconds: from a read that PostgreSQL has in memory to a long-poll. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface RequestSample {
  readonly method: string;
  /** The path as it was declared; null when no route matched. */
  readonly route: string | null;
  readonly status: number;
  readonly seconds: number;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * The figures of this process, for Prometheus. Each server has a registry of its own. Others add what they count with
 * {@link counter}, {@link gauge} and {@link histogram}; every name begins with `agentrun_`.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#requests = this.histogram({
      name: 'agentrun_http_request_duration_seconds',
      help: 'Time from the headers of a request to the end of its answer, without event streams.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
    });
  }

  /** The labels are bounded: no path and no method that a caller invents becomes one. */
  observeRequest({ method, route, status, seconds }: RequestSample): void {
    this.#requests.observe(
      { method: METHODS.has(method) ? method : 'other', route: route ?? 'unmatched', status: String(status) },
      seconds,
    );
  }

  counter<Label extends string>(options: Omit<CounterConfiguration<Label>, 'registers'>): Counter<Label> {
    return new Counter({ ...options, registers: [this.registry] });
  }

  /** `collect` may be given to measure when somebody reads. */
  gauge<Label extends string>(options: Omit<GaugeConfiguration<Label>, 'registers'>): Gauge<Label> {
    return new Gauge({ ...options, registers: [this.registry] });
  }

  histogram<Label extends string>(options: Omit<HistogramConfiguration<Label>, 'registers'>): Histogram<Label> {
    return new Histogram({ ...options, registers: [this.registry] });
  }

  /** The text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}
