import { findCommand } from '../store/commands.ts';
import { findRun } from '../store/runs.ts';
import type { Manager } from './manager.ts';
import { resultOf } from './result.ts';
import { summaryOf } from './sessions.ts';

/** A session with what its run is doing, when it has had one. */
export async function showSession(manager: Manager, id: string, readerId: string | undefined) {
  const summary = await summaryOf(manager, id, readerId);
  const runId = summary.activeRunId ?? summary.lastRunId;
  const run = runId === null ? undefined : await findRun(manager.pool, runId);
  // Runs are deleted when they are old; the session remembers the id.
  if (run === undefined) return summary;
  const commandId = summary.activeCommandId ?? summary.lastCommandId;
  const command = commandId === null ? undefined : await findCommand(manager.pool, commandId);
  const result = await resultOf(manager, run, command, false);
  const { liveness } = result;
  return {
    ...summary,
    liveness,
    supervisor: {
      sessionId: id,
      executionState: summary.executionState,
      attentionState: summary.attentionState,
      active: summary.active,
      activeRunId: summary.activeRunId,
      activeCommandId: summary.activeCommandId,
      lastRunId: summary.lastRunId,
      lastCommandId: summary.lastCommandId,
      runId: result.runId,
      commandId: result.commandId,
      status: result.status,
      terminalStatus: result.terminalStatus,
      failureKind: result.failureKind,
      lastSeq: result.lastSeq,
      liveness,
      terminalClassification: result.terminalClassification,
      lastActivity: liveness.lastActivity ?? liveness.lastCommandActivity,
      timeoutBudget: liveness.timeoutBudget,
      recoveryActions: liveness.recoveryActions,
      phase: liveness.phase,
      lastEventAgeMs: liveness.lastEventAgeMs,
      ...(result.steerDelivery === undefined ? {} : { steerDelivery: result.steerDelivery }),
      valuesPrinted: false as const,
    },
  };
}
