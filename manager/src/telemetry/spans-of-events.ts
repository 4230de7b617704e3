import type { EventInput, Redactor } from '@agentrun/lib/contract';
import { bounded } from '../services/bounded-text.ts';
import type { DomainSpan } from './spans.ts';

/** Phases of status events that are spans, by their whole name or by how they begin. */
const PHASES: ReadonlySet<string> = new Set(['cancel-requested', 'turn-cancelled', 'command-terminal']);
const PHASE_PREFIXES = ['runner-claim-', 'turn/interrupt:'] as const;

/** Names are short; a phase is whatever a runner writes. */
const NAME_PART = 100;

/** Whose events they are. */
export interface Teller {
  readonly runId: string;
  /** The attempt that sent them, where the event does not say. */
  readonly attemptId: string | null;
}

/** The span of what a runner tells: an error, the end of its run, or one of some phases. Undefined for all others. */
export function spanOfEvent(
  { type, payload = {} }: EventInput,
  { runId, attemptId }: Teller,
  redact: Redactor,
): DomainSpan | undefined {
  const text = (name: string): string | null => {
    const value = payload[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const terminalStatus = text('terminalStatus');
  const failureKind = text('failureKind');
  const name = nameOf(type, { terminalStatus, failureKind, phase: text('phase') }, redact);
  if (name === undefined) return undefined;
  const message = text('message');
  const isError = type === 'error' || terminalStatus === 'failed' || terminalStatus === 'blocked';
  return {
    name,
    attributes: {
      runId,
      eventType: type,
      phase: text('phase'),
      terminalStatus,
      failureKind,
      commandId: text('commandId'),
      attemptId: text('attemptId') ?? attemptId,
      runnerId: text('runnerId'),
      threadId: text('threadId'),
      turnId: text('turnId'),
      willRetry: typeof payload['willRetry'] === 'boolean' ? payload['willRetry'] : null,
      message,
    },
    ofRun: runId,
    ...(isError ? { error: message ?? failureKind ?? name } : {}),
  };
}

function nameOf(
  type: EventInput['type'],
  { terminalStatus, failureKind, phase }: Readonly<Record<'terminalStatus' | 'failureKind' | 'phase', string | null>>,
  redact: Redactor,
): string | undefined {
  if (type === 'error') return failureKind === null ? 'runner_error' : `runner_error.${part(redact.text(failureKind))}`;
  if (type === 'terminal_status') {
    return terminalStatus === null ? 'runner_terminal' : `runner_terminal.${part(redact.text(terminalStatus))}`;
  }
  if (type !== 'backend_status' || phase === null) return undefined;
  const isSpan = PHASES.has(phase) || PHASE_PREFIXES.some((prefix) => phase.startsWith(prefix));
  return isSpan ? `runner_${part(redact.text(phase))}` : undefined;
}

/** A part of a name: runs of other characters become one underscore. */
function part(text: string): string {
  const plain = bounded(text, NAME_PART)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return plain === '' ? 'unknown' : plain;
}
