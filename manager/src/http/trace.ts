import { randomBytes } from 'node:crypto';

/** Which trace a request belongs to, after W3C Trace Context. */
export interface Trace {
  /** `trc_` and the 32 hex digits of the trace: in the answer, in the log, in the header `x-trace-id`. */
  readonly traceId: string;
  /** The span of the caller, 16 hex digits; null when the trace began here. */
  readonly parentSpanId: string | null;
  /** What is handed on to Jobs and runners: the trace, with a span of this request. */
  readonly traceparent: string;
}

export const TRACE_HEADER = 'x-trace-id';

const PREFIX = 'trc_';
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The id of the trace that the header names, else of a new one. A header that is not valid counts as absent. */
export function traceIdOf(header: string | string[] | undefined): string {
  return PREFIX + (readHeader(header)?.trace ?? randomBytes(16).toString('hex'));
}

/** The trace of a request whose id was made by {@link traceIdOf} from the same header. */
export function traceOf(traceId: string, header: string | string[] | undefined): Trace {
  const caller = readHeader(header);
  const span = randomBytes(8).toString('hex');
  return {
    traceId,
    parentSpanId: caller?.span ?? null,
    traceparent: `00-${traceId.slice(PREFIX.length)}-${span}-${caller?.flags ?? '01'}`,
  };
}

function readHeader(header: string | string[] | undefined) {
  if (typeof header !== 'string') return undefined;
  const [, version, trace = '', span = '', flags = '', rest] = TRACEPARENT.exec(header) ?? [];
  // Later versions may add fields; version 00 has none.
  return version === undefined || (version === '00' && rest !== undefined) ? undefined : { trace, span, flags };
}
