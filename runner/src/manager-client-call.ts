import { failureOf, ManagerUnreachable } from './manager-client-failure.ts';

/** Where the manager is, and as whom we speak. */
export interface ManagerAddress {
  /** Base URL, without /api/v1. */
  readonly url: string;
  /** The token of the attempt. */
  readonly token: string;
  /** W3C trace context, where the attempt is traced. */
  readonly traceparent?: string;
}

export interface ManagerCall {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Below /api/v1, with its query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** The lease under which we write. */
  readonly epoch?: number;
  /** Number of the first event of an append. */
  readonly producerSeq?: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const GATEWAY = [408, 425, 429, 502, 503, 504];
const LONGEST_RETRY_AFTER_MS = 30_000;

/**
 * One request, without a second try.
 *
 * @returns the member `data` of the answer
 * @throws ManagerFailure when the manager refuses; ManagerUnreachable when nobody, or somebody else, answers; the reason
 *   of `signal` when it was aborted
 */
export async function callManager(address: ManagerAddress, call: ManagerCall): Promise<unknown> {
  const { method, path, body, epoch, producerSeq, timeoutMs, signal } = call;
  const what = `${method} ${path.replace(/\?.*/s, '')}`;
  // One signal for each request: what is joined to a signal that lives as long as the runner would pile up.
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${address.url.replace(/\/+$/, '')}/api/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${address.token}`,
        accept: 'application/json',
        ...(address.traceparent === undefined ? {} : { traceparent: address.traceparent }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(epoch === undefined ? {} : { 'runner-epoch': String(epoch) }),
        ...(producerSeq === undefined ? {} : { 'producer-seq': String(producerSeq) }),
      },
      ...(body === undefined ? {} : { body }),
      signal: stop.signal,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    const why = stop.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
    throw new ManagerUnreachable(`the manager was not reached (${what}): ${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
  const answer = parse(text);
  if (response.ok && answer !== undefined && answer['ok'] === true) return answer['data'];
  const failure = failureOf(response.status, answer, what);
  if (failure !== null && failure.failureKind !== 'unavailable') throw failure;
  const known = failure !== null || GATEWAY.includes(response.status);
  throw new ManagerUnreachable(
    failure?.message ?? `${what} was answered with ${response.status}${known ? '' : ', and not by the manager'}`,
    { retryAfterMs: retryAfter(response.headers.get('retry-after')) },
  );
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  const inner = cause instanceof Error ? cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}

/** Seconds, as the header has them; dates are not used by us. */
function retryAfter(header: string | null): number | null {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : null;
}
