import { setTimeout as delay } from 'node:timers/promises';
import { FAILURE_KINDS, isFailureKind } from '@agentrun/lib/contract';
import { ClientError, clientError } from './client-error.ts';
import { EXIT } from './exit-code.ts';
import type { ManagerAddress } from './manager-address.ts';

/** One request. What it changes must be safe to repeat: by its key, or by its nature. */
export interface ApiRequest {
  readonly body?: unknown;
  /** `Idempotency-Key`: the manager does what it asks for once. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** How long the client puts up with a manager that is away, in milliseconds. */
export interface Patience {
  /** For one that stops, or whose connection broke. */
  readonly busyMs: number;
  /** For one that nobody can connect to. */
  readonly absentMs: number;
}

const PATIENCE: Patience = { busyMs: 15_000, absentMs: 0 };
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** The member `data` of an answer, or what was refused. */
interface Envelope {
  readonly ok?: unknown;
  readonly data?: unknown;
  readonly failureKind?: unknown;
  readonly message?: unknown;
  readonly nextStep?: unknown;
  readonly traceId?: unknown;
  readonly error?: { readonly details?: { readonly errors?: readonly FieldError[] } };
}

/** A field that was refused. */
interface FieldError {
  readonly message?: unknown;
  readonly received?: unknown;
}

/** A request that did not come to an answer of a manager. */
export class Unanswered extends Error {
  readonly kind: 'absent' | 'busy';

  constructor(kind: 'absent' | 'busy', reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** Speaks to a manager over HTTP as the operator. */
export class ManagerApi {
  readonly #find: () => Promise<ManagerAddress>;
  readonly #patience: Patience;
  #address: ManagerAddress;

  /** @param find finds the manager again: one in local mode may come back on another port. */
  constructor(address: ManagerAddress, find: () => Promise<ManagerAddress>, patience: Patience = PATIENCE) {
    this.#address = address;
    this.#find = find;
    this.#patience = patience;
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#address.url;
  }

  /**
   * The data of an answer. A manager that stops just now, and a connection that breaks, are waited for.
   *
   * @param path below `/api/v1/`
   * @throws ClientError with the failureKind of the manager, `manager-unreachable` or `answer-invalid`
   */
  async ask<Data>(
    method: string,
    path: string,
    request: ApiRequest = {},
    patience: Patience = this.#patience,
  ): Promise<Data> {
    const begun = performance.now();
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        const response = await this.fetch(method, path, request);
        return (await dataOf(response, this.url)) as Data;
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        const limit = error.kind === 'busy' ? patience.busyMs : patience.absentMs;
        if (performance.now() - begun + pause > limit) throw this.unreachable(error.message);
      }
      await delay(pause, undefined, request.signal === undefined ? {} : { signal: request.signal });
      await this.refresh();
    }
  }

  /** One request; the answer may be a refusal. @throws Unanswered */
  async fetch(
    method: string,
    path: string,
    { body, key, signal }: ApiRequest,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    try {
      const response = await fetch(`${this.url}/api/v1/${path}`, {
        method,
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${this.#address.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.status === 503 || response.status === 502 || response.status === 504) {
        await response.body?.cancel();
        throw new Unanswered('busy', `it answered ${response.status}`);
      }
      return response;
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof Unanswered ? error : unansweredBecause(error);
    }
  }

  /** Looks for the manager again, where it may have moved. */
  async refresh(): Promise<void> {
    this.#address = await this.#find().catch(() => this.#address);
  }

  unreachable(reason: string): ClientError {
    return clientError('manager-unreachable', `no manager answers at ${this.url}: ${reason}`);
  }
}

const ABSENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ETIMEDOUT']);

/** What fetch says of a broken connection stands in its cause. */
export function unansweredBecause(error: unknown): Unanswered {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Unanswered(ABSENT.has(code) ? 'absent' : 'busy', code === '' ? reason : code);
}

/** @throws ClientError for a refusal, and for what no manager would answer */
export async function dataOf(response: Response, url: string): Promise<unknown> {
  let envelope: Envelope | null = null;
  try {
    envelope = JSON.parse(await response.text()) as Envelope | null;
  } catch (error) {
    // The connection may break within an answer; what is no JSON is no manager's.
    if (!(error instanceof SyntaxError)) throw unansweredBecause(error);
  }
  if (envelope?.ok === true && 'data' in envelope) return envelope.data;
  if (envelope?.ok === false && typeof envelope.message === 'string') throw refusal(envelope, response.status);
  throw clientError('answer-invalid', `${url} answered ${response.status}, and not as a manager does`);
}

function refusal(envelope: Envelope, status: number): ClientError {
  const { failureKind, nextStep, traceId } = envelope;
  const kind = typeof failureKind === 'string' ? failureKind : 'infra-failed';
  const hint = isFailureKind(kind) ? FAILURE_KINDS[kind].nextStep : `It answered ${status}.`;
  return new ClientError(kind, messageOf(envelope), {
    hint: kind === 'unauthenticated' ? KEY_HINT : typeof nextStep === 'string' ? nextStep : hint,
    exitCode: EXIT.failed,
    traceId: typeof traceId === 'string' ? traceId : null,
  });
}

const KEY_HINT = 'Give --api-key-file with the key of this manager, or set AGENTRUN_API_KEY.';

/** The message; of several fields all, each with what was received. */
function messageOf({ message, error }: Envelope): string {
  const errors = error?.details?.errors;
  if (!Array.isArray(errors) || errors.length === 0) return String(message);
  return errors
    .map((field: FieldError) => {
      const text = String(field.message);
      const { received } = field;
      return typeof received !== 'string' || text.includes('received') ? text : `${text}, received ${received}`;
    })
    .join('\n  ');
}
