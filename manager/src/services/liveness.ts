import { lastEvents } from '../store/activity.ts';
import type { CommandRow } from '../store/commands.ts';
import { type EventRow, eventId, openToolCalls } from '../store/events.ts';
import type { RunRow } from '../store/runs.ts';
import { isoOrNull } from '../store/time.ts';
import { bounded } from './bounded-text.ts';
import type { Manager } from './manager.ts';
import { recoveryActions } from './recovery-actions.ts';
import { terminalClassification } from './terminal-classification.ts';

/** What a run is doing. */
export const PHASES = [
  'queued',
  'starting',
  'materializing',
  'model-wait',
  'tool-running',
  'idle',
  'cancelling',
  'terminal',
  'lost',
] as const;
export type Phase = (typeof PHASES)[number];

/**
 * What a run is doing, judged by the clock of the database. Nothing is written.
 *
 * @param isOfCommand the command is asked for, not the run: its outcome is the one that counts.
 */
export async function liveness(manager: Manager, run: RunRow, command: CommandRow | undefined, isOfCommand: boolean) {
  const { last, ofCommand } = await lastEvents(manager.pool, run.id, command?.id ?? null);
  const isUnderWay = command?.state === 'acknowledged';
  const tools = isUnderWay ? await openToolCalls(manager.pool, run.id, command.id, command.acknowledged_seq ?? 0) : [];
  const now = run.read_at;
  const phase = phaseOf(run, command, ofCommand, tools.length > 0);
  // A run may end otherwise than its last turn.
  const ended = isOfCommand || run.terminal_status === null ? command : undefined;
  return {
    phase,
    active: run.terminal_status === null,
    lastSeq: run.last_event_seq,
    lastEventAt: isoOrNull(run.last_event_at),
    lastEventAgeMs: run.last_event_at === null ? null : age(now, run.last_event_at),
    lastActivity: last === undefined ? null : activity(manager, last, now),
    lastCommandActivity: ofCommand === undefined ? null : activity(manager, ofCommand, now),
    timeoutBudget: timeoutBudget(run, command, ofCommand, now),
    terminalClassification: await terminalClassification(manager, run, command, ended),
    lease: lease(run, now),
    recoveryActions: recoveryActions(run, command, ended, phase),
    valuesPrinted: false as const,
  };
}
export type Liveness = Awaited<ReturnType<typeof liveness>>;

function phaseOf(
  run: RunRow,
  command: CommandRow | undefined,
  ofCommand: EventRow | undefined,
  isToolOpen: boolean,
): Phase {
  if (run.terminal_status !== null) return 'terminal';
  if (run.status === 'cancelling') return 'cancelling';
  if (run.claimed_by === null) return run.attempt_id === null ? 'queued' : 'starting';
  if (!run.lease_live) return 'lost';
  if (command?.state !== 'acknowledged') return 'idle';
  if (isToolOpen) return 'tool-running';
  const told = ofCommand?.type === 'backend_status' ? (stringOrNull(ofCommand.payload['phase']) ?? '') : '';
  return told.startsWith('resource-bundle') ? 'materializing' : 'model-wait';
}

function activity(manager: Manager, event: EventRow, now: Date) {
  const { payload } = event;
  const text = [payload['message'], payload['text'], payload['phase'], payload['command']].find(
    (value): value is string => typeof value === 'string' && value.trim() !== '',
  );
  return {
    sourceSeq: event.seq,
    eventId: eventId(event),
    activityKind: event.epoch === null ? 'manager' : 'runner',
    type: event.type,
    status: stringOrNull(payload['status'] ?? payload['terminalStatus']),
    toolName: stringOrNull(payload['toolName']),
    itemId: stringOrNull(payload['itemId']),
    ageMs: age(now, event.created_at),
    summary: text === undefined ? null : bounded(manager.redact.text(text), 180),
    valuesPrinted: false as const,
  };
}

/** Which limit comes first for a turn that is under way, and how much of it is left. */
function timeoutBudget(run: RunRow, command: CommandRow | undefined, ofCommand: EventRow | undefined, now: Date) {
  const { turnTimeoutMs, idleEventTimeoutMs, runTimeoutMs } = run.execution_policy;
  if (run.terminal_status !== null || command?.acknowledged_at == null || command.terminal_status !== null) return null;
  const startedAt = command.acknowledged_at;
  const lastActivityAt = ofCommand?.created_at ?? startedAt;
  const commandElapsedMs = age(now, startedAt);
  const runElapsedMs = age(now, run.started_at ?? run.created_at);
  const idleElapsedMs = age(now, lastActivityAt);
  const limits = [
    { timeoutKind: 'turn', timeoutMs: turnTimeoutMs, elapsedMs: commandElapsedMs },
    { timeoutKind: 'idle', timeoutMs: idleEventTimeoutMs, elapsedMs: idleElapsedMs },
    ...(runTimeoutMs === null ? [] : [{ timeoutKind: 'run', timeoutMs: runTimeoutMs, elapsedMs: runElapsedMs }]),
  ].map((limit) => ({ ...limit, remainingMs: Math.max(0, limit.timeoutMs - limit.elapsedMs) }));
  const first = limits.reduce((least, limit) => (limit.remainingMs < least.remainingMs ? limit : least));
  return {
    state: first.remainingMs > 0 ? 'running' : 'exceeded',
    ...first,
    idleElapsedMs,
    startedAt: startedAt.toISOString(),
    idleStartedAt: lastActivityAt.toISOString(),
    lastActivityAt: lastActivityAt.toISOString(),
    lastActivitySeq: ofCommand?.seq ?? command.acknowledged_seq,
    commandElapsedMs,
    runElapsedMs,
    source: 'executionPolicy',
    valuesPrinted: false as const,
  };
}

function lease(run: RunRow, now: Date) {
  if (run.claimed_by === null || run.lease_expires_at === null) return null;
  return {
    claimedBy: run.claimed_by,
    leaseEpoch: run.lease_epoch,
    leaseExpiresAt: run.lease_expires_at.toISOString(),
    leaseExpired: !run.lease_live,
    leaseRemainingMs: Math.max(0, run.lease_expires_at.getTime() - now.getTime()),
    valuesPrinted: false as const,
  };
}

const age = (now: Date, then: Date): number => Math.max(0, now.getTime() - then.getTime());

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
