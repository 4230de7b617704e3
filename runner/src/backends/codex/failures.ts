import { saysDiskFull, type TurnFailureKind } from '../backend-failure.ts';
import { isObject, text } from '../json-rpc.ts';

/** What codex names by a word. What is not here is judged by its status or its text. */
const WORDS: Readonly<Record<string, TurnFailureKind>> = {
  contextWindowExceeded: 'context-overflow',
  usageLimitExceeded: 'provider-quota',
  sessionBudgetExceeded: 'provider-quota',
  rateLimitExceeded: 'provider-rate-limited',
  serverOverloaded: 'provider-unavailable',
  internalServerError: 'provider-unavailable',
  flexUnavailable: 'provider-unavailable',
  policyCapacityUnavailable: 'provider-unavailable',
  unauthorized: 'provider-auth-failed',
  modelNotFound: 'profile-invalid',
  badRequest: 'profile-invalid',
  sandboxError: 'infra-failed',
  // Refused by a policy of the provider or of a reviewer: only another request helps.
  inferenceHookDenied: 'approval-required',
  cyberPolicy: 'approval-required',
  misalignmentPolicyViolation: 'approval-required',
  tooManyDenials: 'approval-required',
};

/** An error of codex, as it stands in `error` and `turn/completed`. */
export interface CodexError {
  readonly message: string;
  /** The word, or the only key, of `codexErrorInfo`. */
  readonly word: string | undefined;
  readonly httpStatus: number | undefined;
}

export function codexError(value: unknown): CodexError {
  const error = isObject(value) ? value : {};
  const info = error['codexErrorInfo'];
  const [word, detail] = isObject(info) ? (Object.entries(info)[0] ?? []) : [text(info), undefined];
  const status = isObject(detail) ? detail['httpStatusCode'] : undefined;
  const details = text(error['additionalDetails']);
  const message = text(error['message']) ?? 'codex named no reason';
  return {
    message: details === undefined ? message : `${message} (${details})`,
    word,
    httpStatus: typeof status === 'number' ? status : undefined,
  };
}

/**
 * The kind of a failed turn.
 *
 * @param retryStatus the last HTTP status of a retry in this turn: codex may forget it at the end
 */
export function failureKindOf(error: CodexError, retryStatus: number | undefined): TurnFailureKind {
  const { message, word, httpStatus } = error;
  if (saysDiskFull(message)) return 'disk-full';
  const known = word === undefined ? undefined : WORDS[word];
  if (known !== undefined) return known;
  const status = httpStatus ?? retryStatus ?? statusIn(message);
  if (status !== undefined) return kindOfStatus(status);
  if (word !== undefined && /^(?:http|response)/.test(word)) return 'provider-unavailable';
  if (message.startsWith('Missing environment variable')) return 'provider-auth-failed';
  if (/stream disconnected|connection|timed? ?out/i.test(message)) return 'provider-unavailable';
  // A refusal of the provider comes as its raw JSON.
  if (/invalid_request_error|model_not_found/.test(message)) return 'profile-invalid';
  return 'backend-protocol';
}

function kindOfStatus(status: number): TurnFailureKind {
  if (status === 401 || status === 403) return 'provider-auth-failed';
  if (status === 402) return 'provider-quota';
  if (status === 429) return 'provider-rate-limited';
  if (status === 413) return 'context-overflow';
  return status >= 400 && status < 500 && status !== 408 ? 'profile-invalid' : 'provider-unavailable';
}

function statusIn(message: string): number | undefined {
  const status = /\bstatus:? (\d{3})\b/i.exec(message)?.[1];
  return status === undefined ? undefined : Number(status);
}
