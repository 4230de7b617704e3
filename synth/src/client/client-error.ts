import { maskSecrets } from '@agentrun/lib';
import { EXIT } from './exit-code.ts';

/** What may keep a command of the client from its work, besides what a manager refuses: exit code and next step. */
export const CLIENT_ERRORS = {
  usage: { exit: EXIT.usage, nextStep: 'See agentrun --help.' },
  'prompt-empty': { exit: EXIT.usage, nextStep: 'Give the text as an argument, or "-" and the text on stdin.' },
  'file-unreadable': { exit: EXIT.usage, nextStep: 'Name a file that this user may read.' },
  'manager-unknown': {
    exit: EXIT.unreachable,
    nextStep: 'Start one with "npm run quickstart" or "npm run manager", or give --url or AGENTRUN_URL.',
  },
  'api-key-missing': {
    exit: EXIT.usage,
    nextStep: 'Give --api-key-file, or set AGENTRUN_API_KEY or AGENTRUN_API_KEY_FILE.',
  },
  'manager-unreachable': { exit: EXIT.unreachable, nextStep: 'Start the manager, or correct its address.' },
  'answer-invalid': { exit: EXIT.unreachable, nextStep: 'Let the address be that of an AgentRun manager.' },
  timeout: { exit: EXIT.timeout, nextStep: 'Give a longer --timeout, or look later.' },
  // Of the quickstart
  'data-folder-foreign': { exit: EXIT.failed, nextStep: 'Give another --data-dir.' },
  'data-folder-busy': { exit: EXIT.failed, nextStep: 'End the manager that runs there, or give another --data-dir.' },
  'program-missing': { exit: EXIT.failed, nextStep: 'Run "npm ci && npm run build" in the repository.' },
  'start-failed': { exit: EXIT.failed, nextStep: 'Look at what the manager said.' },
  'profile-key-missing': { exit: EXIT.usage, nextStep: 'Give --key-file or --base-url, or use the profile "demo".' },
  'branch-differs': { exit: EXIT.failed, nextStep: 'Begin anew with --reset.' },
  'processes-left': { exit: EXIT.failed, nextStep: 'End them by hand.' },
} as const satisfies Record<string, { exit: number; nextStep: string }>;

/** One of the codes of {@link CLIENT_ERRORS}. */
export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

/** A command of the client failed: what is wrong, and what to do. The message never holds a secret. */
export class ClientError extends Error {
  /** Of {@link CLIENT_ERRORS}, or the failureKind with which the manager refused. */
  readonly code: string;
  /** The next step. */
  readonly hint: string;
  readonly exitCode: number;
  /** By which the manager's log tells of the request; null where no manager answered. */
  readonly traceId: string | null;

  constructor(code: string, message: string, facts: { hint: string; exitCode: number; traceId?: string | null }) {
    super(maskSecrets(message));
    this.name = 'ClientError';
    this.code = code;
    this.hint = facts.hint;
    this.exitCode = facts.exitCode;
    this.traceId = facts.traceId ?? null;
  }
}

/** A failure of {@link CLIENT_ERRORS}; `hint` where a better next step than that of the code is known. */
export function clientError(code: ClientErrorCode, message: string, hint?: string): ClientError {
  const { exit, nextStep } = CLIENT_ERRORS[code];
  return new ClientError(code, message, { hint: hint ?? nextStep, exitCode: exit });
}
