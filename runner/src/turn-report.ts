import type { ReportStatus } from '@agentrun/lib/contract';
import type { TurnResult } from './backends/backend.ts';
import type { BackendFailure } from './backends/backend-failure.ts';
import { cleanText, cutText } from './backends/clean-payload.ts';

const MESSAGE_BYTES = 8 * 1024;
/** What the manager takes as the name of a conversation or of a turn, in characters. */
const NAME_LENGTH = 512;

/** What is reported of a turn that an agent ran. `stopped` says why it was ended from outside, if it was. */
export function reportOfResult(result: TurnResult, stopped: string | null): ReportStatus {
  const { terminalStatus, failureKind, failureMessage, threadId, turnId } = result;
  const message = terminalStatus === 'cancelled' ? (stopped ?? failureMessage) : failureMessage;
  return {
    terminalStatus,
    failureKind,
    failureMessage: message === null ? null : messageOf(message),
    ...(isName(threadId) ? { threadId } : {}),
    ...(isName(turnId) ? { turnId } : {}),
  };
}

/** What is reported of a turn that never got to an agent. */
export function reportOfFailure({ terminalStatus, failureKind, message }: BackendFailure): ReportStatus {
  return { terminalStatus, failureKind, failureMessage: messageOf(message) };
}

export function cancelledReport(message: string): ReportStatus {
  return { terminalStatus: 'cancelled', failureKind: 'cancelled', failureMessage: messageOf(message) };
}

function messageOf(message: string): string {
  return cutText(cleanText(message), MESSAGE_BYTES).text;
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text !== '' && text.length <= NAME_LENGTH;
}
