import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';

/** Ids that are random, but where somebody has chosen them: the ids of a request are told before its span is made. */
export class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #chosen: { readonly traceId: string; readonly spanId: string } | undefined;

  /** Does work that makes one span, which gets these ids; the trace only if it has no parent. */
  with<T>(ids: { readonly traceId: string; readonly spanId: string }, work: () => T): T {
    this.#chosen = ids;
    try {
      return work();
    } finally {
      this.#chosen = undefined;
    }
  }

  generateTraceId(): string {
    return this.#chosen?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#chosen?.spanId ?? this.#random.generateSpanId();
  }
}
